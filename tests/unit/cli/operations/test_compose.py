from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from cli.operations import compose
from cli.pulumi.stack_state import CONTAINER, NETWORK, Resource, StackState
from tests.unit.cli.engine.test_diff import INPUTS

STATEFUL = {"type": "volume", "source": "postgres_test_data", "target": "/data"}
INSTALL = (
    "install -o 70 -g 71 -m 0400 /install/postgres/password /files/postgres/.new;"
    " mv -f /files/postgres/.new /files/postgres/password; rm -rf /install"
)


def _container(component: str, **changes: Any) -> Resource:  # noqa: ANN401 - whatever it has
    labels = [{"label": "dashtam.component", "value": component}]
    inputs = {**copy.deepcopy(INPUTS), "labels": labels, "destroyGraceSeconds": 30, **changes}
    return Resource(CONTAINER, component, component, inputs=inputs)


@pytest.fixture
def state() -> StackState:
    installer = {
        "command": [INSTALL],
        "mounts": [{"type": "volume", "source": "postgres-files", "target": "/files/postgres"}],
    }
    return StackState(
        [
            Resource("pulumi:pulumi:Stack", "s", "", outputs={"images": {"app": "dashtam/production:1"}}),
            Resource(NETWORK, "network", "n", inputs={"internal": True}),
            _container("files", **installer, uploads={"ciphertext": "v1:secret"}),
            _container("postgres", mounts=[STATEFUL], command=["postgres", "-c", "a=$x"]),
            _container("app", envs=["DATABASE_HOST=postgres", "DEBUG=true"]),
        ]
    )


def test_services_are_as_they_are_recorded(state: StackState) -> None:
    document = yaml.safe_load(compose.render("test", state))
    app, postgres = document["services"]["app"], document["services"]["postgres"]
    assert list(document["services"]) == ["postgres", "app"]
    assert app["image"] == "dashtam/production:1"
    assert app["environment"] == {"DATABASE_HOST": "postgres", "DEBUG": "true"}
    assert app["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert app["ports"] == ["127.0.0.1:8001:8000"]
    assert (app["mem_limit"], app["memswap_limit"], app["read_only"], app["user"]) == (
        *("768m", "768m"),
        *(True, "10001:10001"),
    )
    assert "depends_on" not in postgres
    assert postgres["healthcheck"]["start_period"] == "1m30s"
    assert document["networks"] == {"default": {"internal": True}}


def test_services_that_need_each_other_start_one_after_the_other(state: StackState) -> None:
    app = _container("app", envs=["DATABASE_HOST=postgres", "OAUTH_REDIRECT_URI=https://callback:8182"])
    callback = _container("callback", envs=["APP_URL=https://app:8000"])
    services = yaml.safe_load(compose.render("ci", StackState([*state.resources[:-1], app, callback])))["services"]
    needed = {name: list(one.get("depends_on", {})) for name, one in services.items()}
    assert needed == {"postgres": [], "app": ["postgres"], "callback": ["app"]}


def test_a_dollar_is_no_variable(state: StackState) -> None:
    assert yaml.safe_load(compose.render("test", state))["services"]["postgres"]["command"][-1] == "a=$$x"


def test_secrets_are_mounted_and_data_is_its_own(state: StackState) -> None:
    document = yaml.safe_load(compose.render("test", state))
    assert document["volumes"] == {"postgres_data": {}, "files": {"external": True}}
    assert document["services"]["postgres"]["volumes"][0]["source"] == "postgres_data"
    assert document["services"]["app"]["volumes"] == [
        {"type": "volume", "source": "files", "target": "/run/secrets", "read_only": True}
    ]


def test_it_says_how_to_fill_the_volumes_and_tells_no_secret(state: StackState) -> None:
    text = compose.render("test", state)
    assert "#   postgres-files (postgres, owner 70:71, mode 0400): password" in text
    assert "v1:secret" not in text
