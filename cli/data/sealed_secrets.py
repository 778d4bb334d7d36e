"""Which secrets travel with data, how they are sealed, and what becomes of each when the data is restored.

| secret | in snapshots | in backups | when the data is restored |
|---|---|---|---|
| master keys of tokens | sealed | sealed | `app.tokens.rekeying` wraps the data keys with the present ones |
| session key | sealed | no | `snapshots.session_key` puts it into Pulumi's state |
| database password | no | no | `snapshots.staged_credentials` sets the present one |

They are sealed by AES-256-GCM, under a key that scrypt derives from this clone's passphrase.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Base64Bytes, BaseModel

from cli.ui.console import announce
from infra.naming import FILES_MOUNT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from app.tokens.vault import MasterKeys

TOKEN_KEYS = "token-keys.json"  # noqa: S105 - a file's name
SESSION_KEY = "session-key.json"

INSTALLED_TOKEN_KEYS = f"/run/secrets/{TOKEN_KEYS}"
"""In the container of the app."""

INSTALLER_TOKEN_KEYS = f"{FILES_MOUNT}/app/{TOKEN_KEYS}"
"""In the container that installed them, which has ended and keeps its volumes."""

PURPOSES = {TOKEN_KEYS: "dashtam: token keys", SESSION_KEY: "dashtam: session key"}
"""Of the secrets that travel with data, by the names of their files there."""

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


def seal(passphrase_file: Path, name: str, content: bytes) -> Sealed:
    """Seal a secret, to travel with data."""
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(passphrase_file, salt).encrypt(nonce, content, PURPOSES[name].encode())
    return Sealed.model_construct(salt=salt, nonce=nonce, ciphertext=ciphertext)


def unseal(passphrase_file: Path, name: str, sealed: Sealed) -> bytes | None:
    """Return a secret that came with data; None if it is changed or another one, or if this passphrase isn't its."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to import, and most commands decrypt nothing

    with suppress(InvalidTag, ValueError, FileNotFoundError):
        cipher = _cipher(passphrase_file, sealed.salt)
        return cipher.decrypt(sealed.nonce, sealed.ciphertext, PURPOSES[name].encode())
    return None


def unseal_token_keys(passphrase_file: Path, sealed: Sealed) -> MasterKeys | None:
    """Return the master keys that came with data; None, with a warning, if this clone's passphrase isn't theirs."""
    content = unseal(passphrase_file, TOKEN_KEYS, sealed)
    if content is None:
        announce(
            f"The tokens of linked accounts can't be read with the passphrase in {passphrase_file}: the data was kept"
            " under another one. With that one in the file, the same command brings them back, too."
        )
        return None
    from app.tokens.vault import MasterKeys  # noqa: PLC0415 - slow to import, and most commands have no use for it

    return MasterKeys.parse(content.decode())


def _cipher(passphrase_file: Path, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

    derivation = Scrypt(salt=salt, length=KEY_BYTES, n=COST, r=BLOCK, p=PARALLEL)
    return AESGCM(derivation.derive(passphrase_file.read_bytes()))
