from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

from bench.campaign import sequences
from bench.campaign.commands import COMMANDS
from bench.campaign.sequences import CATALOGUE, EDITS, INVALID, KILLED, REFUSABLE, RESTART_ENGINE, VALID, Step
from bench.campaign.steps import STEPS
from infra.config import settings
from infra.config.errors import ConfigError
from infra.naming import SERVICES
from tests.unit.docs.pages import ROOT


@pytest.fixture(scope="module")
def many() -> list[Step]:
    return sequences.generate(1, 5000)


def test_a_sequence_follows_from_its_seed_alone() -> None:
    assert sequences.generate(7, 30) == sequences.generate(7, 30)
    assert sequences.generate(7, 30) != sequences.generate(8, 30)
    drawn = sequences.endless(7, 30)
    assert [next(drawn) for _ in range(2)] == [(7, sequences.generate(7, 30)), (8, sequences.generate(8, 30))]


def test_every_step_is_drawn_and_can_be_done(many: list[Step]) -> None:
    assert {step.name for step in many} == CATALOGUE.keys() <= STEPS.keys() | COMMANDS.keys()
    assert {*KILLED} <= COMMANDS.keys()
    assert sequences.SERVICES == SERVICES


def test_the_engine_is_restarted_only_where_that_is_asked_for() -> None:
    assert RESTART_ENGINE in {step.name for step in sequences.generate(1, 500, engine=True)}


def test_every_key_of_the_config_is_edited() -> None:
    sections = settings.StackSettings.model_json_schema()
    keys = {f"{one}.{key}" for one, model in _sections(sections) for key in model["properties"]}
    of_a_swarm = {key for key in keys if key.startswith("target.")}
    assert of_a_swarm <= EDITS[INVALID].keys()
    assert keys - of_a_swarm <= EDITS[VALID].keys() | EDITS[REFUSABLE].keys()


def _sections(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in schema["properties"].items():
        if reference := field.get("$ref"):  # the providers' names are anybody's
            yield name, schema["$defs"][reference.rsplit("/", 1)[-1]]


def test_a_sequence_is_read_back_as_it_was_written(many: list[Step]) -> None:
    assert sequences.parsed(sequences.written(many)) == many
    assert sequences.parsed("") == []
    with pytest.raises(ValueError, match="'nothing' is not a step"):
        sequences.parsed("up; nothing")


def test_it_is_shrunk_to_the_steps_that_it_takes() -> None:
    steps = sequences.parsed("up; write; down; up; restart app; down; seed")

    def fails(shorter: Sequence[Step]) -> bool:
        text = sequences.written(shorter)
        return "write" in text and "restart app; down" in text

    assert sequences.written(sequences.shrunk(steps, fails)) == "write; restart app; down"


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [(kind, key, text) for kind in (VALID, INVALID) for key, texts in EDITS[kind].items() for text in texts],
)
def test_edits_are_of_the_kind_that_they_are_said_to_be(kind: str, key: str, text: str) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    section, name = key.split(".")
    value = 10_001 if text.startswith("spare") else yaml.safe_load(text)
    config.setdefault(f"dashtam:{section}", {})[name] = value
    try:
        settings.load_document("dev", config)
    except ConfigError:
        assert kind == INVALID
    else:
        assert kind == VALID
