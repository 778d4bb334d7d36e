from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import guards
from infra import state as states
from infra.catalogue import ROOT
from infra.config.settings import StackSettings, load_document
from infra.engine import EngineObject, Inventory
from infra.guards import RefusedError, Wanted
from infra.naming import SERVICES, WITH_DATA, Naming
from infra.state import State, StateResource

NAMING = Naming("dev", "me")
VOLUME = "docker:index/volume:Volume"
CONTAINER = "docker:index/container:Container"
KEY = "random:index/randomBytes:RandomBytes"
HERE = Inventory("here")
POSTGRES = {"database": "d", "user": "u"}


def _config(postgres: str = "volume", redis: str = "volume", /, **sections: dict[str, Any]) -> StackSettings:
    return load_document(
        "dev",
        {
            "dashtam:postgres": {**POSTGRES, "storage": postgres},
            "dashtam:redis": {"storage": redis, "persistence": "aof" if redis == "volume" else "none"},
            "dashtam:app": {"oauth_redirect_uri": "https://127.0.0.1:8182"},
            **{f"dashtam:{name}": section for name, section in sections.items()},
        },
    )


def _wanted(*storages: str, naming: Naming = NAMING, **sections: dict[str, Any]) -> Wanted:
    return Wanted(naming, _config(*storages, **sections))


def _volume(name: str, owner: str = "me", stack: str = "dev") -> StateResource:
    return StateResource(VOLUME, name, Naming(stack, owner).labels("postgres"))


ALL = State(
    [
        *(_volume(NAMING.data_volume(one)) for one in WITH_DATA),
        *(_volume(NAMING.files_volume(one)) for one in SERVICES),
        StateResource(CONTAINER, NAMING.container("postgres"), NAMING.labels("postgres")),
        StateResource("random:index/randomPassword:RandomPassword", "", resource="postgres-password"),
        StateResource(KEY, "", resource="token-k1-key"),
        StateResource(KEY, "", resource="session-key"),
    ],
    {"engine": "here", "database": {"name": "d", "user": "u"}, "images": {"postgres": "postgres:17.6-alpine3.22"}},
)
FORGETFUL = State(ALL.resources[2:], ALL.outputs)
THEIRS = EngineObject("volume", NAMING.data_volume("postgres"), Naming("dev", "another").labels("postgres"))


QUERIES = guards.EngineQueries(set, lambda _: "", lambda: True)
"""What an engine shows on which nothing stands in the way of an update."""


def test_podman_is_refused_with_the_reason() -> None:
    with pytest.raises(guards.RefusedError, match=r"dev can't run on Podman; nothing was changed\..*tmpfs with uid"):
        guards.require(State(), Inventory("", is_podman=True), _wanted(), QUERIES)


def test_an_update_of_what_is_ones_own_is_not_refused() -> None:
    held = tuple(EngineObject("volume", one.name, one.labels) for one in ALL.resources if one.name)
    guards.require(ALL, Inventory("here", held), _wanted(), QUERIES)
    guards.require(State(), Inventory("here"), _wanted(), QUERIES)


@pytest.mark.parametrize("lost", ["postgres-password", "session-key", "token-k1-key", "everything"])
def test_other_secrets_than_a_database_was_made_with_are_refused(lost: str) -> None:
    held = Inventory("here", tuple(EngineObject("volume", one.name, one.labels) for one in ALL.resources if one.name))
    state = (
        State() if lost == "everything" else State([one for one in ALL.resources if one.resource != lost], ALL.outputs)
    )
    with pytest.raises(RefusedError, match="lacks the password and the keys of the data of dev") as raised:
        guards.require(state, held, _wanted(), QUERIES)
    assert "`./dashtam snapshot restore dev NAME`" in raised.value.remedy
    # A killed first update leaves a volume that no database was made in.
    guards.require(state, held, _wanted(), replace(QUERIES, has_database=lambda: False))
    guards.require(state, Inventory("here"), _wanted(), QUERIES)


