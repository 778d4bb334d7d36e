"""Passwords and keys, by pulumi-random and pulumi-tls: different for every stack and clone, secret from the start."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_random as random
import pulumi_tls as tls

PASSWORD_LENGTH = 40
"""Letters and digits only, so that it needs no quoting anywhere: 238 bits."""

KEY_BYTES = 32
RSA_BITS = 2048


def password(
    name: str, *, keepers: Mapping[str, pulumi.Input[str]] | None = None, opts: pulumi.ResourceOptions | None = None
) -> pulumi.Output[str]:
    """Make a password.

    Args:
        name: What it is for.
        keepers: Values with which it lives and dies, such as the volume that it opens.
        opts: Resource options.

    Returns:
        The password, secret.
    """
    made = random.RandomPassword(
        f"{name}-password", length=PASSWORD_LENGTH, special=False, keepers=dict(keepers or {}) or None, opts=opts
    )
    return made.result


def key(
    name: str, *, keepers: Mapping[str, pulumi.Input[str]] | None = None, opts: pulumi.ResourceOptions | None = None
) -> pulumi.Output[str]:
    """Make a symmetric key of 256 bits.

    Args:
        name: What it is for.
        keepers: Values with which it lives and dies, such as the volume of what it encrypts.
        opts: Resource options.

    Returns:
        The key in base64, secret.
    """
    made = random.RandomBytes(f"{name}-key", length=KEY_BYTES, keepers=dict(keepers or {}) or None, opts=opts)
    return pulumi.Output.secret(made.base64)


def token_keys(
    names: Sequence[str],
    *,
    keepers: Mapping[str, pulumi.Input[str]] | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> pulumi.Output[str]:
    """Make the keys that providers' tokens are encrypted with.

    Args:
        names: The keys' names; the last one encrypts.
        keepers: Values with which they live and die: the volume that holds what they encrypt.
        opts: Resource options.

    Returns:
        A JSON object: `active`, a name, and `keys`, base64 by name; secret.
    """
    made = {name: key(f"token-{name}", keepers=keepers, opts=opts) for name in names}
    return pulumi.Output.all(**made).apply(lambda keys: json.dumps({"active": names[-1], "keys": keys}))


def signing_key(name: str, *, opts: pulumi.ResourceOptions | None = None) -> pulumi.Output[str]:
    """Make a key that signs what anybody may verify.

    Args:
        name: What it is for.
        opts: Resource options.

    Returns:
        An RSA key in PEM, secret: what every OpenID client can verify (OpenID Connect Core 1.0, 15.1).
    """
    return tls.PrivateKey(f"{name}-signing-key", algorithm="RSA", rsa_bits=RSA_BITS, opts=opts).private_key_pem
