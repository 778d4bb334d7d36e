from __future__ import annotations

import errno
import os
import platform
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.core.errors import UserError
from cli.operations import clock_and_disk

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def _info(root: Path, time: str = "2026-05-04T03:02:01.128853831Z") -> dict[str, str]:
    return {"SystemTime": time, "DockerRootDir": str(root), "Name": platform.node()}


@pytest.mark.parametrize(
    "time",
    [
        "2026-05-04T03:02:01.128853831Z",
        "2026-05-04T03:02:01Z",
        "2026-05-04T05:02:01.5+02:00",
        "2026-05-03T23:02:01.000000001-04:00",
    ],
)
def test_all_is_well(tmp_path: Path, time: str) -> None:
    clock_and_disk.require_sound(_info(tmp_path, time), NOW)
    clock_and_disk.require_begun("dev", NOW - timedelta(days=1), NOW)
    clock_and_disk.require_begun("dev", None, NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (timedelta(seconds=61.4), "0:01:01"),
        (timedelta(days=-2), "2 days, 0:00:00"),
        (timedelta(days=2, seconds=-0.2), "2 days, 0:00:00"),
        (timedelta(hours=3, seconds=20), "3:00:00"),
    ],
)
def test_an_engine_whose_clock_is_another(tmp_path: Path, change: timedelta, words: str) -> None:
    with pytest.raises(UserError, match=f"engine's clock differs from this machine's by {words}") as raised:
        clock_and_disk.require_sound(_info(tmp_path), NOW + change)
    assert "Set the clock" in raised.value.remedy


def test_a_clock_that_is_behind_the_certificates_or_was_ahead_when_they_were_made() -> None:
    with pytest.raises(UserError, match=r"certificates of dev are not valid for another 1 day, 0:00:00") as raised:
        clock_and_disk.require_begun("dev", NOW + timedelta(days=1), NOW)
    assert "2026-05-05 03:02:01" in raised.value.cause
    assert "`./dashtam certs dev --renew`" in raised.value.remedy


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 << 20))
    with pytest.raises(UserError, match=f"The disk of {tmp_path}") as raised:
        clock_and_disk.require_sound(_info(tmp_path), NOW)
    assert "5.2 MB are free" in raised.value.cause
    assert "`./dashtam images clean`" in raised.value.remedy


def test_an_engine_elsewhere_has_a_disk_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    clock_and_disk.require_sound({**_info(tmp_path), "Name": "build-host"}, NOW)


def test_a_disk_that_is_not_seen_from_here_is_not_judged(tmp_path: Path) -> None:
    clock_and_disk.require_sound(_info(tmp_path / "another/root"), NOW)


@pytest.mark.parametrize(("free", "refused"), [(clock_and_disk.HOME_ROOM, False), (clock_and_disk.HOME_ROOM - 1, True)])
def test_a_full_disk_of_the_state_is_told_even_before_its_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, refused: bool
) -> None:
    asked: list[Path] = []

    def disk_usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    folder = tmp_path / "data/dashtam"
    if refused:
        with pytest.raises(UserError, match="where state and passphrases are kept, is full"):
            clock_and_disk.require_home(folder)
    else:
        clock_and_disk.require_home(folder)
    assert asked == [tmp_path]


def test_a_read_only_file_system_is_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        clock_and_disk.require_home(tmp_path / "data/dashtam")


def test_a_read_only_folder_is_found_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OSError, match=os.strerror(errno.EACCES)):
        clock_and_disk.require_writable(tmp_path)


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    clock_and_disk.require_writable(tmp_path / "new/DATA")
    assert (tmp_path / "new/DATA").stat().st_mode & 0o077 == 0
