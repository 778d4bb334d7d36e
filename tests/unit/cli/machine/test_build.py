import os
from collections.abc import Mapping
from unittest.mock import Mock, call

import pytest

from cli.machine.build import counter, go_environment


@pytest.mark.parametrize(
    "base", [{}, {"GOFLAGS": "-mod=mod", "GOWORK": "/w/go.work", "CGO_ENABLED": "1", "GOTOOLCHAIN": "auto"}]
)
def test_go_builds_the_same_whatever_a_user_has_set(monkeypatch: pytest.MonkeyPatch, base: Mapping[str, str]) -> None:
    for name in ("GOFLAGS", "GOWORK", "CGO_ENABLED", "GOTOOLCHAIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**base, "GOPROXY": "https://proxy.example"}.items():
        monkeypatch.setenv(name, value)
    environment = go_environment()
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["PATH"] == os.environ["PATH"]
    assert {name: environment[name] for name in ("CGO_ENABLED", "GOTOOLCHAIN", "GOWORK", "GOFLAGS")} == {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
    }


@pytest.mark.parametrize("chosen", [{}, {"GOGC": "50"}, {"GOGC": "100", "GOMEMLIMIT": "500MiB"}])
def test_a_user_may_limit_the_memory_of_builds(monkeypatch: pytest.MonkeyPatch, chosen: Mapping[str, str]) -> None:
    for name in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    environment = go_environment()
    limits = {name: environment[name] for name in ("GOGC", "GOMEMLIMIT")}
    assert limits == {"GOGC": "off", "GOMEMLIMIT": "1GiB", **chosen}


def test_packages_are_counted_until_linking() -> None:
    shown = Mock()
    count = counter(shown, 2)
    for line in ("errors", "fmt"):
        count(line)
    assert shown.update.mock_calls == [call(1, 2, "errors"), call(2, 2, "linking")]


def test_only_downloads_are_counted() -> None:
    shown = Mock()
    count = counter(shown, 0, prefix="go: downloading ")
    for line in ("go: downloading example.com/a v1.0.0", "example.com/a", ""):
        count(line)
    assert shown.update.mock_calls == [call(1, 0, "example.com/a v1.0.0")]
