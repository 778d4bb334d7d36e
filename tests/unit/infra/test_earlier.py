from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import earlier
from infra.earlier import EarlierError, Made
from infra.naming import SERVICES, Naming
from infra.settings import StackSettings, load_document

NAMING = Naming("dev", "me")
VOLUME = "docker:index/volume:Volume"
CONTAINER = "docker:index/container:Container"


def _config(postgres: str, redis: str) -> StackSettings:
    return load_document(
        "dev",
        {
            "dashtam:postgres": {"database": "d", "user": "u", "storage": postgres},
            "dashtam:redis": {"storage": redis, "persistence": "aof" if redis == "volume" else "none"},
            "dashtam:app": {"oauth_redirect_uri": "https://127.0.0.1:8182"},
        },
    )


def _volume(name: str, owner: str = "me") -> Made:
    return Made(VOLUME, name, Naming("dev", owner).labels("postgres"))


ALL = [
    *(_volume(NAMING.data_volume(one)) for one in earlier.KEEPERS),
    *(_volume(NAMING.files_volume(one)) for one in SERVICES),
    Made(CONTAINER, NAMING.container("postgres"), NAMING.labels("postgres")),
    Made("random:index/randomPassword:RandomPassword", ""),
]


@pytest.mark.parametrize(
    ("postgres", "redis", "lost"),
    [
        ("volume", "volume", ""),
        ("tmpfs", "volume", "in postgres_dev_data,"),
        ("volume", "tmpfs", "in redis_dev_data,"),
        ("tmpfs", "tmpfs", "in postgres_dev_data, redis_dev_data,"),
    ],
)
def test_every_volume_with_data_must_be_asked_for(postgres: str, redis: str, lost: str) -> None:
    if not lost:
        earlier.require_kept(ALL, NAMING, _config(postgres, redis))
        return
    with pytest.raises(EarlierError, match=lost) as raised:
        earlier.require_kept(ALL, NAMING, _config(postgres, redis))
    assert "Pulumi.dev.yaml" in raised.value.remedy
    assert "`./dashtam destroy dev`" in raised.value.remedy


def test_what_was_placed_elsewhere_is_kept_too() -> None:
    # As when the record of places was lost.
    with pytest.raises(EarlierError, match="postgres_dev-1a2b_data"):
        earlier.require_kept([_volume("postgres_dev-1a2b_data")], NAMING, _config("volume", "volume"))


@given(postgres=st.sampled_from(["volume", "tmpfs"]), redis=st.sampled_from(["volume", "tmpfs"]))
def test_nothing_made_is_nothing_lost(postgres: str, redis: str) -> None:
    earlier.require_kept([], NAMING, _config(postgres, redis))
    earlier.require_kept(ALL[2:], NAMING, _config(postgres, redis))


def test_ones_own_is_ones_own() -> None:
    earlier.require_own(ALL, NAMING)
    earlier.require_own([], NAMING)


@given(st.integers(0, len(ALL)))
def test_one_resource_of_another_clone_is_enough(place: int) -> None:
    theirs = [*ALL[:place], _volume("dashtam-dev-app-files", "another"), *ALL[place:]]
    with pytest.raises(EarlierError, match="another clone's") as raised:
        earlier.require_own(theirs, NAMING)
    assert "dashtam.owner=another" in raised.value.cause
    assert "--name NAME" in raised.value.remedy


def test_a_shell_that_is_no_clones_is_told_how_to_become_one() -> None:
    with pytest.raises(EarlierError) as raised:
        earlier.require_own(ALL, Naming("dev", earlier.UNCLAIMED))
    assert "./dashtam env" in raised.value.remedy


@pytest.mark.parametrize("labels", [None, "ciphertext", {}, []])
def test_labels_that_are_none_name_no_owner(labels: object) -> None:
    assert earlier.made(VOLUME, {"name": "v", "labels": labels}) == Made(VOLUME, "v")


def test_labels_are_read_as_the_state_has_them() -> None:
    pairs = [{"label": key, "value": value} for key, value in NAMING.labels("redis").items()]
    found = earlier.made(VOLUME, {"name": "redis_dev_data", "labels": pairs})
    assert (found.owner, found.name) == ("me", "redis_dev_data")
    assert earlier.data_volumes([found, *ALL[2:]]) == {"redis_dev_data"}
