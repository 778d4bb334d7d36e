"""A stack's config file, read as Pulumi's parser (yaml.v3) reads it, with the line of each key.

PyYAML reads YAML 1.1: `no` and `on` are booleans there, `12:30` is a number, and of a key that is there twice the last
counts. To Pulumi the first two are text, and the third is an error.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.config.errors import ConfigError, shown

Location = tuple[str, ...]

_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|(?:0|[1-9][0-9_]*))")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"

_KEYS = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null", "merge")}

LARGEST_FILE = 128 * 1024
"""Bytes. These limits are far above what a config needs, and far below what takes a second."""

MOST_VALUES = 5_000
DEEPEST = 50
LONGEST_NUMBER = 80
"""Characters; 64 bits in base 2 with some `_` have fewer."""

LARGEST = 2**64


class _UnreadableError(Exception):
    """Why a file can't be read as a config."""


class _Loader(yaml.SafeLoader):
    """Takes plain words for what Pulumi takes them for, and refuses what takes more than a config needs."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._measures: dict[yaml.Node, tuple[int, int]] = {}
        """Of each node: how many values it holds, and how deep; aliases expanded."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node, and measure it: nothing is expanded for that."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refusal(event, f"it is nested deeper than {DEEPEST} levels; write it flatter.")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and node not in self._measures:
            if isinstance(event, yaml.AliasEvent):
                raise _refusal(event, f"*{event.anchor} is within what it refers to; write that out.")
            self._measures[node] = self._measure(node)
        return node

    def _measure(self, node: yaml.Node) -> tuple[int, int]:
        children = [self._measures[child] for child in _children(node)]
        size, depth = 1 + sum(size for size, _ in children), 1 + max((depth for _, depth in children), default=0)
        if max(size, len(self._measures)) > MOST_VALUES or depth > DEEPEST:
            raise _refusal(
                node, f"with its aliases it has more than {MOST_VALUES} values or {DEEPEST} levels; use fewer of them."
            )
        return size, depth

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - PyYAML's signature
        """Return a node's value; a text that its tag doesn't fit is refused with its line."""
        try:
            value = super().construct_object(node, deep)
            (value if isinstance(value, str) else "").encode()
        except UnicodeEncodeError:
            raise _refusal(node, "it escapes half of a surrogate pair; write the character itself.") from None
        except (ValueError, LookupError, AttributeError, TypeError):  # of `!!int abc`, `!!bool x`, `!!timestamp x`
            kind = node.tag.rpartition(":")[2]
            reason = f"{shown(str(node.value))} is not of the type {kind}; write the value in quotes."
            raise _refusal(node, reason) from None
        return value


def _refusal(at: yaml.Node | yaml.Event, reason: str) -> _UnreadableError:
    return _UnreadableError(f"line {at.start_mark.line + 1 if at.start_mark else 0}: {reason}")


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    digits = len(node.value)
    value = loader.construct_yaml_int(node) if digits <= LONGEST_NUMBER else LARGEST
    if abs(value) >= LARGEST:
        raise _refusal(node, f"the number {shown(node.value)} is too large; write a smaller one, or text in quotes.")
    return int(value)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    # Pulumi hands values over as JSON, in which 1.0 is 1, and which has no infinity.
    value = loader.construct_yaml_float(node)
    if math.isinf(value):
        raise _refusal(node, f"the number {shown(node.value)} is too large; write a smaller one, or text in quotes.")
    return int(value) if value.is_integer() else value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag in {f"{_TAG}null", f"{_TAG}merge"}]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(rf"(?:{_BOOLEAN.pattern})$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(rf"(?:{_INTEGER.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", re.compile(rf"(?:{_FLOAT.pattern})$"), list("-+.0123456789"))
_Loader.add_constructor(f"{_TAG}int", _integer)
_Loader.add_constructor(f"{_TAG}float", _number)


@dataclass(frozen=True)
class ConfigFile:
    """What a config file has under `config:`, and the line of each key there."""

    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Return the line of a key, or of the innermost section around it that is there; 0 where none is."""
        known = (self.lines.get(location[:length]) for length in range(len(location), 0, -1))
        return next((line for line in known if line), 0)


def read(stack: str, path: Path) -> ConfigFile:
    """Read a config file; a `ConfigError` names the line, the reason and the remedy."""
    try:
        text = _text(path)
        loader = _Loader(text)
        root = loader.get_single_node()
        lines = dict(_lines(root)) if root else {}
        document = loader.construct_document(root) if root else {}
        return ConfigFile(_config(document, lines), {where[1:]: line for where, line in lines.items() if where[1:]})
    except yaml.YAMLError as error:
        raise ConfigError(stack, [_reason(error, text)]) from None
    except _UnreadableError as error:
        raise ConfigError(stack, [str(error)]) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise _UnreadableError(f"it is larger than {LARGEST_FILE // 1024} KiB; put the config of one stack there.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _UnreadableError(
            f"line {line}: the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8,"
            " in an editor or with iconv."
        ) from None
    except OSError as error:
        raise _UnreadableError(f"{error.strerror}; `ls -l {shlex.quote(str(path))}` shows whose it is.") from None


def _lines(node: yaml.Node, where: Location = ()) -> Iterator[tuple[Location, int]]:
    """Yield the line of every key below a node."""
    if isinstance(node, yaml.MappingNode):
        known: dict[str, int] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
            if key.tag not in _KEYS:
                raise _refusal(key, "a key must be text; write it without a tag and without brackets.")
            if name in known and name != "<<":
                raise _UnreadableError(
                    f"line {line}: {'.'.join((*where[1:], name))} is there already, in line {known[name]};"
                    " delete one of the two."
                )
            known[name] = line
            yield (*where, name), line
            yield from _lines(value, (*where, name))
    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*where, str(number)), value.start_mark.line + 1
            yield from _lines(value, (*where, str(number)))


def _config(document: object, lines: Mapping[Location, int]) -> Mapping[str, Any]:
    if document is not None and not isinstance(document, dict):
        raise _UnreadableError("line 1: the file must be keys with values; it has to begin with `config:`.")
    config = (document or {}).get("config")
    if config is not None and not isinstance(config, dict):
        raise _UnreadableError(
            f"line {lines['config',]}: config has the value {shown(repr(config))};"
            " write keys below it, as in Pulumi.dev.yaml."
        )
    for key in config or {}:
        if not isinstance(key, str) or ":" not in key:
            line = lines.get(("config", str(key))) or lines["config",]  # a merge (`<<`) has its keys elsewhere
            key_shown = shown(str(key))
            raise _UnreadableError(f"line {line}: the key {key_shown} has no namespace; write dashtam:{key_shown}.")
    return config or {}


def _reason(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "\\t" in why:
        why = "a tab is not allowed as indentation; use spaces"
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        character = f"U+{error.character:04X}"
        return f"line {line}: the character {character} is not allowed; delete it, or save the file as UTF-8."
    return f"line {mark.line + 1}, column {mark.column + 1}: {why}." if mark else f"{why}."
