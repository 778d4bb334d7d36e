"""The JSON Schema of `Pulumi.<stack>.yaml`, by which an editor completes, explains and checks a stack's config."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import CoreSchema, core_schema

from infra.config.settings import NAMESPACE, StackSettings

PATH = "schema/stack.schema.json"

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the schema of a whole stack config file, of draft 7: the newest that editors know in full.

    What compares one value with another is left to the settings' own validators.
    """
    whole = StackSettings.model_json_schema(schema_generator=_Described)
    definitions = whole.pop("$defs")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Stack config of Dashtam's environments",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": _with_namespace(whole),
            "secretsprovider": {"type": "string", "description": "What encrypts the stack's secrets. Pulumi's own."},
            "encryptionsalt": {"type": "string", "description": "Belongs to one clone's passphrase. Pulumi's own."},
            "encryptedkey": {"type": "string", "description": "The encrypted data key. Pulumi's own."},
        },
        "$defs": definitions,
    }


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the texts below a model's fields, by field; pydantic would read them whenever the model is imported."""
    [definition] = ast.parse(inspect.getsource(model)).body
    found = {}
    for field, below in pairwise(getattr(definition, "body", ())):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found


class _Described(GenerateJsonSchema):
    """Adds descriptions, and leaves out titles: they would say the key's name in other letters."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        found = super().model_schema(schema)
        for name, text in descriptions(schema["cls"]).items():
            if name in found["properties"]:
                found["properties"][name]["description"] = text
        return found

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - of none
        return False

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> Schema:
        whole = super().generate(schema, mode)
        for model in (whole, *whole["$defs"].values()):
            model.pop("title", None)
        return whole


def _with_namespace(config: Schema) -> Schema:
    """Name the sections as Pulumi does; keys of other namespaces are other programs' and plugins'."""
    return {
        "type": "object",
        "description": config["description"],
        "required": [_named(key) for key in config["required"]],
        "properties": {_named(key): _without_default(value) for key, value in config["properties"].items()},
        "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:": True},
        "additionalProperties": False,
    }


def _named(section: str) -> str:
    return f"{NAMESPACE}:{section}"


def _without_default(section: Schema) -> Schema:
    """Leave out a section's default: it says once more what its keys say."""
    return {key: value for key, value in section.items() if key != "default"}
