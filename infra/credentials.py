"""Passwords and keys, by pulumi-random and pulumi-tls: different for every stack and clone, secret from the start."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_random as random
import pulumi_tls as tls

PASSWORD_LENGTH = 40
"""Letters and digits only, so that it needs no quoting anywhere: 238 bits."""

KEY_BYTES = 32
RSA_BITS = 2048


def password(name: str, *, opts: pulumi.ResourceOptions) -> random.RandomPassword:
    """Make a password, whose `result` is secret."""
    return random.RandomPassword(f"{name}-password", length=PASSWORD_LENGTH, special=False, opts=_kept(opts))


def key(name: str, *, opts: pulumi.ResourceOptions) -> random.RandomBytes:
    """Make a symmetric key of 256 bits."""
    return random.RandomBytes(f"{name}-key", length=KEY_BYTES, opts=_kept(opts))


def _kept(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Keep a secret that data needs, whatever keepers an earlier version of the program gave it."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["keepers"]))


def base64(made: random.RandomBytes) -> pulumi.Output[str]:
    """Return a key in base64, secret."""
    return pulumi.Output.secret(made.base64)


def token_keys(
    names: Sequence[str], *, opts: pulumi.ResourceOptions
) -> tuple[list[random.RandomBytes], pulumi.Output[str]]:
    """Make the keys that providers' tokens are encrypted with; the last one encrypts.

    Return them, and a JSON object, which is secret: `active`, a name, and `keys`, base64 by name.
    """
    made = {name: key(f"token-{name}", opts=opts) for name in names}
    keys = {name: base64(one) for name, one in made.items()}
    return list(made.values()), pulumi.Output.json_dumps({"active": names[-1], "keys": keys})


def signing_key(name: str, *, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a key that every OpenID client can verify with: RSA (OpenID Connect Core 1.0, 15.1), in PEM, secret."""
    return tls.PrivateKey(f"{name}-signing-key", algorithm="RSA", rsa_bits=RSA_BITS, opts=opts).private_key_pem
