from __future__ import annotations

import pytest

from cli.data import sealed_secrets


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys from passphrases in no time; each takes 0.1 s else."""
    monkeypatch.setattr(sealed_secrets, "COST", 2)
