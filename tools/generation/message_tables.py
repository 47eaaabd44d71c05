"""The table of message shapes in `PROTOCOL.md`, from `messages.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.generation.markdown import table

Schema = Mapping[str, Any]

_TERMS = {
    "value": "value",
    "text": "str",
    "name": "non-empty str",
    "cid": "cid",
    "kwargs": "map with str keys",
}


def render(schema: Schema) -> str:
    """Render one row for each message, in the order of the schema's `oneOf`."""
    kinds = [entry["$ref"].rsplit("/", 1)[1] for entry in schema["oneOf"]]
    rows = [_row(schema, schema["$defs"][kind]) for kind in kinds]
    return table(["Event", "Shape", "Sent by", "Meaning"], rows)


def _row(root: Schema, message: Schema) -> list[str]:
    return [message["x-event"], f"`{shape(root, message)}`", message["x-sender"], message["description"]]


def shape(root: Schema, part: Schema) -> str:
    """Write the shape of `part` in one line; `root` resolves its references."""
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[1]
        text = _TERMS.get(name) or shape(root, root["$defs"][name])
        return f"{part['title']}: {text}" if "title" in part and text != part["title"] else text
    if "const" in part:
        return json.dumps(part["const"])
    if "enum" in part:
        return " | ".join(json.dumps(value) for value in part["enum"])
    return _composite(root, part)


def _composite(root: Schema, part: Schema) -> str:
    if part["type"] == "null":
        return "nil"
    if part["type"] == "array":
        items = [shape(root, item) for item in part["prefixItems"]]
        return "[" + ", ".join(items if "maxItems" in part else [*items, "…"]) + "]"
    fields = (f'"{key}": {shape(root, value)}' for key, value in part["properties"].items())
    return "{" + ", ".join(fields) + "}"
