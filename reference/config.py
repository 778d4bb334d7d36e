"""The reference of a stack's config, from its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reference.config_schema import schema
from reference.markdown import code, page, table

if TYPE_CHECKING:
    from reference.config_schema import Schema

PATH = "docs/reference/config.md"


def content() -> str:
    """Return the page."""
    whole = schema()
    sections = whole["properties"]["config"]["properties"]
    return page(
        "Stack config",
        "Every key of `Pulumi.<stack>.yaml`. Unknown keys and values of another kind are refused before anything"
        " changes: the message names the key, the value, the reason and a valid value. Editors check each value with"
        " `schema/stack.schema.json`; rules between keys are not checked by editors. An empty default"
        " means that the key may be left out and has no value then.",
        *(_section(name, section, whole["$defs"]) for name, section in sections.items()),
    )


def _section(name: str, section: Schema, definitions: Schema) -> str:
    named = section.get("patternProperties")
    inner = next(iter(named.values())) if named else section
    model = definitions[inner["$ref"].rpartition("/")[2]]
    text = model["description"].removeprefix(f"{code(name)}: ")
    heading = f"`{name}.NAME`, each" if named else text[:1].upper() + text[1:]
    described = f"{heading}: {text[:1].lower()}{text[1:]}" if named else heading
    rows = [
        (code(key), _kind(field, definitions), _default(key, field, model), field["description"])
        for key, field in model["properties"].items()
    ]
    return "\n\n".join([f"## {name}", described, table(("key", "value", "default", "what it is"), rows)])


def _default(key: str, field: Schema, model: Schema) -> str:
    if key in model.get("required", []):
        return "must be given"
    value = field.get("default")
    return "" if value is None else code(value if isinstance(value, str) else json.dumps(value))


def _kind(field: Schema, definitions: Schema) -> str:
    """Say what a value may be."""
    if "$ref" in field:
        return _kind(definitions[field["$ref"].rpartition("/")[2]], definitions)
    kinds = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    if kinds != [field]:
        return " or ".join(_kind(one, definitions) for one in kinds)
    if "const" in field or "enum" in field:
        return " or ".join(code(value) for value in field.get("enum", [field.get("const")]))
    if field["type"] == "array":
        return f"a list, each: {_kind(field['items'], definitions)}"
    return _object(field, definitions) if field["type"] == "object" else _plain(field)


def _object(field: Schema, definitions: Schema) -> str:
    if "properties" in field:
        return "; ".join(f"{code(key)}: {_kind(one, definitions)}" for key, one in field["properties"].items())
    [values] = field["patternProperties"].values()
    return f"names with values, each: {_kind(values, definitions)}"


def _plain(field: Schema) -> str:
    match field["type"]:
        case "boolean":
            return "`true` or `false`"
        case "integer":
            return f"{field['minimum']} to {field['maximum']}"
    said: str = field["patternErrorMessage"]
    return f"{said[:1].lower()}{said[1:].removesuffix('.')}"
