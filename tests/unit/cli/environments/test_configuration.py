from __future__ import annotations

from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments.configuration import configured_stacks, require_configured


def test_configured_stacks(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.review-42.yaml", "Pulumi.dev.yaml.orig"):
        (tmp_path / name).touch()
    (tmp_path / "Pulumi.feature-x.yaml").symlink_to("Pulumi.dev.yaml")
    (tmp_path / "Pulumi.lost.yaml").symlink_to("Pulumi.gone.yaml")
    assert configured_stacks(tmp_path) == ["dev", "feature-x", "review-42"]


def test_an_environment_that_lost_its_config_is_told(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.lost.yaml").symlink_to("Pulumi.gone.yaml")
    with pytest.raises(UserError, match="lost has lost its config") as raised:
        require_configured("lost", tmp_path)
    assert "Pulumi.gone.yaml" in raised.value.cause


def test_an_environment_that_does_not_exist_is_told(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").touch()
    with pytest.raises(UserError, match="There is no environment 'nope'") as raised:
        require_configured("nope", tmp_path)
    assert raised.value.exit_status == 64
    assert "there are: dev" in raised.value.cause
    assert "--name" in raised.value.remedy
