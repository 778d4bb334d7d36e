"""Checks ID tokens (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from contextlib import suppress

from joserfc import jwt
from joserfc.errors import ClaimError, JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, Key, KeySet

from app.providers import subjects
from app.providers.errors import InvalidIdTokenError

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519"),
)
"""Asymmetric only: with a symmetric one, everybody who knows the client secret could sign."""

FAULTS = (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What is raised over a token or key that isn't what it should be."""

LEEWAY = 60
"""Seconds by which clocks may differ."""


def subject_of(token: object, keys: dict[str, object], *, issuer: str, client_id: str, nonce: str) -> str:
    """Check an ID token against the provider's JSON Web Key Set; return the account's identifier there.

    The text of an `InvalidIdTokenError` gives the reason, and doesn't repeat the token.
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # EdDSA has a new name (RFC 9864); it is not weak
            decoded = _decoded(token, _usable(keys))
        _check_clocks(decoded.claims)
        claims.validate(decoded.claims)
        subject = subjects.subject(decoded.claims["sub"])
    except FAULTS as error:
        raise InvalidIdTokenError(f"the ID token was refused: {_reason(error)}") from None
    if decoded.claims.get("azp", _sole_audience(decoded.claims["aud"])) != client_id:
        raise InvalidIdTokenError("the ID token was issued to another client")
    return subject


def _reason(error: Exception) -> str:
    reason = str(getattr(error, "error", type(error).__name__))
    return f"{reason} ({error.claim})" if isinstance(error, ClaimError) else reason


def _decoded(token: str, keys: list[Key]) -> jwt.Token:
    """Verify a token with the key that it names; or with any: some providers name none, or several by the same name."""
    try:
        return jwt.decode(token, KeySet(keys), algorithms=ALGORITHMS)
    except FAULTS:
        for key in keys:
            with suppress(*FAULTS):
                return jwt.decode(token, key, algorithms=ALGORITHMS)
        raise


def _check_clocks(claims: Mapping[str, object]) -> None:
    """Refuse a token that was just made, but seems to be of another time, for what it is: the clocks differ."""
    now, made, end = time.time(), claims.get("iat"), claims.get("exp")
    if not (isinstance(made, int | float) and isinstance(end, int | float)):
        return
    if made > now + LEEWAY or max(made, end) <= now - LEEWAY:
        raise InvalidIdTokenError(
            f"the ID token was refused: the provider's clock and this computer's differ by {abs(made - now):.0f} s;"
            " set the computer's clock"
        )


def _usable(keys: dict[str, object]) -> list[Key]:
    """Return the keys that we know how to use; others are to be ignored (RFC 7517, section 5)."""
    listed = keys.get("keys")
    usable = []
    for one in listed if isinstance(listed, list) else []:
        with suppress(*FAULTS):
            key = JWKRegistry.import_key(one)
            key.ensure_kid()
            usable.append(key)
    return usable


def _sole_audience(audience: str | list[str]) -> str | None:
    """Return whom a token is for; None if it is for several, of which `azp` then has to name one."""
    if isinstance(audience, str):
        return audience
    return audience[0] if len(audience) == 1 else None
