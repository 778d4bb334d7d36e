"""Streams out of a running service's container, on a real engine."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from docker.errors import NotFound

from cli.engine import streams

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout

DATA = "/var/lib/postgresql/data"


@pytest.fixture
def postgres(checkout: Checkout) -> str:
    return f"dashtam-{checkout.stack}-postgres"


def test_an_archive_is_whole(client: docker.DockerClient, postgres: str) -> None:
    whole = b"".join(streams.archive(client, postgres, f"{DATA}/base"))
    assert len(whole) > streams.PIECE
    with tarfile.open(fileobj=io.BytesIO(whole)) as files:
        assert "base/1" in files.getnames()


def test_an_archive_that_is_closed_early_holds_nothing_up(client: docker.DockerClient, postgres: str) -> None:
    with closing(streams.archive(client, postgres, DATA)) as pieces:
        assert next(pieces)
    # While it hands on an archive, the engine does nothing else with the container.
    assert client.api.inspect_container(postgres)["State"]["Running"]


def test_what_is_not_there_is_told_as_such(client: docker.DockerClient, postgres: str) -> None:
    with pytest.raises(NotFound):
        streams.read_file(client, postgres, f"{DATA}/nothing")
    with pytest.raises(NotFound):
        next(streams.archive(client, f"{postgres}-nothing", DATA))
