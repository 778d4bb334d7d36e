# ruff: noqa: ANN401 - the engine here is a fake one
from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException

from cli.core.errors import UserError
from cli.core.paths import data_home
from cli.images import debian, rootfs, source
from infra.catalogue import BASES, SOURCE_VARIABLE, ImageSource


def recorded() -> Any:
    return json.loads((data_home() / "machine.json").read_text())["engines"]["engine-one"].get("image_source")


@pytest.fixture(autouse=True)
def able_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "obstacle", lambda: None)


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ("sha256:x", ImageSource.REGISTRY, "answers"),
        (requests.ReadTimeout(), ImageSource.DEBIAN, "within 5 s"),
        (APIError("no such host"), ImageSource.DEBIAN, "could be reached"),
        (requests.ConnectionError(), ImageSource.DEBIAN, "could be reached"),
    ],
)
def test_what_is_found_is_recorded_and_not_asked_again(
    engine: Any, answer: Any, expected: ImageSource, reason: str
) -> None:
    engine.registry = answer
    assert source.decide(engine, {}) is expected
    decision = source.known(engine, {})
    assert decision
    assert reason in decision.reason
    assert recorded() == {"source": expected.value, "reason": decision.reason}
    asked = engine.calls
    assert source.decide(engine, {}) is expected
    assert source.explain(engine, {}) == decision
    assert engine.calls == asked


def test_a_config_of_docker_that_is_wrong_says_nothing_about_the_registry(engine: Any) -> None:
    engine.registry = DockerException("Credentials store error: StoreError('docker-credential-x not installed')")
    with pytest.raises(DockerException):
        source.decide(engine, {})
    assert not data_home().exists()


def test_to_explain_is_to_change_nothing(engine: Any) -> None:
    assert source.explain(engine, {}).source is ImageSource.REGISTRY
    assert source.known(engine, {}) is None
    assert not data_home().exists()


def test_official_images_that_are_here_already_need_no_registry(engine: Any) -> None:
    engine.registry = requests.ReadTimeout()
    engine.tags = [base.official for base in BASES]
    assert source.decide(engine, {}) is ImageSource.REGISTRY


def test_the_variable_overrides_the_record(engine: Any) -> None:
    source.choose(engine, "registry")
    assert source.decide(engine, {SOURCE_VARIABLE: "debian"}) is ImageSource.DEBIAN
    assert source.decide(engine, {SOURCE_VARIABLE: ""}) is ImageSource.REGISTRY


@pytest.mark.parametrize(
    ("variable", "name", "overrides"),
    [
        ("registry", "debian", True),
        ("debian", "auto", True),
        ("debian", "debian", False),
        ("", "debian", False),
        (None, "debian", False),
    ],
)
def test_a_choice_that_the_shell_overrides_is_announced_with_the_way_out(
    engine: Any, capsys: pytest.CaptureFixture[str], variable: str | None, name: str, overrides: bool
) -> None:
    environ = {} if variable is None else {SOURCE_VARIABLE: variable}
    chosen = source.choose(engine, name, environ)
    assert (source.decide(engine, environ) is not chosen.source) == overrides
    assert (f"unset {SOURCE_VARIABLE}" in capsys.readouterr().err) == overrides


def test_a_choice_holds_until_auto_finds_out_anew(engine: Any) -> None:
    engine.registry = APIError("down")
    assert source.choose(engine, "registry").source is ImageSource.REGISTRY
    assert source.decide(engine, {}) is ImageSource.REGISTRY
    assert source.choose(engine, "auto").source is ImageSource.DEBIAN


def test_a_machine_that_can_build_nothing_looks_again_next_time(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "obstacle", lambda: UserError("not root"))
    engine.registry = APIError("down")
    assert source.decide(engine, {}) is ImageSource.DEBIAN
    engine.registry = "sha256:x"
    assert source.decide(engine, {}) is ImageSource.REGISTRY


def test_images_built_by_root_before_make_the_finding_last(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "obstacle", lambda: UserError("not root"))
    engine.registry = APIError("down")
    engine.tags = list(debian.current_references())
    source.decide(engine, {})
    assert recorded()["source"] == "debian"


def test_what_others_keep_in_the_record_stays(engine: Any) -> None:
    path = data_home() / "machine.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"other": 1, "engines": {"engine-one": {"x": 2}, "engine-two": {"y": 3}}}))
    source.choose(engine, "debian")
    content = json.loads(path.read_text())
    assert content["other"] == 1
    assert content["engines"]["engine-two"] == {"y": 3}
    assert content["engines"]["engine-one"]["x"] == 2


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"engines": 3}', '{"engines": {"engine-one": {"image_source": {"source": "x"}}}}']
)
def test_a_damaged_record_is_found_out_anew(engine: Any, damage: str) -> None:
    path = data_home() / "machine.json"
    path.parent.mkdir(parents=True)
    path.write_text(damage)
    assert source.decide(engine, {}) is ImageSource.REGISTRY


@pytest.mark.parametrize("requested", ["docker", "Registry", " "])
def test_an_unknown_source_is_refused_with_the_known_ones(engine: Any, requested: str) -> None:
    with pytest.raises(UserError) as chosen:
        source.choose(engine, requested)
    assert repr(requested) in chosen.value.message
    assert all(one in chosen.value.cause for one in source.CHOICES)
    assert SOURCE_VARIABLE not in str((chosen.value.message, chosen.value.remedy))
    with pytest.raises(UserError) as variable:
        source.known(engine, {SOURCE_VARIABLE: requested})
    assert repr(requested) in variable.value.message
    assert SOURCE_VARIABLE in variable.value.remedy
