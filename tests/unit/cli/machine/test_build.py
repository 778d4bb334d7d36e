from collections.abc import Mapping
from unittest.mock import Mock, call

import pytest

from cli.machine.build import Counter, go_environment


@pytest.mark.parametrize(
    "base", [{}, {"GOFLAGS": "-mod=mod", "GOWORK": "/w/go.work", "CGO_ENABLED": "1", "GOTOOLCHAIN": "auto"}]
)
def test_go_builds_the_same_whatever_a_user_has_set(base: Mapping[str, str]) -> None:
    environment = go_environment({**base, "PATH": "/bin", "GOPROXY": "https://proxy.example"})
    assert environment == {
        "PATH": "/bin",
        "GOPROXY": "https://proxy.example",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
    }


def test_packages_are_counted_until_linking() -> None:
    shown = Mock()
    counter = Counter(shown, 2)
    for line in ("errors", "fmt"):
        counter.see(line)
    assert shown.update.mock_calls == [call(1, 2, "errors"), call(2, 2, "linking")]


def test_only_downloads_are_counted() -> None:
    shown = Mock()
    counter = Counter(shown, 0, prefix="go: downloading ")
    for line in ("go: downloading example.com/a v1.0.0", "example.com/a", ""):
        counter.see(line)
    assert shown.update.mock_calls == [call(1, 0, "example.com/a v1.0.0")]