@pytest.mark.parametrize(
    ("postgres", "redis", "lost"),
    [
        ("tmpfs", "volume", "in postgres_dev_data,"),
        ("volume", "tmpfs", "in redis_dev_data,"),
        ("tmpfs", "tmpfs", "in postgres_dev_data, redis_dev_data,"),
    ],
)
def test_every_volume_with_data_must_be_asked_for(postgres: str, redis: str, lost: str) -> None:
    with pytest.raises(RefusedError, match=lost) as raised:
        guards.require_data(ALL, _wanted(postgres, redis))
    assert "Pulumi.dev.yaml" in raised.value.remedy
    assert "`./dashtam destroy dev`" in raised.value.remedy


def test_what_was_placed_elsewhere_is_kept_too() -> None:
    # As when the record of places was lost.
    with pytest.raises(RefusedError, match="postgres_dev-1a2b_data"):
        guards.require_data(State([_volume("postgres_dev-1a2b_data")]), _wanted())


def test_a_renamed_stack_keeps_its_data_and_is_renamed_back() -> None:
    renamed = Naming("new", "me")
    with pytest.raises(RefusedError, match="under the name that its stack had before") as raised:
        guards.require_data(ALL, _wanted(naming=renamed))
    assert '`eval "$(./dashtam env)"; pulumi stack rename dev --stack new`' in raised.value.remedy


@given(postgres=st.sampled_from(["volume", "tmpfs"]), redis=st.sampled_from(["volume", "tmpfs"]))
def test_nothing_made_is_nothing_lost(postgres: str, redis: str) -> None:
    guards.require_data(State(), _wanted(postgres, redis))
    guards.require_data(FORGETFUL, _wanted(postgres, redis))


@given(st.integers(0, len(ALL.resources)))
def test_one_resource_of_another_clone_is_enough(place: int) -> None:
    theirs = [*ALL.resources[:place], _volume("dashtam-dev-app-files", "another"), *ALL.resources[place:]]
    with pytest.raises(RefusedError, match="another clone's") as raised:
        guards.require_own(State(theirs), NAMING)
    assert "dashtam.owner=another" in raised.value.cause
    assert "--name NAME" in raised.value.remedy


def test_a_shell_that_is_no_clones_is_told_how_to_become_one() -> None:
    with pytest.raises(RefusedError) as raised:
        guards.require_own(ALL, Naming("dev", guards.UNCLAIMED))
    assert "./dashtam env" in raised.value.remedy


@pytest.mark.parametrize(
    ("clone", "identity", "refused"),
    [("a", "a", False), ("", "a", False), ("a", "", True), ("", "", False), ("a", "b", True)],
)
def test_a_shell_that_was_set_up_for_another_clone(clone: str, identity: str, refused: bool) -> None:
    if not refused:
        guards.require_shell(clone, identity)
        return
    with pytest.raises(RefusedError, match="set up for another clone"):
        guards.require_shell(clone, identity)


@given(name=st.sampled_from(sorted(NAMING.names)), kind=st.sampled_from(["container", "network", "volume"]))
def test_every_name_that_another_has_is_refused(name: str, kind: str) -> None:
    for labels in ({}, {"other": "label"}, Naming("dev", "another").labels("app"), Naming("dev", "").labels("app")):
        with pytest.raises(RefusedError, match="nothing was changed") as raised:
            guards.require_free(State(), Inventory("here", (EngineObject(kind, name, labels),)), NAMING)
        assert name in str(raised.value)
    guards.require_free(State(), Inventory("here", (EngineObject(kind, name, NAMING.labels("app")),)), NAMING)
    guards.require_free(State(), Inventory("here", (EngineObject(kind, f"{name}x", {}),)), NAMING)


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("container", "docker rm -f"),
        ("network", "docker network rm"),
        ("volume", "docker volume rm"),
        ("service", "docker service rm"),
    ],
)
def test_what_a_stranger_made_is_refused_with_the_command_that_removes_it(kind: str, command: str) -> None:
    held = EngineObject(kind, NAMING.container("app"))
    with pytest.raises(RefusedError, match="it lacks its labels") as raised:
        guards.require_free(State(), Inventory("here", (held,)), NAMING)
    assert f"`{command} {held.name}`" in raised.value.remedy
    # Networks and volumes can't be given another name.
    assert "ename" not in raised.value.remedy


