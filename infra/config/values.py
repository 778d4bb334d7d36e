"""The kinds of values in a stack's config that plain types don't describe: sizes, durations, names, URLs, images.

Each text type has one pattern, of both ECMA 262 and Python: it decides here, and editors get it in the JSON schema.
`infra.config.errors` adds the key and the value to these messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, core_schema


def numbers(lowest: int, highest: int) -> str:
    """Return a pattern for the whole numbers of a range, from 1 on, without leading zeros: `1[6-9]|[2-9][0-9]`."""
    parts = []
    while lowest <= highest:
        size = 1
        while lowest % (size * 10) == 0 and lowest + size * 10 - 1 <= highest:
            size *= 10
        first = lowest // size % 10
        last = min(9, first + (highest - lowest + 1) // size - 1)
        parts.append(f"{lowest // size // 10 or ''}[{first}-{last}]{'[0-9]' * (len(str(size)) - 1)}")
        lowest += (last - first + 1) * size
    return "|".join(parts)


@dataclass(frozen=True)
class Pattern:
    """Marks a text that must match a pattern as a whole."""

    pattern: str
    form: str
    """What matches, after "it must be"."""
    hint: str
    """What to write instead."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check before the type is checked, so that a number without a unit gets the message about units."""
        return core_schema.no_info_before_validator_function(self._require, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Callable[..., Any]) -> dict[str, Any]:
        """Describe it; VS Code and the YAML language server show `patternErrorMessage` instead of the pattern."""
        message = f"{self.form[:1].upper()}{self.form[1:]}."
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "patternErrorMessage": message}

    def _require(self, value: object) -> object:
        if not (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            raise ValueError(f"it must be {self.form}; {self.hint}")
        return value


def _parameter_value(value: object) -> str:
    """Return the text that a server takes."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, (str, int, float)) or not str(value).isprintable():
        raise ValueError("it must be a line of text, a number, true or false; write 200, 64MB or on, for example")
    return str(value)


def _addressable(url: str) -> str:
    """Refuse what no pattern finds, without the value: that may be secret."""
    try:
        urlsplit(url)
    except ValueError:
        raise ValueError("no host has this address; write https://[::1]:8182, for example") from None
    return url


def _address(text: str) -> str:
    """Return an IP address as the engine reports it."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("no interface has this address; write 127.0.0.1, 0.0.0.0 or ::1, for example") from None


def is_address(host: str) -> bool:
    """Return whether a host is given by its IP address: no name consists of digits and dots only (RFC 3696, 2)."""
    return ":" in host or host.replace(".", "").isdigit()


def _host(text: str) -> str:
    return _address(text) if is_address(text) else text


_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_LINE = rf"(?=.*\S)[^{_CONTROL}\u2028\u2029]"
"""Characters of a line that isn't blank; how many there may be follows."""
_URL = rf"\s\ufeff#\\{_CONTROL}"
_ADDRESS = rf"(?:\[[0-9a-fA-F:.]+\]|[^{_URL}@/?:\[\]]+)(?::(?:{numbers(1, 65535)})?)?"
_ORIGIN = f"https://{_ADDRESS}"
_SHORT = r"(?![\s\S]{2049})"
"""No longer than what the service takes for a URL."""
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"

Port = Annotated[int, Field(ge=1, le=65535)]
Size = Annotated[
    str,
    # The engine refuses less; more is a mistake on the machines that this is for.
    Pattern(
        f"(?:{numbers(16, 64 * 1024)})m|(?:{numbers(1, 64)})g",
        "a whole number of m or g, from 16m to 64g, such as 512m",
        "write 512m or 2g",
    ),
]
Duration = Annotated[
    str,
    Pattern(
        f"(?:{numbers(100, 600_000)})ms|(?:{numbers(1, 600)})s|(?:{numbers(1, 10)})m",
        "a whole number of ms, s or m, from 100ms to 10m, such as 2s",
        "write 500ms, 2s or 1m",
    ),
]
Days = Annotated[
    str,
    Pattern(
        f"(?:{numbers(1, 3650)})d", "a whole number of days, from 1d to 3650d, such as 7d", "write 7d, for example"
    ),
]
Identifier = Annotated[
    str,
    Pattern(
        "[a-z_][a-z0-9_]{0,62}",
        "a name of 1 to 63 lower-case letters, digits and underscores, no digit first",
        "write dashtam_test, for example",
    ),
]
Name = Annotated[
    str,
    Pattern(
        "[a-z][a-z0-9-]{0,31}",
        "a name of 1 to 32 lower-case letters, digits and hyphens, a letter first",
        "write my-bank, for example",
    ),
]
Filled = Annotated[
    str,
    Pattern(
        f"{_LINE}+",
        "a line of text",
        "write one, in quotes if YAML would take it for something else",
    ),
]
Title = Annotated[
    str,
    Pattern(f"{_LINE}{{1,100}}", "a line of up to 100 characters", "write My bank, for example"),
]
FieldName = Annotated[
    str,
    Pattern(
        f"{_LINE}{{1,255}}",
        "a line of up to 255 characters",
        "write a field's name, or a JSON Pointer such as /user/id",
    ),
]
HttpsUrl = Annotated[
    str,
    Pattern(
        rf"{_SHORT}{_ORIGIN}(?:[/?][^{_URL}]*)?",
        "an absolute https URL without fragment and user",
        "write https://example.org/token, for example",
    ),
    AfterValidator(_addressable),
]
_WITHOUT_QUERY = "an absolute https URL with neither query, fragment nor user"
RedirectUri = Annotated[
    str,
    Pattern(
        rf"[hH][tT][tT][pP][sS]://{_ADDRESS}(?:/[^{_URL}?]*)?",
        _WITHOUT_QUERY,
        "write https://127.0.0.1:8182, for example",
    ),
    AfterValidator(_addressable),
]
Issuer = Annotated[
    str,
    Pattern(rf"{_SHORT}{_ORIGIN}(?:/[^{_URL}?]*)?", _WITHOUT_QUERY, "write https://bank.example, for example"),
    AfterValidator(_addressable),
]
Scope = Annotated[
    str,
    # RFC 6749, section 3.3.
    Pattern(r"[\x21\x23-\x5b\x5d-\x7e]+", "a word of printable ASCII", "write one scope an entry, such as profile"),
]
Address = Annotated[
    str,
    Pattern("[0-9.]{7,15}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", "an IPv4 or IPv6 address", "write 127.0.0.1, for example"),
    AfterValidator(_address),
]
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
Host = Annotated[
    str,
    Pattern(
        rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*",
        "a host name in lower case, or an IP address",
        "write localhost or build.example.org, for example",
    ),
    AfterValidator(_host),
]
Parameter = Annotated[
    str,
    Pattern(
        r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?",
        "a parameter's name in lower case",
        "write max_connections, for example",
    ),
]
ParameterValue = Annotated[
    str,
    PlainValidator(_parameter_value),
    WithJsonSchema({"type": ["string", "number", "boolean"], "patternErrorMessage": "Text, a number, true or false."}),
]
Library = Annotated[
    str,
    Pattern("[a-z_][a-z0-9_-]*", "the name of a library of the image", "write pg_stat_statements, for example"),
]
NodeName = Annotated[
    str,
    Pattern(
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", "a node's hostname, as `docker node ls` shows it", "write node1, for example"
    ),
]
EngineAddress = Annotated[
    str,
    Pattern(
        r"(?:unix:///|npipe://|tcp://|https?://)\S+",
        "the address of a node's Docker engine, a socket or TCP, as DOCKER_HOST has it",
        "write unix:///var/run/docker.sock or tcp://node1:2376, for example",
    ),
]
Registry = Annotated[
    str,
    Pattern(
        rf"[a-z0-9][a-z0-9.-]*(?::(?:{numbers(1, 65535)}))?(?:/[a-z0-9][a-z0-9._-]*)*",
        "a registry's host, with its port and a path where it has these",
        "write registry.example:5000/team, for example",
    ),
]
PinnedImage = Annotated[
    str,
    # As the engine reads it: registry and path, tag, digest (github.com/distribution/reference).
    Pattern(
        r"[a-z0-9][a-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._-]*)*"
        rf"(?::(?!latest$){_TAG}|(?::{_TAG})?@sha256:[0-9a-f]{{64}})",
        "an image by an exact tag, such as postgres:17.6-alpine3.22, or by a digest (@sha256:...)",
        "pin it, or it changes without a commit",
    ),
]


def megabytes(size: str) -> int:
    """Return the mebibytes of a `Size`."""
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


def seconds(duration: str) -> float:
    """Return the seconds of a `Duration`, or of `Days`."""
    number = duration.rstrip("dms")
    return int(number) * {"ms": 0.001, "s": 1.0, "m": 60.0, "d": 86400.0}[duration[len(number) :]]


def engine_duration(length: float) -> str:
    """Return seconds, of whole milliseconds, as the engine reports them (Go's `time.Duration.String`): `1h1m30s`.

    Another spelling would be taken for a change at every update.
    """
    if length < 1:
        return f"{length * 1000:g}ms"
    minutes, rest = divmod(round(length * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{rest / 1000:g}s"
