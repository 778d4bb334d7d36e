import io
import tarfile
from pathlib import Path

import pytest

from cli.machine.download import DownloadError
from cli.machine.release import find_checksum, unpack

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    "line", [f"{DIGEST}  pulumi.tar.gz", f"{DIGEST} *pulumi.tar.gz", f"{DIGEST.upper()}  pulumi.tar.gz"]
)
def test_checksum_of_the_file(line: str) -> None:
    assert find_checksum(f"{'cd' * 32}  other.tar.gz\n{line}\n", "pulumi.tar.gz") == DIGEST


@pytest.mark.parametrize("listing", ["", "<html>", f"{DIGEST}  pulumi.tar.gz.sig", "abcd  pulumi.tar.gz"])
def test_no_checksum_no_trust(listing: str) -> None:
    with pytest.raises(DownloadError, match="not among the published checksums"):
        find_checksum(listing, "pulumi.tar.gz")


def make_archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_unpacked_programs_can_be_run(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", ("pulumi/pulumi", b"cli"), ("pulumi/pulumi-language-python", b"host"))
    unpack(archive, tmp_path / "bin")
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "bin").iterdir()} == {
        "pulumi": 0o755,
        "pulumi-language-python": 0o755,
    }


def test_a_path_that_leads_out_stays_in(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", ("pulumi/pulumi", b"cli"), ("../../evil", b"x"), ("/evil", b"y"))
    unpack(archive, tmp_path / "to" / "bin")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("evil")) == ["to/bin/evil"]


def test_links_are_not_taken(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "a.tar.gz", ("pulumi/pulumi", b"cli"))
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("pulumi/pulumi")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(DownloadError, match="holds no pulumi"):
        unpack(path, tmp_path / "bin")
    assert not (tmp_path / "bin").exists()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(DownloadError, match="not a release of Pulumi"):
        unpack(path, tmp_path / "bin")
    assert list(tmp_path.iterdir()) == [path]