def test_a_volume_of_a_former_name_that_another_has_is_refused() -> None:
    former = Naming("before", "me")
    state = State([_volume(former.files_volume("app"), stack="before")])
    held = EngineObject("volume", former.files_volume("app"), former.labels("app"))
    guards.require_free(state, Inventory("here", (held,)), NAMING)
    for labels in ({}, Naming("before", "another").labels("app")):
        with pytest.raises(RefusedError, match="dashtam-before-app-files"):
            guards.require_free(state, Inventory("here", (replace(held, labels=labels),)), NAMING)


def test_a_shell_that_was_not_set_up_takes_over_only_what_its_state_has() -> None:
    plain = Naming("dev", guards.UNCLAIMED)
    held = EngineObject("volume", plain.data_volume("postgres"), plain.labels("postgres"))
    guards.require_free(State([StateResource(VOLUME, held.name, held.labels)]), Inventory("here", (held,)), plain)
    with pytest.raises(RefusedError, match="another clone's"):
        guards.require_free(State(), Inventory("here", (held,)), plain)


@pytest.mark.parametrize(
    ("known", "now", "held", "refused"),
    [
        ("here", "here", (), False),
        ("there", "here", (), True),
        (None, "here", (), False),
        ("there", "", (), False),
        # Installed again, over the same data.
        ("there", "here", (EngineObject("volume", "postgres_dev_data", NAMING.labels("postgres")),), False),
        ("there", "here", (EngineObject("volume", "other"),), True),
    ],
)
def test_another_engine(known: str | None, now: str, held: tuple[EngineObject, ...], refused: bool) -> None:
    state = State(ALL.resources, {"engine": known})
    if not refused:
        guards.require_engine(state, Inventory(now, held), "dev")
        return
    with pytest.raises(RefusedError, match="dev is on another Docker engine") as raised:
        guards.require_engine(state, Inventory(now, held), "dev")
    assert "there" in raised.value.cause
    assert "`./dashtam destroy dev --engine-lost`" in raised.value.remedy


@pytest.mark.parametrize(
    ("sections", "changed"),
    [
        ({"postgres": {**POSTGRES, "storage": "volume", "database": "e"}}, ["database d (now e)"]),
        ({"postgres": {**POSTGRES, "storage": "volume", "user": "v"}}, ["user u (now v)"]),
        ({"images": {"postgres": "postgres:18.1"}}, ["major version 17 (now 18)"]),
        (
            {"images": {"postgres": "postgres:16.1"}, "postgres": {"database": "e", "user": "v", "storage": "volume"}},
            ["database d (now e)", "user u (now v)", "major version 17 (now 16)"],
        ),
    ],
)
def test_what_the_data_was_not_made_with(sections: dict[str, Any], changed: Sequence[str]) -> None:
    with pytest.raises(RefusedError) as raised:
        guards.require_database(ALL, _wanted(**sections))
    assert ", ".join(changed) in raised.value.cause
    guards.require_database(FORGETFUL, _wanted(**sections))


@pytest.mark.parametrize(
    "images", [{}, {"postgres": "postgres:17.9-bookworm"}, {"postgres": f"mirror.example:5000/pg@sha256:{'0' * 64}"}]
)
def test_another_image_of_the_same_or_an_unknown_major_version(images: dict[str, str]) -> None:
    guards.require_database(ALL, _wanted(images=images))


@pytest.mark.parametrize(
    ("reference", "major"),
    [
        ("postgres:17.6-alpine3.22", "17"),
        ("postgres:17", "17"),
        ("postgres:17-alpine@sha256:00", "17"),
        ("mirror:5000/library/postgres:16.4", "16"),
        ("mirror:5000/postgres", ""),
        ("dashtam-debian/postgres:0123456789ab", "17"),
        ("postgres:latest", ""),
    ],
)
def test_the_major_version_of_an_image(reference: str, major: str) -> None:
    assert guards.major(reference) == major


