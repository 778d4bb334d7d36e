"""Encrypts tokens for the database: AES-256-GCM, under data keys that master keys wrap.

A ciphertext is bound to its place by associated data, so that it can't be moved to another row or column. The data keys
are stored in the database, wrapped; so a new one comes into use without a restart, and no read fails meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import ServiceError

NONCE_BYTES = 12
"""As NIST SP 800-38D (section 8.2.2) requires of random nonces; far below 2^32 messages a key are ever sealed here."""

KEY_BYTES = 32


class UnreadableError(Exception):
    """A ciphertext can't be opened: it was changed, moved, or sealed under another key. The text holds no secret."""


def seal(key: bytes, plaintext: bytes, place: str) -> bytes:
    """Encrypt under a key of 32 bytes, bound to a place; return nonce, ciphertext and tag (RFC 5116, section 5.2)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt what `seal` returned; `UnreadableError` if any byte of it, its key or its place is another."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise UnreadableError(f"what stands at {place} can't be decrypted") from None


def new_key() -> bytes:
    """Return a new random key."""
    return AESGCM.generate_key(KEY_BYTES * 8)


@dataclass(frozen=True)
class MasterKeys:
    """The keys that wrap the data keys, by id; the active one wraps new data keys."""

    active: str
    keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> MasterKeys:
        """Read `{"active": "k1", "keys": {"k1": "<base64 of 32 bytes>"}}`; an error doesn't repeat the text."""
        try:
            document = json.loads(text)
            keys = {name: base64.b64decode(value, validate=True) for name, value in document["keys"].items()}
            active = document["active"]
        except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
            raise ServiceError("TOKEN_KEYS is not of the form {active: id, keys: {id: base64}}") from None
        if active not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise ServiceError(f"TOKEN_KEYS needs an active key among its keys, each of {KEY_BYTES} bytes")
        return cls(active, keys)

    def wrap(self, data_key: bytes, name: str) -> tuple[str, bytes]:
        """Encrypt a data key, bound to its id; return the id of the master key, and the wrapped key."""
        return self.active, seal(self.keys[self.active], data_key, f"token_keys/{name}")

    def unwrap(self, master: str, wrapped: bytes, name: str) -> bytes:
        """Decrypt a data key; `UnreadableError` if there is no such master key, or it doesn't fit."""
        if master not in self.keys:
            raise UnreadableError(f"the master key {master} of the data key {name} is not configured")
        return unseal(self.keys[master], wrapped, f"token_keys/{name}")
