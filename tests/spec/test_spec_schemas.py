"""Every file of the specification has the shape that its schema gives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SPEC = Path(__file__).resolve().parents[2] / "spec"
SCHEMAS = sorted([*SPEC.glob("schema/*.schema.json"), *SPEC.glob("v*/*.schema.json")])
TABLES = ["call.json", "connection.json", "limits.json", "clauses.json"]


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_schema_is_a_schema(path: Path) -> None:
    """Each schema file is itself a legal schema of draft 2020-12."""
    schema = load(path)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", TABLES)
def test_file_matches_its_schema(name: str) -> None:
    """A table of v1 names its schema and matches it."""
    document = load(SPEC / "v1" / name)
    schema = load(SPEC / "v1" / document["$schema"])
    Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("name", TABLES)
def test_schema_refuses_an_unknown_key(name: str) -> None:
    """A misspelt key in a table does not go unseen."""
    document = load(SPEC / "v1" / name)
    schema = load(SPEC / "v1" / document["$schema"])
    document["verzion"] = 1
    assert not Draft202012Validator(schema).is_valid(document)


def test_schema_refuses_a_cell_of_two_kinds() -> None:
    """A cell is legal, ignored or a violation, never two of them."""
    schema = load(SPEC / "schema" / "call.schema.json")
    for cell in (
        {"next": "done", "keeps": [], "violates": "TRM-02s", "reaction": "drop"},
        {"ignore": "why", "keeps": [], "next": "done"},
        {"next": "done"},
        {},
    ):
        document = load(SPEC / "v1" / "call.json")
        document["cells"]["idle"]["caller"]["OPEN"] = cell
        assert not Draft202012Validator(schema).is_valid(document), cell