REMOVED, MISSING = "no longer has the key k1", "Pulumi's state lacks the key k2"


@pytest.mark.parametrize(
    ("state", "keys", "rows", "refusal"),
    [
        (ALL, ["k1"], {"k1"}, ""),
        (ALL, ["k1", "k2"], {"k1"}, ""),
        (ALL, ["k1", "k2"], None, ""),
        (ALL, ["k2"], {"k1"}, REMOVED),
        (ALL, ["k2"], {"k1", "k2"}, REMOVED),
        (ALL, ["k2"], set(), ""),
        (ALL, ["k2"], None, REMOVED),
        (ALL, ["k2"], {"k2"}, MISSING),
        (ALL, ["k1", "k2"], {"k1", "k2"}, MISSING),
        # Nothing outlasts the containers.
        (FORGETFUL, ["k2"], None, ""),
        (FORGETFUL, ["k2"], {"k1"}, REMOVED),
    ],
)
def test_a_key_that_rows_need(state: State, keys: list[str], rows: set[str] | None, refusal: str) -> None:
    wanted = _wanted(tokens={"keys": keys})
    if not refusal:
        guards.require_keys(state, wanted, lambda: rows)
        return
    with pytest.raises(RefusedError, match=refusal) as raised:
        guards.require_keys(state, wanted, lambda: rows)
    if refusal == REMOVED:
        assert "`keys: [k1, k2]`" in raised.value.remedy
        assert "`./dashtam keys rotate dev`" in raised.value.remedy
    else:
        assert "stack rename" not in raised.value.remedy, "this stack has resources: none can be renamed to it"


@pytest.mark.parametrize("labels", [None, "ciphertext", {}, []])
def test_labels_that_are_none_name_no_owner(labels: object) -> None:
    found = states.of([(VOLUME, "v", {"name": "v", "labels": labels})])
    assert found.resources == [StateResource(VOLUME, "v", resource="v")]


