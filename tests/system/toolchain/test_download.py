"""Downloads against a host that answers well, slowly, in pieces, wrongly, or not at all."""

import hashlib
import socket
from pathlib import Path

import pytest

from cli.machine.download import ChecksumError, Downloader, DownloadError, Limits
from tests.system.toolchain.release_host import ARCHIVE_PATH, CHECKSUMS_PATH, ReleaseHost

# Long before a host that is not given up would have sent all.
pytestmark = pytest.mark.timeout(30)

QUICK = Limits(connect=1.0, silence=1.0, window=0.5, speed=100_000)


def fetch(host: ReleaseHost, target: Path, *, sha256: str | None = None) -> list[tuple[int, int]]:
    reports: list[tuple[int, int]] = []
    Downloader(QUICK, host.context()).file(
        host.url + ARCHIVE_PATH,
        target,
        sha256=sha256 or hashlib.sha256(host.archive).hexdigest(),
        report=lambda done, total: reports.append((done, total)),
    )
    return reports


@pytest.mark.parametrize("moved", [False, True])
def test_a_whole_file(release_host: ReleaseHost, tmp_path: Path, moved: bool) -> None:
    release_host.moved = moved
    reports = fetch(release_host, tmp_path / "to" / "file")
    assert (tmp_path / "to" / "file").read_bytes() == release_host.archive
    assert reports[-1] == (len(release_host.archive), len(release_host.archive))


def test_a_broken_off_one_goes_on_where_it_ended(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.break_after = [600, 300]
    fetch(release_host, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == release_host.archive
    assert release_host.archive_requests == [None, "bytes=600-", "bytes=900-"]


def test_a_host_without_ranges_starts_again(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.break_after, release_host.ranges = [600], False
    fetch(release_host, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == release_host.archive


def test_one_that_always_breaks_off_is_given_up_but_kept(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.break_after = [100, 100, 100]
    with pytest.raises(DownloadError, match="can't be read"):
        fetch(release_host, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    fetch(release_host, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == release_host.archive
    assert release_host.archive_requests[-1] == "bytes=300-"


def test_a_complete_part_is_only_verified(release_host: ReleaseHost, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(release_host.archive)
    fetch(release_host, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == release_host.archive


def test_a_wrong_checksum_is_refused_and_deleted(release_host: ReleaseHost, tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match="doesn't have the published checksum"):
        fetch(release_host, tmp_path / "file", sha256="00" * 32)
    assert [path.name for path in tmp_path.iterdir() if path.name != "host"] == []


def test_a_slow_host_is_given_up(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.trickle = 0.01
    with pytest.raises(DownloadError, match="is downloaded at only"):
        fetch(release_host, tmp_path / "file")


def test_a_text_that_never_ends_is_given_up(release_host: ReleaseHost) -> None:
    release_host.trickle, release_host.checksums = 0.01, "x" * 10_000
    with pytest.raises(DownloadError, match="its download too slow"):
        Downloader(QUICK, release_host.context()).text(release_host.url + CHECKSUMS_PATH)


def test_a_silent_host_is_given_up(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.trickle = 60
    with pytest.raises(DownloadError, match="can't be read"):
        fetch(release_host, tmp_path / "file")


def test_a_missing_file_is_asked_for_once(release_host: ReleaseHost, tmp_path: Path) -> None:
    release_host.missing = True
    with pytest.raises(DownloadError, match="answers 404"):
        fetch(release_host, tmp_path / "file")
    assert len(release_host.requests) == 1


def test_an_untrusted_host_is_refused(release_host: ReleaseHost) -> None:
    with pytest.raises(DownloadError, match="certificate verify failed"):
        Downloader(QUICK).text(f"{release_host.url}/any")
    assert release_host.requests == []


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DownloadError, match="can't be read"):
            Downloader(QUICK).text(f"https://127.0.0.1:{free.getsockname()[1]}/any")


def test_a_host_that_never_answers_the_connection() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        with pytest.raises(DownloadError, match="can't be read"):
            Downloader(QUICK).text(f"https://127.0.0.1:{deaf.getsockname()[1]}/any")


def test_plain_http_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="only https://"):
        Downloader(QUICK).file("http://127.0.0.1/x", tmp_path / "x", sha256="", report=lambda *_: None)
