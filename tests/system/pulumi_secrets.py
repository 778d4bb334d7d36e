"""Reads a stack's outputs from its state, secrets included, without the second in which `pulumi` starts."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cli.pulumi import stack_state

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key and value that mark a secret (sdk/go/common/resource/sig of Pulumi)."""
ITERATIONS = 1_000_000
"""Of PBKDF2, for the passphrase (sdk/go/common/resource/config/crypt.go of Pulumi)."""


def outputs(state: bytes, passphrase: str) -> dict[str, Any]:
    """Return the outputs in the content of a state file."""
    deployment = stack_state.deployment(state)
    cipher = AESGCM(_key(passphrase, deployment["secrets_providers"]["state"]["salt"]))
    found: dict[str, Any] = _revealed(stack_state.of(deployment).outputs, cipher)
    return found


@cache
def _key(passphrase: str, salt: str) -> bytes:
    # v1, the salt, and a known text that was encrypted with it.
    encoded = salt.split(":")[1]
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), b64decode(encoded), ITERATIONS)


def _revealed(value: Any, cipher: AESGCM) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_revealed(one, cipher) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        _, nonce, sealed = value["ciphertext"].split(":")
        return _revealed(json.loads(cipher.decrypt(b64decode(nonce), b64decode(sealed), None)), cipher)
    return {name: _revealed(one, cipher) for name, one in value.items()}
