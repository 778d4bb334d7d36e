"""Which tag of an image is newer than the pinned one and of the same kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TAG = re.compile(r"(?P<version>\d+(?:\.\d+)*)(?P<variant>-[a-z0-9.-]+)?")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, order=True)
class _Tag:
    """A tag in the order of what it names: the version first, then the numbers of what it is built on."""

    version: tuple[int, ...]
    base: tuple[int, ...]
    shape: str
    text: str


def newest(pinned: str, tags: Iterable[str], *, kept: int = 1) -> str:
    """Choose the newest tag that may take the place of the pinned one.

    Args:
        pinned: The tag now, such as `17.6-alpine3.22`.
        tags: All tags that there are.
        kept: How many leading numbers of the version stay: 1 for `17`, 2 for `3.13`.

    Returns:
        A tag of the same major version and variant, as exact as the pinned one and never older, such as
        `17.7-alpine3.23`; the pinned one where there is none.
    """
    now = _read(pinned)
    if now is None:
        return pinned
    fitting = (tag for text in tags if (tag := _read(text)) and _fits(now, tag, kept))
    return max(fitting, default=now).text


def _read(text: str) -> _Tag | None:
    match = _TAG.fullmatch(text)
    if not match:
        return None
    variant = match["variant"] or ""
    return _Tag(_numbers(match["version"]), _numbers(variant), _NUMBER.sub("#", variant), text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(text))


def _fits(now: _Tag, tag: _Tag, kept: int) -> bool:
    return (
        tag.shape == now.shape
        and len(tag.version) == len(now.version)
        and tag.version[:kept] == now.version[:kept]
        and tag.base[:1] == now.base[:1]
        and tag.version >= now.version
        and tag.base >= now.base
    )
