"""Reads the identifier of an account from a provider's answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter

MAX_SUBJECT_LENGTH = 255
"""The most characters that a subject has (OpenID Connect Core 1.0, section 2), and that are stored."""


def _number(value: object) -> object:
    return str(value) if type(value) is int else value


_SUBJECT: TypeAdapter[str] = TypeAdapter(
    Annotated[str, BeforeValidator(_number), Field(min_length=1, max_length=MAX_SUBJECT_LENGTH, pattern=r"^\P{C}+$")]
)


def subject(value: object) -> str:
    """Return an account's identifier, a text or a whole number, as 1 to 255 printable characters; or `ValueError`."""
    return _SUBJECT.validate_python(value)


def find(document: object, field: str) -> object:
    """Return a field, by name or by JSON Pointer (RFC 6901, with a `/` in front); None if there is none."""
    if not field.startswith("/"):
        return _member(document, field)
    for name in field[1:].split("/"):
        document = _member(document, name.replace("~1", "/").replace("~0", "~"))
    return document


def _member(document: object, name: str) -> object:
    if isinstance(document, dict):
        return document.get(name)
    if isinstance(document, list) and name.isdecimal() and int(name) < len(document):
        return document[int(name)]
    return None
