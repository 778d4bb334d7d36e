"""Passwords and keys, by pulumi-random: different for every stack and clone, secret from the start."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_random as random

PASSWORD_LENGTH = 40
"""Letters and digits only, so that it needs no quoting anywhere: 238 bits."""

KEY_BYTES = 32


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


def key(name: str, *, opts: pulumi.ResourceOptions | None = None) -> pulumi.Output[str]:
    """Make a symmetric key of 256 bits.

    Args:
        name: What it is for.
        opts: Resource options.

    Returns:
        The key in base64, secret.
    """
    return pulumi.Output.secret(random.RandomBytes(f"{name}-key", length=KEY_BYTES, opts=opts).base64)
