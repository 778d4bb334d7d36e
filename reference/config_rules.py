"""What in a stack's config goes together, as far as JSON Schema can say it: the validators of the settings again.

JSON Schema compares no two values: that ports and providers' redirects differ, that memory suffices and which duration
is the longer is told by `./dashtam up` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from infra.config.providers import NEEDED, ProviderSettings
from infra.config.sections import PostgresSettings, RedisSettings, TokenSettings
from infra.config.settings import NAMESPACE, StackSettings
from infra.naming import SANDBOX

Schema = dict[str, Any]


def named(section: str) -> str:
    """Return a section's name as the config file has it."""
    return f"{NAMESPACE}:{section}"


def _has(**values: object) -> Schema:
    """Demand that keys are there with these values."""
    return {"required": list(values), "properties": {key: {"const": value} for key, value in values.items()}}


def _must(reason: str, **values: str) -> Schema:
    """Demand the same and tell why; `errorMessage` is what editors show then."""
    demanded = {key: {"const": value, "errorMessage": reason} for key, value in values.items()}
    return {"required": list(values), "properties": demanded}


def _says(*keys: str) -> Schema:
    """Demand that keys are there, and not null."""
    return {"required": list(keys), "properties": {key: {"not": {"type": "null"}} for key in keys}}


def _within(section: str, **values: object) -> Schema:
    """Demand that a section has keys with these values."""
    return {"required": [named(section)], "properties": {named(section): _has(**values)}}


def _whenever(condition: Schema, consequence: Schema) -> Schema:
    return {"if": condition, "then": consequence}


def _provider_needs(kind: str, keys: tuple[str, ...]) -> Schema:
    return _whenever({"allOf": [_has(kind=kind), {"not": _says("preset")}]}, _says(*keys))


def _publishes_nothing() -> Schema:
    unpublished = {"properties": {"port": {"type": "null", "errorMessage": "An internal network publishes nothing."}}}
    sections = {
        named(key): unpublished for key, field in StackSettings.model_fields.items() if _has_port(field.annotation)
    }
    return {"properties": {**sections, named(SANDBOX): _whenever(_has(enabled=True), unpublished)}}


def _has_port(model: Any) -> bool:  # noqa: ANN401 - an annotation
    return isinstance(model, type) and issubclass(model, BaseModel) and "port" in model.model_fields


RULES: Mapping[type[BaseModel], Schema] = {
    PostgresSettings: {
        "allOf": [_whenever(_has(tuning="speed"), _must("Tuning speed would ruin data that is kept.", storage="tmpfs"))]
    },
    RedisSettings: {
        "allOf": [
            _whenever(_has(persistence="none"), _must("With persistence none a volume stays empty.", storage="tmpfs")),
            _whenever(_has(storage="tmpfs"), _must("What is written to a tmpfs doesn't last.", persistence="none")),
        ]
    },
    TokenSettings: {"properties": {"keys": {"uniqueItems": True}}},
    ProviderSettings: {
        "anyOf": [_says("preset"), _says("kind")],
        "allOf": [
            *(_provider_needs(kind, keys) for kind, keys in NEEDED.items()),
            _whenever(_has(authorization_response_iss_parameter_supported=True), _says("issuer")),
            _whenever({"allOf": [_says("subject_url"), {"not": _says("preset")}]}, _says("subject_field")),
        ],
    },
}
"""What is added to what follows from a model's fields."""

CONFIG: Schema = {
    # Names that fit no pattern, and the one that is taken.
    "properties": {named("providers"): {"additionalProperties": False, "properties": {SANDBOX: False}}},
    "allOf": [
        _whenever(_within("network", internal=True), _publishes_nothing()),
        _whenever(
            _within("sandbox", enabled=True),
            {"anyOf": [_within("app", debug=True), _within("app", testing=True)]},
        ),
    ],
}
"""The same of the whole config."""
