"""How a secret is encrypted in a file: AES-256-GCM, under a key that scrypt derives from this clone's passphrase."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Base64Bytes, BaseModel

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

COST, BLOCK, PARALLEL = 2**15, 8, 1
"""Of scrypt (RFC 7914): 32 MiB and about 0.1 s. A clone's passphrase is 256 random bits, where nobody chose another."""

SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32


class Sealed(BaseModel, frozen=True, extra="forbid"):
    """An encrypted secret: scrypt's salt, the nonce, and the ciphertext with GCM's tag at its end."""

    salt: Base64Bytes
    nonce: Base64Bytes
    ciphertext: Base64Bytes


def seal(passphrase_file: Path, secret: bytes, purpose: str) -> Sealed:
    """Encrypt a secret, which is decrypted for the same purpose only."""
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(passphrase_file, salt).encrypt(nonce, secret, purpose.encode())
    return Sealed.model_construct(salt=salt, nonce=nonce, ciphertext=ciphertext)


def unseal(passphrase_file: Path, sealed: Sealed, purpose: str) -> bytes | None:
    """Decrypt a secret; None if it is changed, of another purpose or passphrase, or if the passphrase is lost."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to import, and most commands decrypt nothing

    with suppress(InvalidTag, ValueError, FileNotFoundError):
        return _cipher(passphrase_file, sealed.salt).decrypt(sealed.nonce, sealed.ciphertext, purpose.encode())
    return None


def _cipher(passphrase_file: Path, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

    derivation = Scrypt(salt=salt, length=KEY_BYTES, n=COST, r=BLOCK, p=PARALLEL)
    return AESGCM(derivation.derive(passphrase_file.read_bytes()))
