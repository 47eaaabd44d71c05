"""The message schema takes each message of version 1, and nothing beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "spec/v1/messages.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
ERROR = {"tb_str": "", "type_str": "ValueError"}
UID = ["caller", "u1"]

LEGAL: dict[str, list[Any]] = {
    "hello": [["a", "b"], ["a", "b", None, {"v": 1}]],
    "cmd": [{"cmd": ["ns", "f", {"x": 1}, UID, "c1"]}, {"cmd": ["", "", {"$map": [["$x", 1]]}, UID, "c"]}],
    "functype": [{"functype": kind, "cid": "c1"} for kind in ("asyncfunc", "asyncgen", "context")],
    "started": [{"started": None, "cid": "c1"}],
    "yield": [{"yield": {"$bin": "00"}, "cid": "c1"}],
    "stop": [{"stop": True, "cid": "c1"}],
    "return": [{"return": [1, 2.5], "cid": "c1"}],
    "error": [{"error": ERROR, "cid": "c1"}],
    "fatal": [{"error": ERROR}],
    "goodbye": [None],
}
ILLEGAL: list[Any] = [
    [],
    ["a"],
    ["", "b"],
    ["a", ""],
    ["a", 1],
    {},
    5,
    "text",
    True,
    {"bogus": 1, "cid": "c1"},
    {"yield": 1},
    {"yield": 1, "cid": ""},
    {"yield": 1, "cid": "x" * 257},
    {"yield": 1, "cid": 7},
    {"yield": 1, "cid": None},
    {"yield": 1, "stop": True, "cid": "c1"},
    {"yield": 1, "cid": "c1", "extra": 0},
    {"stop": False, "cid": "c1"},
    {"stop": 1, "cid": "c1"},
    {"stop": None, "cid": "c1"},
    {"functype": "function", "cid": "c1"},
    {"functype": "asyncfunc"},
    {"error": {"tb_str": ""}, "cid": "c1"},
    {"error": {"tb_str": "", "type_str": "X", "message": ""}, "cid": "c1"},
    {"error": {"tb_str": None, "type_str": "X"}, "cid": "c1"},
    {"error": "text"},
    {"cmd": ["ns", "f", {}, UID]},
    {"cmd": ["ns", "f", {}, UID, "c1", 0]},
    {"cmd": ["ns", "f", [], UID, "c1"]},
    {"cmd": ["ns", "f", {}, ["only"], "c1"]},
    {"cmd": ["ns", None, {}, UID, "c1"]},
    {"cmd": ["ns", "f", {"$map": [[1, 1]]}, UID, "c1"]},
    {"cmd": ["ns", "f", {}, UID, "c1"], "cid": "c1"},
]


@pytest.mark.parametrize("kind", LEGAL)
def test_legal_message(kind: str) -> None:
    """Each legal example is accepted, as its own kind and no other."""
    for message in LEGAL[kind]:
        VALIDATOR.validate(message)
        only = VALIDATOR.evolve(schema={**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{kind}"}]})
        assert only.is_valid(message)


def test_every_kind_has_an_example() -> None:
    """No message of the schema goes untried."""
    assert [entry["$ref"] for entry in SCHEMA["oneOf"]] == [f"#/$defs/{kind}" for kind in LEGAL]


@pytest.mark.parametrize("message", ILLEGAL, ids=repr)
def test_illegal_message(message: Any) -> None:
    """What differs from a message in one thing is no message."""
    assert not VALIDATOR.is_valid(message)
