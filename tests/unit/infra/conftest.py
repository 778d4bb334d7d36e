from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from infra.config import settings
from infra.config.errors import ConfigError

Change = Mapping[str, Any]
Load = Callable[[Change], settings.StackSettings]
Refused = Callable[[Change], list[str]]

COMPLETE: dict[str, dict[str, Any]] = {
    "postgres": {"database": "dashtam_test", "user": "dashtam_test_user", "storage": "tmpfs"},
    "redis": {"storage": "tmpfs", "persistence": "none"},
    "app": {"oauth_redirect_uri": "https://127.0.0.1:8182"},
}
"""A valid config with little more than what has no default."""


def changed(change: Change) -> dict[str, str]:
    """Return the config as Pulumi hands it over, with changes by dotted name; None removes a key."""
    document: dict[str, Any] = json.loads(json.dumps(COMPLETE))
    for name, value in change.items():
        *sections, key = name.split(".")
        target = document
        for section in sections:
            target = target.setdefault(section, {})
        if value is None:
            del target[key]
        else:
            target[key] = value
    return {f"dashtam:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}


@pytest.fixture
def load() -> Load:
    """Load a config that differs from a valid one in some values."""
    return lambda change: settings.load("review-42", changed(change))


@pytest.fixture
def refused() -> Refused:
    """Load a config that differs from a valid one in some values, and return the problems it is refused for."""

    def problems(change: Change) -> list[str]:
        with pytest.raises(ConfigError) as error:
            settings.load("review-42", changed(change))
        heading, *lines = str(error.value).split("\n  ")
        assert heading == "Pulumi.review-42.yaml is not valid:"
        return lines

    return problems
