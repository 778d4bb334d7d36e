from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.machine.download import Downloader, DownloadError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        ("socks5://127.0.0.1:9", "https://127.0.0.1:9/file"),
        ("htp://127.0.0.1:9", "https://127.0.0.1:9/file"),
        ("http://[", "https://127.0.0.1:9/file"),
        ("", "https://[/file"),
        ("", "https://127.0.0.1:port/file"),
        ("", "https:///file"),
    ],
)
def test_a_proxy_or_an_address_that_cannot_be_used_is_a_failed_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, url: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "" if name.lower() == "no_proxy" else proxy)
    downloader = Downloader()
    with pytest.raises(DownloadError, match=r"/file can't be read: .+"):
        downloader.text(url)
    with pytest.raises(DownloadError, match=r"/file can't be read: .+"):
        downloader.file(url, tmp_path / "file", sha256="", report=lambda *_: None)
