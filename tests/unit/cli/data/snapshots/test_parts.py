from __future__ import annotations

from unittest.mock import Mock

import pytest

from cli.data.snapshots import parts
from cli.data.snapshots.parts import NothingToKeepError
from infra.naming import OWNER_LABEL, Naming
from infra.settings import load_document

NAMING = Naming("dev", "me")


def _parts(postgres: str, redis: str, *volumes: str, owner: str = "me") -> list[str]:
    config = load_document(
        "dev",
        {
            "dashtam:postgres": {"database": "d", "user": "u", "storage": postgres},
            "dashtam:redis": {"storage": redis, "persistence": "aof" if redis == "volume" else "none"},
            "dashtam:app": {"oauth_redirect_uri": "https://127.0.0.1:8182"},
            "dashtam:images": {"source": "debian"},
        },
    )
    client = Mock()
    client.api.containers.return_value = client.api.networks.return_value = []
    client.api.volumes.return_value = {"Volumes": [{"Name": one, "Labels": {OWNER_LABEL: owner}} for one in volumes]}
    return [one.volume for one in parts.parts(client, config, NAMING)]


BOTH = ["postgres_dev_data", "redis_dev_data"]


@pytest.mark.parametrize(
    ("postgres", "redis", "there", "found"),
    [
        ("volume", "volume", [], BOTH),
        ("volume", "tmpfs", [], BOTH[:1]),
        ("tmpfs", "tmpfs", BOTH, BOTH),
        ("tmpfs", "volume", BOTH, BOTH),
        ("volume", "tmpfs", BOTH, BOTH),
        ("tmpfs", "tmpfs", BOTH[:1], BOTH[:1]),
    ],
)
def test_what_is_there_counts_whatever_the_config_has_become(
    postgres: str, redis: str, there: list[str], found: list[str]
) -> None:
    assert _parts(postgres, redis, *there) == found


def test_another_clones_volume_is_no_part() -> None:
    with pytest.raises(NothingToKeepError):
        _parts("tmpfs", "tmpfs", *BOTH, owner="another")


def test_memory_keeps_nothing() -> None:
    with pytest.raises(NothingToKeepError, match="in memory"):
        _parts("tmpfs", "tmpfs")
