"""The vectors and dialogues as files: shape, ids, and how much of the specification they cover."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.agreement.agreement_support import SPEC, V1, Dialogue, Vector, dialogues, load, other, vectors

VECTORS = vectors()
DIALOGUES = dialogues()
FRAME_CLAUSES = {
    *("FRM-02s", "FRM-03s", "FRM-04s"),
    *("ENC-01s", "ENC-02s", "ENC-03s", "ENC-04s", "ENC-05s", "ENC-07s", "ENC-08s"),
    *("CID-01s", "OPN-01s", "OPN-05s", "STR-05s", "ERR-01s", "ROB-02s"),
}
"""What `frame` in the tables can stand for, but ENC-06r, which is the receiver's choice."""
RULES = {"OPN-08s", "CXL-02s", "DSC-02s"}
"""Named in connection.json by words."""
KINDS = {
    *("HELLO", "OPEN", "ACK_ASYNCFUNC", "ACK_ASYNCGEN", "ACK_CONTEXT", "STARTED", "ITEM"),
    *("END", "RESULT", "FAIL", "OVERRUN", "FATAL", "GOODBYE"),
}


def validator(name: str) -> Draft202012Validator:
    schemas = [load(SPEC / "schema" / f"{one}.schema.json") for one in ("vectors", "dialogue")]
    registry: Registry[Any] = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
    )
    return Draft202012Validator(load(SPEC / "schema" / f"{name}.schema.json"), registry=registry)


@pytest.mark.parametrize("name", ["vectors", "dialogue"])
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(load(SPEC / "schema" / f"{name}.schema.json"))


@pytest.mark.parametrize(("folder", "schema"), [("vectors", "vectors"), ("dialogues", "dialogue")])
def test_files_keep_their_schema(folder: str, schema: str) -> None:
    check = validator(schema)
    paths = sorted((V1 / folder).glob("*.json"))
    assert paths
    for path in paths:
        assert [f"{error.json_path}: {error.message:.200}" for error in check.iter_errors(load(path))] == []


@pytest.mark.parametrize(
    ("folder", "schema", "change"),
    [
        ("vectors/items.json", "vectors", lambda file: file["vectors"][0].update(note="x")),
        ("vectors/items.json", "vectors", lambda file: file["vectors"][0].update(frame="0")),
        ("vectors/items.json", "vectors", lambda file: file["vectors"][0].pop("accept")),
        ("vectors/items.json", "vectors", lambda file: file["vectors"][0]["accept"].update(kind="FATAL")),
        ("dialogues/calls.json", "dialogue", lambda file: file["dialogues"][0]["steps"][0].pop("hex")),
        ("dialogues/calls.json", "dialogue", lambda file: file["dialogues"][0]["expect"].update(warn=[])),
        ("dialogues/calls.json", "dialogue", lambda file: file["dialogues"][0]["steps"][0].update(eof=True)),
    ],
)
def test_schemas_refuse_what_is_wrong(folder: str, schema: str, change: Any) -> None:
    file = load(V1 / folder)
    assert validator(schema).is_valid(file)
    change(file)
    assert not validator(schema).is_valid(file)


@pytest.mark.parametrize("entries", [VECTORS, DIALOGUES], ids=["vectors", "dialogues"])
def test_ids_are_unique(entries: list[Vector] | list[Dialogue]) -> None:
    assert [name for name, times in Counter(entry.id for entry in entries).items() if times > 1] == []


def test_no_frame_stands_twice() -> None:
    seen: dict[tuple[str, str], str] = {}
    for vector in VECTORS:
        key = (vector.phase, str(vector.raw.get("frame") or vector.raw["parts"]))
        assert key not in seen, (vector.id, seen[key])
        seen[key] = vector.id


def test_there_are_enough() -> None:
    assert len(VECTORS) >= 150
    assert len(DIALOGUES) >= 60


def test_every_kind_is_accepted_and_every_frame_clause_refused() -> None:
    assert {vector.accept["kind"] for vector in VECTORS if vector.accept} == KINDS
    refused = {vector.refuse["clause"] for vector in VECTORS if vector.refuse}
    assert refused >= FRAME_CLAUSES | {"HSK-01s", "HSK-03s", "ENC-06r"}


def table_cells() -> list[dict[str, Any]]:
    rows = [events for roles in load(V1 / "call.json")["cells"].values() for events in roles.values()]
    rows += load(V1 / "connection.json")["cells"].values()
    return [cell for events in rows for cell in events.values()]


def table_clauses() -> set[str]:
    call, connection = load(V1 / "call.json"), load(V1 / "connection.json")
    cells = [
        cell for roles in call["cells"].values() for events in roles.values() for cell in events.values()
    ]
    cells += [cell for events in connection["cells"].values() for cell in events.values()]
    named = {cell["violates"] for cell in cells if "violates" in cell and "unreachable" not in cell}
    return (named - {"frame"}) | FRAME_CLAUSES | RULES


def test_every_clause_of_the_tables_is_violated_in_a_dialogue() -> None:
    violated = {violation["clause"] for dialogue in DIALOGUES for violation in dialogue.violations}
    assert table_clauses() - violated == set()


def test_every_clause_that_a_cell_keeps_is_kept_in_a_dialogue() -> None:
    call, connection = load(V1 / "call.json"), load(V1 / "connection.json")
    cells = [
        cell for roles in call["cells"].values() for events in roles.values() for cell in events.values()
    ]
    cells += [cell for events in connection["cells"].values() for cell in events.values()]
    keeps = {clause for cell in cells for clause in cell.get("keeps", [])}
    assert keeps - {clause for dialogue in DIALOGUES for clause in dialogue.kept} == set()


def test_clauses_exist() -> None:
    clauses = load(V1 / "clauses.json")["clauses"]
    known = {clause["id"] for clause in clauses}
    named = {vector.refuse["clause"] for vector in VECTORS if vector.refuse}
    for dialogue in DIALOGUES:
        named |= {violation["clause"] for violation in dialogue.violations} | set(dialogue.kept)
    assert named - known == set()


def test_violations_belong_to_the_sender_of_their_step() -> None:
    for dialogue in DIALOGUES:
        for violation in dialogue.violations:
            assert dialogue.steps[violation["step"]]["from"] == violation["side"], dialogue.id
            assert violation["clause"] not in dialogue.kept, dialogue.id


def test_twins_are_legal_dialogues_and_every_illegal_one_has_one() -> None:
    legal = {dialogue.id for dialogue in DIALOGUES if not dialogue.violations}
    for dialogue in DIALOGUES:
        assert bool(dialogue.violations) == (dialogue.twin is not None), dialogue.id
        assert dialogue.twin is None or dialogue.twin in legal, dialogue.id


def test_frames_that_cross_come_from_two_sides() -> None:
    crossing = [
        (dialogue, index, step)
        for dialogue in DIALOGUES
        for index, step in enumerate(dialogue.steps)
        if "sent_before" in step
    ]
    assert crossing
    for dialogue, index, step in crossing:
        assert step["sent_before"] < index, dialogue.id
        assert dialogue.steps[step["sent_before"]]["from"] == other(step["from"]), dialogue.id
