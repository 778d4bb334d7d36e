from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import identity
from infra.naming import Naming
from tests.infra.engine_double import EngineDouble
from tests.infra.recording import OWNER

Refuse = Callable[..., list[str]]


def test_a_wrong_value_is_one_message(refuse: Refuse) -> None:
    config = {"dashtam:redis": json.dumps({"prot": 6380}), "dashtam:callback": json.dumps({"port": 0})}
    (message,) = refuse("test", config)
    assert message.splitlines() == [
        "Pulumi.test.yaml is not valid:",
        "  dashtam:redis.prot is not a known key. Did you mean port?",
        "  dashtam:callback.port = 0: input should be greater than or equal to 1; write a number from 1 on.",
    ]


def test_credentials_that_are_not_there_are_one_message(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("client\n")
    files = {"client_id_file": f"{tmp_path}/id", "client_secret_file": f"{tmp_path}/secret"}
    config = {"dashtam:providers": json.dumps({"schwab": {"preset": "schwab", **files}})}
    (message,) = refuse("test", config)
    assert message.splitlines() == [
        "Pulumi.test.yaml is not valid:",
        (
            f'  dashtam:providers.schwab.client_secret_file = "{tmp_path}/secret": no such file or directory;'
            " put the client secret that the provider gave you there, and nothing else."
        ),
    ]


def test_an_engine_that_does_not_answer_is_one_message(refuse: Refuse, tmp_path: Path) -> None:
    (message,) = refuse("test", DOCKER_HOST=f"unix://{tmp_path}/none")
    assert message.startswith(f"No Docker engine answers at unix://{tmp_path}/none: ")


def test_a_source_of_images_that_does_not_exist_is_one_message(refuse: Refuse) -> None:
    assert refuse("test", DASHTAM_IMAGE_SOURCE="quay") == [
        "DASHTAM_IMAGE_SOURCE=quay is not a source of images: set it to registry or debian.",
    ]


@pytest.mark.parametrize("stack", ["Not_A_Host", "x" * 41])
def test_a_stack_that_names_nothing_valid_is_one_message(refuse: Refuse, stack: str) -> None:
    (message,) = refuse(stack)
    assert message.startswith(f"the stack name '{stack}' can't be part of container and host names: ")


def _volume(name: str, owner: str) -> dict[str, object]:
    labels = [{"label": key, "value": value} for key, value in Naming("test", owner).labels("postgres").items()]
    return {f"urn:{name}": {"type": "docker:index/volume:Volume", "outputs": {"name": name, "labels": labels}}}


def test_data_that_the_config_no_longer_asks_for_is_one_message(refuse: Refuse) -> None:
    (message,) = refuse("test", earlier=_volume("postgres_test_data", OWNER))
    assert message.startswith("test keeps data in postgres_test_data, which its config no longer asks for; nothing ")
    assert "`./dashtam destroy test`" in message


def test_a_stack_that_another_clone_made_is_one_message(refuse: Refuse) -> None:
    (message,) = refuse("test", earlier=_volume("dashtam-test-app-files", "another"))
    assert message.startswith("test is another clone's here; nothing was changed.")
    assert "dashtam.owner=another" in message


def test_a_shell_that_was_not_set_up_takes_nothing_over(refuse: Refuse) -> None:
    (message,) = refuse("test", earlier=_volume("dashtam-test-app-files", OWNER), DASHTAM_CLONE="")
    assert 'Run `eval "$(./dashtam env)"` first' in message


def test_a_shell_of_another_clone_is_one_message(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "read", lambda _: "this-one")
    (message,) = refuse("test", DASHTAM_CLONE="another")
    assert message == (
        "This shell is set up for another clone; nothing was changed. DASHTAM_CLONE is another, and this checkout is"
        ' this-one. Run `eval "$(./dashtam env)"` in this checkout.'
    )


@pytest.mark.parametrize("kind", ["container", "network", "volume"])
@pytest.mark.parametrize("owner", ["another", ""])
@pytest.mark.parametrize("clone", [OWNER, ""])
def test_what_the_engine_has_of_others_is_one_message(
    refuse: Refuse, engine: EngineDouble, kind: str, owner: str, clone: str
) -> None:
    """Also in a shell that wasn't set up for a clone."""
    name = {"container": "dashtam-test-app", "network": "dashtam-test-network", "volume": "postgres_test_data"}[kind]
    engine.put(kind, name, Naming("test", owner).labels(kind) if owner else None)
    (message,) = refuse("test", DASHTAM_CLONE=clone)
    assert name in message
    assert "nothing was changed" in message
    assert ("is labelled dashtam.owner=another" if owner else f"This project didn't make that {kind}") in message


def test_another_engine_is_one_message(refuse: Refuse, engine: EngineDouble) -> None:
    engine.id = "new"
    stack = {"urn:stack": {"type": "pulumi:pulumi:Stack", "outputs": {"engine": "old"}}}
    (message,) = refuse("test", earlier={**_volume("dashtam-test-app-files", OWNER), **stack})
    assert message.startswith("test is on another Docker engine; nothing was changed.")
    assert "the ID old" in message


def test_a_state_that_lacks_the_secrets_of_the_data_is_one_message(refuse: Refuse, engine: EngineDouble) -> None:
    """As in another backend, or after the stack was renamed."""
    engine.put("volume", "postgres_test_data", Naming("test", OWNER).labels("postgres"))
    config = {"dashtam:postgres": json.dumps({"database": "d", "user": "u", "storage": "volume"})}
    (message,) = refuse("test", config)
    assert message.startswith("Pulumi's state lacks the password and the keys of the data of test; nothing was changed")


@pytest.mark.parametrize("lost", ["postgres-password", "session-key", "token-k1-key"])
def test_one_lost_secret_of_data_that_the_state_has_is_one_message(
    refuse: Refuse, engine: EngineDouble, lost: str
) -> None:
    """As after `pulumi state delete --force`."""
    engine.put("volume", "postgres_test_data", Naming("test", OWNER).labels("postgres"))
    kinds = {"postgres-password": "randomPassword:RandomPassword"}
    secrets = {
        f"urn:x::{name}": {"type": f"random:index/{kinds.get(name, 'randomBytes:RandomBytes')}", "outputs": {}}
        for name in ("postgres-password", "session-key", "token-k1-key")
        if name != lost
    }
    config = {"dashtam:postgres": json.dumps({"database": "d", "user": "u", "storage": "volume"})}
    (message,) = refuse("test", config, earlier={**_volume("postgres_test_data", OWNER), **secrets})
    assert message.startswith("Pulumi's state lacks the password and the keys of the data of test; nothing was changed")


def test_a_key_that_would_go_while_the_database_is_down_is_one_message(refuse: Refuse) -> None:
    config = {
        "dashtam:postgres": json.dumps({"database": "d", "user": "u", "storage": "volume"}),
        "dashtam:tokens": json.dumps({"keys": ["k2"]}),
    }
    key = {"urn:x::token-k1-key": {"type": "random:index/randomBytes:RandomBytes", "outputs": {}}}
    (message,) = refuse("test", config, earlier={**_volume("postgres_test_data", OWNER), **key})
    assert message.startswith("dashtam:tokens no longer has the key k1, which stored tokens of test need; nothing was")
    assert "Set `keys: [k1, k2]` in Pulumi.test.yaml" in message


@pytest.mark.parametrize(
    ("config", "changed"),
    [
        ({"dashtam:postgres": {"database": "e", "user": "u", "storage": "volume"}}, "database"),
        ({"dashtam:postgres": {"database": "d", "user": "v", "storage": "volume"}}, "user"),
        ({"dashtam:images": {"postgres": "postgres:99.1"}}, "major version"),
    ],
)
def test_what_the_database_was_not_made_with_is_one_message(
    refuse: Refuse, config: dict[str, object], changed: str
) -> None:
    asked = {"dashtam:postgres": {"database": "d", "user": "u", "storage": "volume"}, **config}
    made = {"database": {"name": "d", "user": "u"}, "images": {"postgres": "postgres:17.6"}}
    stack = {"urn:stack": {"type": "pulumi:pulumi:Stack", "outputs": made}}
    given = {key: json.dumps(value) for key, value in asked.items()}
    (message,) = refuse("test", given, earlier={**_volume("postgres_test_data", OWNER), **stack})
    assert message.startswith(f"The data of test was made with another {changed}; nothing was changed.")
