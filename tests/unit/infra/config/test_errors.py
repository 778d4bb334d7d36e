from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.config.errors import SHOWN, ConfigError, problems

OBJECT = "input should be an object; write an object, a key and a value a line."


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    count: Annotated[int, Field(ge=1)] = 1
    ratio: Annotated[float, Field(gt=0)] = 0.5
    words: list[str] = []


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    named: dict[str, Inner] = {}
    inner: Inner = Inner()
    plain: str = ""


def described(document: dict[str, Any], hidden: frozenset[str] = frozenset()) -> str:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate_json(json.dumps(document))
    return str(ConfigError("mine", problems(error.value, Outer, hidden)))


def test_one_heading_and_a_line_each() -> None:
    assert described({"inner": {"count": 0}, "plain": 1}) == (
        "Pulumi.mine.yaml is not valid:\n"
        "  dashtam:inner.count = 0: input should be greater than or equal to 1; write a number from 1 on.\n"
        "  dashtam:plain = 1: input should be a valid string; write text."
    )


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (
            {"inner": {"words": ["a", 2]}},
            "dashtam:inner.words.1 = 2: input should be a valid string; write text.",
        ),
        (
            {"inner": {"ratio": -1}},
            "dashtam:inner.ratio = -1: input should be greater than 0; docs/reference/config.md describes it.",
        ),
        ({"plain": {"secret": 1}}, "dashtam:plain: input should be a valid string; write text."),
        ({"plain": "ok", "plane": 1}, "dashtam:plane is not a known key. Did you mean plain?"),
        ({"named": {"a": {"wrods": 1}}}, "dashtam:named.a.wrods is not a known key. Did you mean words?"),
        ({"inner": {"xyz": 1}}, "dashtam:inner.xyz is not a known key. Known here: count, ratio, words."),
    ],
)
def test_problems(document: dict[str, Any], line: str) -> None:
    assert described(document) == f"Pulumi.mine.yaml is not valid:\n  {line}"


@given(value=st.text() | st.lists(st.text()))
def test_hidden_values_stay_hidden(value: object) -> None:
    shown = described({"inner": value}, frozenset({"inner"}))
    assert shown == described({"inner": "anything else"}, frozenset({"inner"}))
    assert "dashtam:inner = [secret]: " in shown


@given(value=st.text())
def test_values_are_cut_and_keep_to_one_line(value: str) -> None:
    heading, *lines = described({"inner": value}).splitlines()
    assert heading == "Pulumi.mine.yaml is not valid:"
    (line,) = lines
    assert line.isprintable()
    assert len(line) <= len("  dashtam:inner = ...: ") + SHOWN + len(OBJECT)


@given(key=st.text(min_size=1).filter(lambda key: key not in Outer.model_fields))
def test_unknown_keys_keep_to_one_line(key: str) -> None:
    (_, line) = described({key: 1}).splitlines()
    assert line.isprintable()
    assert " is not a known key. " in line