def test_a_state_is_read_as_pulumi_has_it() -> None:
    pairs = [{"label": key, "value": value} for key, value in NAMING.labels("redis").items()]
    found = states.of(
        [
            ("pulumi:pulumi:Stack", "dashtam-dev", {"engine": "here"}),
            (VOLUME, "redis_dev_data", {"name": "redis_dev_data", "labels": pairs}),
            (VOLUME, "dashtam-dev-app-files", {"name": "dashtam-dev-app-files", "labels": pairs}),
            (KEY, "token-2026-key", {}),
            (KEY, "session-key", {}),
        ]
    )
    assert found.outputs == {"engine": "here"}
    assert found.resources[0].owner == "me"
    assert found.data_volumes == {"redis_dev_data"}
    assert found.token_keys == {"2026"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "the app"
    (folder / "core").mkdir(parents=True)
    (folder / "core" / "main.py").touch()
    for path, mode in ((folder, 0o755), (folder / "core", 0o755), (folder / "core/main.py", 0o644)):
        path.chmod(mode)
    return folder


DEVELOPMENT = _wanted(app={"oauth_redirect_uri": "https://127.0.0.1:8182", "build": "development"})


def test_a_source_that_the_engine_lacks_is_refused_where_it_is_mounted() -> None:
    asked: list[Path] = []

    def lacks(folder: Path) -> str:
        asked.append(folder)
        return "bind source path does not exist"

    with pytest.raises(RefusedError) as raised:
        guards.require(State(), Inventory("there"), DEVELOPMENT, replace(QUERIES, not_mountable=lacks))
    assert raised.value.message == (
        f"The Docker engine can't mount {ROOT}/app, which the app of dev runs from; nothing was changed."
    )
    assert "bind source path does not exist" in raised.value.cause
    assert "`./dashtam up dev postgres redis`" in raised.value.remedy
    guards.require(
        State(),
        Inventory("there"),
        replace(DEVELOPMENT, running=("postgres", "redis")),
        replace(QUERIES, not_mountable=lacks),
    )
    guards.require(State(), Inventory("there"), _wanted(), replace(QUERIES, not_mountable=lacks))
    assert asked == [ROOT / "app"]


def test_what_editors_and_python_leave_beside_the_source_is_no_obstacle(source: Path) -> None:
    (source / ".#main.py").symlink_to("me@host.1:1")
    (source / ".main.py.swp").touch(mode=0o600)
    (source / "#main.py#").touch(mode=0o600)
    (source / "core/__pycache__").mkdir(mode=0o700)
    (source / "core/__pycache__/main.pyc").touch(mode=0o600)
    (source / "gone.py").symlink_to("nowhere.py")
    guards.require_readable_source(DEVELOPMENT, source)


@pytest.mark.parametrize(("hidden", "mode"), [("", 0o750), ("core", 0o744), ("core/main.py", 0o600)])
def test_a_mounted_source_that_the_service_cannot_read_is_refused(source: Path, hidden: str, mode: int) -> None:
    guards.require_readable_source(DEVELOPMENT, source)
    (source / hidden).chmod(mode)
    with pytest.raises(RefusedError) as raised:
        guards.require_readable_source(DEVELOPMENT, source)
    assert f"Its mode is {mode:04o}" in raised.value.cause
    assert raised.value.remedy == f"chmod -R a+rX '{source}'"
    guards.require_readable_source(_wanted(), source)
    subprocess.run(["sh", "-c", raised.value.remedy], check=True)
    guards.require_readable_source(DEVELOPMENT, source)


def test_an_update_is_refused_where_the_source_cannot_be_read(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards.require_readable_source, "__defaults__", (source,))
    guards.require(State(), HERE, DEVELOPMENT, QUERIES)
    (source / "core").chmod(0o700)
    with pytest.raises(RefusedError, match="can't be read by the service of dev"):
        guards.require(State(), HERE, DEVELOPMENT, QUERIES)


LOST_KEY = _wanted(tokens={"keys": ["k2"]})


@pytest.mark.parametrize(
    ("state", "inventory", "wanted", "message"),
    [
        (State(), Inventory("", is_podman=True), _wanted(), "can't run on Podman"),
        (State([_volume("postgres_dev_data", "another")]), HERE, _wanted(), "another clone's"),
        (ALL, Inventory("there"), _wanted(), "on another Docker engine"),
        (ALL, Inventory("there", (THEIRS,)), _wanted(), "on another Docker engine"),
        (ALL, HERE, _wanted("tmpfs"), "no longer asks for"),
        (State(), Inventory("here", (EngineObject("network", NAMING.network),)), _wanted(), NAMING.network),
        (ALL, HERE, _wanted(images={"postgres": "postgres:18.1"}), "made with another major version"),
        (ALL, HERE, LOST_KEY, "no longer has the key k1"),
    ],
)
def test_an_update_is_held_to_each_rule(state: State, inventory: Inventory, wanted: Wanted, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        guards.require(state, inventory, wanted, replace(QUERIES, keys_in_use=lambda: {"k1"}))


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_the_encryption_of_a_network_is_not_changed_in_silence(made: bool, asked: bool) -> None:
    options = frozenset({"com.docker.network.driver.overlay.vxlanid_list", *(["encrypted"] if made else [])})
    network = StateResource("docker:index/network:Network", NAMING.network, options=options)
    nodes = {"node1": "unix:///none"}
    target = {"kind": "swarm", "expose": True, "data_node": "node1", "nodes": nodes, "encrypted": asked}
    wanted = _wanted(target=target, network={"bind_address": "0.0.0.0", "hostname": "staging.example"})
    guards.require_network(State(), wanted)  # none is made
    if made == asked:
        guards.require_network(State([network]), wanted)
        return
    with pytest.raises(RefusedError, match=f"was made with encrypted: {str(made).lower()}"):
        guards.require_network(State([network]), wanted)


def test_the_network_of_an_engine_is_never_encrypted() -> None:
    guards.require_network(State([StateResource("docker:index/network:Network", NAMING.network)]), _wanted())
