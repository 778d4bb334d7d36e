from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments.configuration import (
    announce_skipped,
    configuration,
    configured_stacks,
    readable_stacks,
    require_configured,
    require_readable,
    skipped_files,
)


def test_configured_stacks(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.review-42.yaml", "Pulumi.dev.yaml.orig"):
        (tmp_path / name).touch()
    (tmp_path / "Pulumi.feature-x.yaml").symlink_to("Pulumi.dev.yaml")
    (tmp_path / "Pulumi.lost.yaml").symlink_to("Pulumi.gone.yaml")
    assert configured_stacks(tmp_path) == ["dev", "feature-x", "review-42"]


@pytest.mark.parametrize(
    "content", [b"config: {a:b: 1, a:b: 2}", b"config: [1]", b"config:\n\ta:b: 1", b"# caf\xe9", b"config: {b: 1}"]
)
def test_a_config_that_can_not_be_read_is_no_obstacle_to_others(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {dashtam:app: {port: wrong}}")
    (tmp_path / "Pulumi.test.yaml").write_bytes(content)
    assert readable_stacks(tmp_path) == ["dev"]
    for use in (partial(configuration, tmp_path, "test"), partial(require_readable, "test", tmp_path)):
        with pytest.raises(UserError, match=r"Pulumi\.test\.yaml is not valid") as raised:
            use()
        assert raised.value.cause.startswith("line ")
    require_readable("dev", tmp_path)


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


def test_files_that_no_environment_can_have_are_named_and_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Pulumi.dev.yaml", "Pulumi.dev copy.yaml", "Pulumi.My_X.yaml", "Pulumi..yaml"):
        (tmp_path / name).touch()
    (tmp_path / "Pulumi.folder.yaml").mkdir()
    assert configured_stacks(tmp_path) == ["dev"]
    assert skipped_files(tmp_path) == ["Pulumi..yaml", "Pulumi.My_X.yaml", "Pulumi.dev copy.yaml"]
    announce_skipped(tmp_path)
    assert "Pulumi.dev copy.yaml is skipped: an environment's name is part" in capsys.readouterr().err


def test_a_name_that_no_environment_can_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.My_X.yaml").touch()
    with pytest.raises(UserError, match="'My_X' can't be an environment's name") as raised:
        require_configured("My_X", tmp_path)
    assert raised.value.remedy == "Rename Pulumi.My_X.yaml."


def test_a_config_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_bytes(b"config:\n  # caf\xe9\n")
    with pytest.raises(UserError, match=r"Pulumi\.dev\.yaml is not valid") as raised:
        configuration(tmp_path, "dev")
    assert raised.value.cause.startswith("line 2: the byte 0xe9 is not UTF-8")
    assert raised.value.remedy == f"Edit {tmp_path}/Pulumi.dev.yaml."


SALT = "encryptionsalt: v1:abc=:v1:def:/ghi=="


@pytest.mark.parametrize(
    ("content", "is_below"),
    [
        (f"config:\n  a:b: 1\n{SALT}\n  c:d: 2\n", True),
        (f"config:\n  a:b: 1\n{SALT}\n\n# More.\n  c:d:\n    e: 2\n", True),
        (f"{SALT}\nconfig:\n  a:b: 1\n  a:b: 2\n", False),
        (f"config:\n  a:b: [1\n{SALT}\n", False),
    ],
)
def test_keys_below_the_salt_are_named_as_the_cause(tmp_path: Path, content: str, is_below: bool) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(UserError, match="is not valid") as raised:
        require_readable("dev", tmp_path)
    assert ("go above encryptionsalt" in raised.value.remedy) is is_below
