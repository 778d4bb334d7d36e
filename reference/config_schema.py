"""The JSON Schema of `Pulumi.<stack>.yaml`, by which an editor completes, explains and checks a stack's config."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import CoreSchema

from infra.config.settings import NAMESPACE, StackSettings
from reference.config_rules import CONFIG, RULES, Schema, named

PATH = "schema/stack.schema.json"


def schema() -> Schema:
    """Return the schema of a whole stack config file.

    Returns:
        A schema of draft 7, the newest that editors know in full.
    """
    whole = StackSettings.model_json_schema(schema_generator=_WithoutTitles)
    definitions = whole.pop("$defs")
    for model, rule in RULES.items():
        _merge(definitions[model.__name__], rule)
    config = _with_namespace(whole)
    _merge(config, CONFIG)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Stack config of Dashtam's environments",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": config,
            "secretsprovider": {"type": "string", "description": "What encrypts the stack's secrets. Pulumi's own."},
            "encryptionsalt": {"type": "string", "description": "Belongs to one clone's passphrase. Pulumi's own."},
            "encryptedkey": {"type": "string", "description": "The encrypted data key. Pulumi's own."},
        },
        "$defs": definitions,
    }


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out titles: they would say the key's name in other letters."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - of none
        return False

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> Schema:
        whole = super().generate(schema, mode)
        for model in (whole, *whole["$defs"].values()):
            model.pop("title", None)
        return whole


def _merge(target: Schema, more: Schema) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def _with_namespace(config: Schema) -> Schema:
    """Name the sections as Pulumi does; keys of other namespaces are other programs' and plugins'."""
    return {
        "type": "object",
        "description": config["description"],
        "required": [named(key) for key in config["required"]],
        "properties": {named(key): _without_default(value) for key, value in config["properties"].items()},
        "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:": True},
        "additionalProperties": False,
    }


def _without_default(section: Schema) -> Schema:
    """Leave out a section's default: it says once more what its keys say."""
    return {key: value for key, value in section.items() if key != "default"}
