from __future__ import annotations

from pathlib import Path

import pytest

from cli.data.encryption import Sealed, seal, unseal

SECRET = b"the master keys"
KEPT = """{
    "salt": "PjJLMCJojxf+wGK4FBQQPg==",
    "nonce": "ZOiVpk2N5J/jazAb",
    "ciphertext": "r0TWaxwTuFr5VwdLKUVi7bMbfN5YfsluScIcfZltUQ=="
}"""
"""The secret, sealed by an earlier version."""


@pytest.fixture
def slow_passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("of this clone")
    return path


@pytest.fixture
def passphrase(slow_passphrase: Path, cheap_keys: None) -> Path:  # noqa: ARG001
    return slow_passphrase


def test_what_was_kept_is_opened_by_later_versions(slow_passphrase: Path) -> None:
    assert unseal(slow_passphrase, Sealed.model_validate_json(KEPT), "a purpose") == SECRET


def test_a_secret_comes_back_from_a_file(passphrase: Path) -> None:
    written = seal(passphrase, SECRET, "a purpose").model_dump_json()
    assert SECRET.decode() not in written
    assert unseal(passphrase, Sealed.model_validate_json(written), "a purpose") == SECRET


def test_another_passphrase_opens_nothing(passphrase: Path) -> None:
    sealed = seal(passphrase, SECRET, "a purpose")
    passphrase.write_text("of another clone")
    assert unseal(passphrase, sealed, "a purpose") is None


def test_a_lost_passphrase_opens_nothing(passphrase: Path) -> None:
    sealed = seal(passphrase, SECRET, "a purpose")
    passphrase.unlink()
    assert unseal(passphrase, sealed, "a purpose") is None


def test_another_purpose_opens_nothing(passphrase: Path) -> None:
    assert unseal(passphrase, seal(passphrase, SECRET, "a purpose"), "another") is None


def test_the_same_secret_never_looks_the_same(passphrase: Path) -> None:
    first, second = (seal(passphrase, SECRET, "a purpose") for _ in range(2))
    assert {first.salt, first.nonce, first.ciphertext}.isdisjoint({second.salt, second.nonce, second.ciphertext})
