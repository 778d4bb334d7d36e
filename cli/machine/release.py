"""The official release of the Pulumi CLI."""

from __future__ import annotations

import os
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cli.core.atomic_files import scratch_folder
from cli.machine.download import Downloader, DownloadError
from cli.machine.toolchain import Versions, platform_name
from cli.ui.progress import meter

RELEASES_VARIABLE = "DASHTAM_PULUMI_RELEASES"
"""Names a mirror of the releases, with the layout of the official ones."""

_RELEASES = "https://github.com/pulumi/pulumi/releases/download"
_MEGABYTE = 10**6


@dataclass(frozen=True)
class Release:
    """One version's release for this platform."""

    version: str
    base: str = field(default_factory=lambda: os.environ.get(RELEASES_VARIABLE) or _RELEASES)
    downloader: Downloader = field(default_factory=Downloader)

    @property
    def archive(self) -> str:
        """The name of the archive."""
        return f"pulumi-v{self.version}-{platform_name()}.tar.gz"

    def install(self, versions: Versions) -> None:
        """Download, verify and unpack the release; its folder appears only once it is complete."""
        folder = f"{self.base.rstrip('/')}/v{self.version}"
        checksums = self.downloader.text(f"{folder}/pulumi-{self.version}-checksums.txt")
        archive = versions.release.parent / "downloads" / self.archive
        with meter(f"Downloading Pulumi {self.version}", unit="MB") as progress:
            self.downloader.file(
                f"{folder}/{self.archive}",
                archive,
                sha256=find_checksum(checksums, self.archive),
                report=lambda done, total: progress.update(done / _MEGABYTE, total / _MEGABYTE),
            )
        unpack(archive, versions.release / "bin")
        archive.unlink()


def find_checksum(checksums: str, name: str) -> str:
    """Return a file's SHA-256 in hexadecimal, from lines as `sha256sum` prints them."""
    for line in checksums.splitlines():
        digest, _, listed = line.partition(" ")
        if listed.strip().lstrip("*") == name and len(digest) == 64:  # noqa: PLR2004 - SHA-256 in hex
            return digest.lower()
    raise DownloadError(f"{name} is not among the published checksums.")


def unpack(archive: Path, target: Path) -> None:
    """Unpack the programs of a release, all or none; only plain files are taken, by their last name."""
    with scratch_folder(target.parent) as scratch:
        part = scratch / "bin"
        part.mkdir()
        try:
            with tarfile.open(archive, "r:gz") as tar:
                for member in tar:
                    _take(tar, member, part)
        except tarfile.TarError as error:
            raise DownloadError(f"{archive.name} is not a release of Pulumi: {error}.") from error
        if not (part / "pulumi").is_file():
            raise DownloadError(f"{archive.name} holds no pulumi.")
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = tar.extractfile(member) if member.isfile() else None
    if content is None:
        return
    path = target / PurePosixPath(member.name).name
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(0o755)
