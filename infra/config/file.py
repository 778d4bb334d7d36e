"""A stack's config file, read as Pulumi's parser (yaml.v3) reads it, with the line of each key.

PyYAML reads YAML 1.1: `no` and `on` are booleans there, `12:30` is a number, and of a key that is there twice the last
counts. To Pulumi the first two are text, and the third is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.config.errors import ConfigError

Location = tuple[str, ...]

_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|(?:0|[1-9][0-9_]*))")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Takes plain words for what Pulumi takes them for."""


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    # Pulumi hands values over as JSON, in which 1.0 is 1.
    value = loader.construct_yaml_float(node)
    return int(value) if value.is_integer() else value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag in {f"{_TAG}null", f"{_TAG}merge"}]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(rf"(?:{_BOOLEAN.pattern})$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(rf"(?:{_INTEGER.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", re.compile(rf"(?:{_FLOAT.pattern})$"), list("-+.0123456789"))
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
    """Read a config file.

    Raises:
        ConfigError: It can't be read as one; the message names the line, the reason and the remedy.
    """
    try:
        loader = _Loader(_text(path))
        root = loader.get_single_node()
        lines = dict(_lines(root)) if root else {}
        document = loader.construct_document(root) if root else {}
        return ConfigFile(_config(document, lines), {where[1:]: line for where, line in lines.items() if where[1:]})
    except yaml.YAMLError as error:
        raise ConfigError(stack, [_reason(error)]) from None
    except ValueError as error:  # of a number that isn't one, such as !!int abc
        raise ConfigError(stack, [f"{error}; write a number, or the value in quotes."]) from None
    except _UnreadableError as error:
        raise ConfigError(stack, [str(error)]) from None
    except RecursionError:
        raise ConfigError(
            stack,
            ["it is nested without end, or an alias such as `*name` is within what it refers to; write that out."],
        ) from None


class _UnreadableError(Exception):
    """Why a file can't be read as a config."""


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _UnreadableError(
            f"line {line}: the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8,"
            " in an editor or with iconv."
        ) from None
    except OSError as error:
        raise _UnreadableError(f"{error.strerror}; `ls -l {path}` shows whose it is.") from None


def _lines(node: yaml.Node, where: Location = ()) -> Iterator[tuple[Location, int]]:
    """Yield the line of every key below a node."""
    if isinstance(node, yaml.MappingNode):
        known: dict[str, int] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
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
            f"line {lines['config',]}: config has the value {config!r}; write keys below it, as in Pulumi.dev.yaml."
        )
    for key in config or {}:
        if not isinstance(key, str) or ":" not in key:
            line = lines.get(("config", str(key))) or lines["config",]  # a merge (`<<`) has its keys elsewhere
            raise _UnreadableError(f"line {line}: the key {key!r} has no namespace; write dashtam:{key}.")
    return config or {}


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "\\t" in why:
        why = "a tab is not allowed as indentation; use spaces"
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character U+{error.character:04X} at position {error.position} is not allowed; delete it."
    return f"line {mark.line + 1}, column {mark.column + 1}: {why}." if mark else f"{why}."
