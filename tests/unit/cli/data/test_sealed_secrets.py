from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.tokens.vault import MasterKeys
from cli.data import sealed_secrets

pytestmark = pytest.mark.usefixtures("cheap_keys")

KEY = bytes(range(32))
CONTENT = json.dumps({"active": "k1", "keys": {"k1": base64.b64encode(KEY).decode()}}).encode()


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("of this clone")
    return path


def test_keys_that_were_kept_come_back(passphrase: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = sealed_secrets.seal(passphrase, sealed_secrets.TOKEN_KEYS, CONTENT)
    assert sealed_secrets.unseal_token_keys(passphrase, sealed) == MasterKeys("k1", {"k1": KEY})
    assert capsys.readouterr().err == ""


def test_keys_under_another_passphrase_are_lost_which_is_told_with_its_remedy(
    passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shut = sealed_secrets.seal(passphrase, sealed_secrets.TOKEN_KEYS, CONTENT)
    passphrase.write_text("of another clone")
    assert sealed_secrets.unseal_token_keys(passphrase, shut) is None
    said = "".join(capsys.readouterr().err.split())
    assert str(passphrase) in said
