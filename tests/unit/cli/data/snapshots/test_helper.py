from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.snapshots.helper import ROOT, Part, helper
from cli.engine.inventory import EngineView
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from infra.naming import Naming

NAMING = Naming("test", "me")
PART = Part("postgres", "postgres_test_data", "postgres:17", "70:70")


def _client(owner: str = "me") -> Mock:
    client = Mock()
    client.containers.get.return_value.labels = {"dashtam.owner": owner}
    client.containers.get.return_value.id = "id-helper"
    client.api.volumes.return_value = {"Volumes": [{"Name": PART.volume, "Labels": NAMING.labels("postgres")}]}
    return client


def _environment(client: Mock) -> EnvironmentHandle:
    return EnvironmentHandle("test", Clone("me", Path("/root"), Path("/home")), EngineView(client))


def test_it_can_do_nothing_but_its_part() -> None:
    client = _client()
    with helper(_environment(client), PART, beside=["secrets"]):
        settings = client.containers.create.call_args.kwargs
    assert settings["user"] == "70:70"
    assert settings["network_mode"] == "none"
    assert settings["cap_drop"] == ["ALL"]
    assert settings["cap_add"] == []
    assert settings["read_only"]
    assert settings["labels"] == NAMING.labels("snapshot-postgres")
    assert {(one["Source"], one["ReadOnly"]) for one in settings["mounts"]} == {
        ("postgres_test_data", True),
        ("secrets", True),
    }


@pytest.mark.parametrize(("memory", "limit"), [(64, "512m"), (1024, "1024m")])
def test_it_has_the_memory_of_the_service(memory: int, limit: str) -> None:
    client = _client()
    with helper(_environment(client), replace(PART, memory=memory)):
        settings = client.containers.create.call_args.kwargs
    assert (settings["mem_limit"], settings["memswap_limit"]) == (limit, limit)


def test_it_writes_where_it_must_only() -> None:
    client = _client()
    with helper(_environment(client), PART, writes=True, beside=["secrets"]):
        mounts = client.containers.create.call_args.kwargs["mounts"]
    assert [(one["Source"], one["ReadOnly"]) for one in mounts] == [("postgres_test_data", False), ("secrets", True)]


def test_as_root_it_reaches_the_files_of_others_and_no_more() -> None:
    client = _client()
    with helper(_environment(client), replace(PART, user=ROOT)):
        settings = client.containers.create.call_args.kwargs
    assert (settings["user"], settings["cap_drop"]) == ("0:0", ["ALL"])
    assert settings["cap_add"] == ["DAC_OVERRIDE", "FOWNER"]


def test_a_volume_that_is_missing_is_not_made() -> None:
    client = _client()
    client.api.volumes.return_value = {"Volumes": []}
    with pytest.raises(UserError, match="postgres_test_data of test is missing"), helper(_environment(client), PART):
        pass
    client.containers.create.assert_not_called()


def test_it_goes_whatever_happens() -> None:
    client = _client()
    with pytest.raises(RuntimeError), helper(_environment(client), PART):
        raise RuntimeError
    assert client.api.remove_container.call_count == 2
