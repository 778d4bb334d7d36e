"""Passwords and keys, by pulumi-random and pulumi-tls: different for every stack and clone, secret from the start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_random as random
import pulumi_tls as tls

PASSWORD_LENGTH = 40
"""Letters and digits only, so that it needs no quoting anywhere: 238 bits."""

KEY_BYTES = 32
RSA_BITS = 2048

_LASTING = pulumi.ResourceOptions(ignore_changes=["keepers"])
"""Stacks of earlier versions have keepers, and without them everything would be made anew, but not the data."""


@dataclass(frozen=True)
class TokenKeys:
    """The keys that providers' tokens are encrypted with.

    Args:
        document: A JSON object: `active`, a name, and `keys`, base64 by name; secret.
        resources: What must be there as long as the tokens are.
    """

    document: pulumi.Output[str]
    resources: tuple[pulumi.Resource, ...]


def password(name: str, *, opts: pulumi.ResourceOptions | None = None) -> random.RandomPassword:
    """Make a password.

    Args:
        name: What it is for.
        opts: Resource options.

    Returns:
        The password as a resource, whose `result` is secret.
    """
    lasting = pulumi.ResourceOptions.merge(opts, _LASTING)
    return random.RandomPassword(f"{name}-password", length=PASSWORD_LENGTH, special=False, opts=lasting)


def key(name: str, *, opts: pulumi.ResourceOptions | None = None) -> pulumi.Output[str]:
    """Make a symmetric key of 256 bits, secret, in base64."""
    return base64(random_key(name, opts=opts))


def random_key(name: str, *, opts: pulumi.ResourceOptions | None = None) -> random.RandomBytes:
    """Make a symmetric key of 256 bits, as a resource."""
    return random.RandomBytes(f"{name}-key", length=KEY_BYTES, opts=opts)


def base64(made: random.RandomBytes) -> pulumi.Output[str]:
    """Return a key in base64, secret."""
    return pulumi.Output.secret(made.base64)


def token_keys(names: Sequence[str], *, opts: pulumi.ResourceOptions | None = None) -> TokenKeys:
    """Make the keys that providers' tokens are encrypted with.

    Args:
        names: The keys' names; the last one encrypts.
        opts: Resource options.

    Returns:
        The keys.
    """
    lasting = pulumi.ResourceOptions.merge(opts, _LASTING)
    made = {name: random_key(f"token-{name}", opts=lasting) for name in names}
    keys = pulumi.Output.all(**{name: base64(one) for name, one in made.items()})
    document = keys.apply(lambda keys: json.dumps({"active": names[-1], "keys": keys}))
    return TokenKeys(document, tuple(made.values()))


def signing_key(name: str, *, opts: pulumi.ResourceOptions | None = None) -> pulumi.Output[str]:
    """Make a key that signs what anybody may verify.

    Args:
        name: What it is for.
        opts: Resource options.

    Returns:
        An RSA key in PEM, secret: what every OpenID client can verify (OpenID Connect Core 1.0, 15.1).
    """
    return tls.PrivateKey(f"{name}-signing-key", algorithm="RSA", rsa_bits=RSA_BITS, opts=opts).private_key_pem
