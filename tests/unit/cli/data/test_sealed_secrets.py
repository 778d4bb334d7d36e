from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.tokens.vault import MasterKeys
from cli.data.sealed_secrets import SESSION_KEY, TOKEN_KEYS, Sealed, seal, unseal, unseal_token_keys

SECRET = b"the master keys"
KEPT = """{
    "salt": "rsiIgso1DV3kWllxJS4Uew==",
    "nonce": "GPesX4VHyNkk32k6",
    "ciphertext": "vc6M1RFDa4tr7Q3J+SU1peA8VU0x3tbXt4MPzzPL9w=="
}"""
"""The secret, sealed by an earlier version."""
KEY = bytes(range(32))
CONTENT = json.dumps({"active": "k1", "keys": {"k1": base64.b64encode(KEY).decode()}}).encode()


@pytest.fixture
def slow_passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("of this clone")
    return path


@pytest.fixture
def passphrase(slow_passphrase: Path, cheap_keys: None) -> Path:  # noqa: ARG001
    return slow_passphrase


def test_what_was_kept_is_opened_by_later_versions(slow_passphrase: Path) -> None:
    assert unseal(slow_passphrase, TOKEN_KEYS, Sealed.model_validate_json(KEPT)) == SECRET


def test_a_secret_comes_back_from_a_file(passphrase: Path) -> None:
    written = seal(passphrase, TOKEN_KEYS, SECRET).model_dump_json()
    assert SECRET.decode() not in written
    assert unseal(passphrase, TOKEN_KEYS, Sealed.model_validate_json(written)) == SECRET


def test_another_passphrase_opens_nothing(passphrase: Path) -> None:
    sealed = seal(passphrase, TOKEN_KEYS, SECRET)
    passphrase.write_text("of another clone")
    assert unseal(passphrase, TOKEN_KEYS, sealed) is None


def test_a_lost_passphrase_opens_nothing(passphrase: Path) -> None:
    sealed = seal(passphrase, TOKEN_KEYS, SECRET)
    passphrase.unlink()
    assert unseal(passphrase, TOKEN_KEYS, sealed) is None


def test_another_purpose_opens_nothing(passphrase: Path) -> None:
    assert unseal(passphrase, SESSION_KEY, seal(passphrase, TOKEN_KEYS, SECRET)) is None


def test_the_same_secret_never_looks_the_same(passphrase: Path) -> None:
    first, second = (seal(passphrase, TOKEN_KEYS, SECRET) for _ in range(2))
    assert {first.salt, first.nonce, first.ciphertext}.isdisjoint({second.salt, second.nonce, second.ciphertext})


def test_keys_that_were_kept_come_back(passphrase: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = seal(passphrase, TOKEN_KEYS, CONTENT)
    assert unseal_token_keys(passphrase, sealed) == MasterKeys("k1", {"k1": KEY})
    assert capsys.readouterr().err == ""


def test_keys_under_another_passphrase_are_lost_which_is_told_with_its_remedy(
    passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shut = seal(passphrase, TOKEN_KEYS, CONTENT)
    passphrase.write_text("of another clone")
    assert unseal_token_keys(passphrase, shut) is None
    said = "".join(capsys.readouterr().err.split())
    assert str(passphrase) in said
