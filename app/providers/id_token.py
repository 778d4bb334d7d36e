"""Checks ID tokens (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.providers.interface import InvalidIdTokenError

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Asymmetric only: with a symmetric one, whoever knows the client secret could sign."""

LEEWAY = 60
"""Seconds by which clocks may differ."""


def subject_of(token: object, keys: dict[str, object], *, issuer: str, client_id: str, nonce: str) -> str:
    """Check an ID token.

    Args:
        token: The token as the provider gave it.
        keys: The provider's JSON Web Key Set.
        issuer: Who must have issued it.
        client_id: Whom it must be for.
        nonce: What the authorization request was tied to.

    Returns:
        The account's identifier at the provider.

    Raises:
        InvalidIdTokenError: It isn't such a token; the text says why, without repeating it.
    """
    if not isinstance(token, str):
        raise InvalidIdTokenError("the provider gave no ID token")
    claims = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        claims.validate(decoded.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise InvalidIdTokenError(
            f"the ID token was refused: {getattr(error, 'error', type(error).__name__)}"
        ) from None
    if decoded.claims.get("azp", client_id) != client_id:
        raise InvalidIdTokenError("the ID token was issued to another client")
    return str(decoded.claims["sub"])
