from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra import proxies

PROXY = "http://me:secret@proxy.example:3128"


def written(home: Path, content: object) -> dict[str, str]:
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return {"HOME": str(home)}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, {}),
        ({"HTTPS_PROXY": PROXY}, {"HTTPS_PROXY": PROXY}),
        ({"https_proxy": PROXY, "no_proxy": "a,b"}, {"HTTPS_PROXY": PROXY, "NO_PROXY": "a,b"}),
        ({"ALL_PROXY": PROXY}, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}),
        ({"NO_PROXY": "a"}, {}),
        ({"HTTPS_PROXY": "me:secret@proxy:3128"}, {"HTTPS_PROXY": "http://me:secret@proxy:3128"}),
        ({"HTTP_PROXY": "http://127.0.0.1:3128", "HTTPS_PROXY": "localhost:3128"}, {}),
        ({"HTTP_PROXY": "http://[::1]:3128", "HTTPS_PROXY": PROXY}, {"HTTPS_PROXY": PROXY}),
    ],
)
def test_builds_get_what_containers_reach_in_both_cases(environ: dict[str, str], found: dict[str, str]) -> None:
    expected = {spelled: value for name, value in found.items() for spelled in (name, name.lower())}
    assert proxies.for_containers(environ) == expected


def test_a_proxy_on_this_machine_alone_is_found() -> None:
    assert proxies.only_here({"https_proxy": "http://127.0.0.1:1", "HTTP_PROXY": PROXY}) == ["HTTPS_PROXY"]
    assert proxies.only_here({}) == []


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        *((one, True) for one in ("localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]")),
        *((one, False) for one in ("localhost-proxy.example", "127.example", "[::1f]", "10.0.0.1")),
    ],
)
def test_a_proxy_is_on_this_machine_alone_by_its_whole_host(host: str, is_here: bool) -> None:
    assert bool(proxies.only_here({"HTTP_PROXY": f"http://{host}:3128"})) == is_here


def test_dockers_own_config_comes_first(tmp_path: Path) -> None:
    environ = written(tmp_path, {"proxies": {"default": {"httpProxy": PROXY, "noProxy": "a"}}})
    found = proxies.for_containers({**environ, "HTTPS_PROXY": "http://another:1"})
    assert found == {"HTTP_PROXY": PROXY, "http_proxy": PROXY, "NO_PROXY": "a", "no_proxy": "a"}


def test_an_engine_may_have_its_own(tmp_path: Path) -> None:
    host = "tcp://engine:2376"
    settings = {host: {"httpsProxy": PROXY}, "default": {"httpsProxy": "http://default:1"}}
    environ = written(tmp_path, {"proxies": settings})
    assert proxies.for_containers({**environ, "DOCKER_HOST": host})["HTTPS_PROXY"] == PROXY
    assert proxies.for_containers(environ)["HTTPS_PROXY"] == "http://default:1"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", {"proxies": None}, {"proxies": []}, {"proxies": {"default": {}}}, {"proxies": {"default": "x"}}],
)
def test_a_config_without_proxies_leaves_it_to_the_shell(tmp_path: Path, content: object) -> None:
    assert proxies.for_containers({**written(tmp_path, content), "HTTP_PROXY": PROXY})["http_proxy"] == PROXY


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        ("https://bank.example/token", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://bank.example/token", {"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
        ("https://bank.example/token", {"HTTP_PROXY": PROXY}, ""),
        ("https://bank.example/token", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other,.example"}, ""),
        ("https://bank.example/token", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, ""),
        ("https://bank.example/token", {"ALL_PROXY": "socks5://proxy.example:1080"}, ""),
        ("", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://bank.example/token", {}, ""),
    ],
)
def test_the_service_reaches_providers_through_it(url: str, environ: dict[str, str], found: str) -> None:
    assert proxies.for_url(url, environ) == found
