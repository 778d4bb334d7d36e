"""What is wrong with a stack's config, in words: the key, the value, why, and what would be right."""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

import pydantic

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SHOWN = 80
"""The most characters of a value that a message shows."""


class ConfigError(Exception):
    """A stack's config is wrong; the text has a line for each problem and is made for users."""

    def __init__(self, stack: str, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n  ".join([f"Pulumi.{stack}.yaml is not valid:", *self.problems]))


def problems(
    error: pydantic.ValidationError,
    model: type[pydantic.BaseModel],
    hidden: Collection[str],
    line: Callable[[tuple[str, ...]], int] = lambda _: 0,
) -> list[str]:
    """Return what is wrong, a line each.

    `model` is that of the whole config, for the names that exist; `hidden` are the top-level keys of secret values;
    `line` returns where a key is in the config's file, 0 where that isn't known.
    """
    found = error.errors(include_url=False)
    numbers = [line(tuple(str(part) for part in details["loc"])) for details in found]
    return [
        f"{f'line {number}: ' if number else ''}{_problem(details, model, hidden)}"
        for number, details in zip(numbers, found, strict=True)
    ]


def _problem(details: ErrorDetails, model: type[pydantic.BaseModel], hidden: Collection[str]) -> str:
    location = [str(part) for part in details["loc"]]
    key = f"dashtam:{shown('.'.join(location))}" if location else "dashtam"
    match details["type"]:
        case "missing":
            return f"{key} is missing: it has no default. Add it; `{_example(model, location)}`, for example."
        case "extra_forbidden":
            return f"{key} is not a known key. {_suggestion(model, location)}"
        case "value_error":
            return f"{key}{_value(details['input'], location, hidden)}: {details['ctx']['error']}."
    reason = details["msg"][:1].lower() + details["msg"][1:]
    return f"{key}{_value(details['input'], location, hidden)}: {reason}; {_expected(details)}."


def _value(value: object, location: list[str], hidden: Collection[str]) -> str:
    if location and location[0] in hidden:
        return " = [secret]"
    if not location or isinstance(value, dict):
        return ""
    return f" = {shown(json.dumps(value, ensure_ascii=False, default=str))}"


def shown(text: str) -> str:
    """Return a text as a message shows it: printable, and not long."""
    line = text if text.isprintable() else ascii(text)[1:-1]
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


_EXPECTED = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "int_from_float": "write a whole number, without quotes",
    "string_type": "write text",
    "model_type": "write an object, a key and a value a line",
    "literal_error": "write {expected}",
    "enum": "write {expected}",
    "greater_than_equal": "write a number from {ge} on",
    "less_than_equal": "write a number up to {le}",
}


def _expected(details: ErrorDetails) -> str:
    hint = _EXPECTED.get(details["type"], "docs/reference/config.md describes it")
    return hint.format(**details.get("ctx", {}))


def _fields(model: type[pydantic.BaseModel], path: list[str]) -> dict[str, Any]:
    kind: Any = model
    for part in path:
        kind = _inner(kind, part)
    return dict(kind.model_fields) if _is_model(kind) else {}


def _inner(kind: Any, part: str) -> Any:  # noqa: ANN401 - an annotation
    if _is_model(kind):
        return kind.model_fields[part].annotation if part in kind.model_fields else None
    # Of a mapping any key leads to the type of its values.
    return typing.get_args(kind)[1] if typing.get_origin(kind) is dict else None


def _is_model(kind: Any) -> bool:  # noqa: ANN401 - an annotation
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _suggestion(model: type[pydantic.BaseModel], location: list[str]) -> str:
    known = list(_fields(model, location[:-1]))
    close = difflib.get_close_matches(location[-1], known, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."


def _example(model: type[pydantic.BaseModel], location: list[str]) -> str:
    examples = {
        "database": "dashtam_test",
        "user": "dashtam_test_user",
        "oauth_redirect_uri": "https://127.0.0.1:8182",
        "client_id_file": "~/.config/dashtam/client-id",
        "client_secret_file": "~/.config/dashtam/client-secret",
    }
    name = location[-1]
    if name in examples:
        return f"{name}: {examples[name]}"
    required = [inner for inner, field in _fields(model, location).items() if field.is_required()]
    return f"{name}: {{{', '.join(f'{inner}: {examples[inner]}' for inner in required)}}}"
