"""The cases themselves: they load, they name clauses that exist, and every step has its bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance import _specdata
from iptc_conformance.cases import Case, CaseFileError, load_cases
from iptc_conformance.cases.load import first_schema_error, schema_validator
from iptc_conformance.cases.match import Inbound, Matcher
from iptc_conformance.cases.values import Bindings
from iptc_conformance.cli.showing import steps_with_bytes
from iptc_conformance.driving.callee.probing import FIXTURE
from iptc_conformance.msgpack_reader import read
from iptc_conformance.msgpack_values import Ext, Map
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.tagged import identical

if TYPE_CHECKING:
    from pathlib import Path

CASES = load_cases()
FILES = _specdata.cases_root() / "v1"
OPS = {"call", "stream", "context", "close"}
CALLEE_SIDE = {"callee", "acceptor", "any"}


def test_there_are_cases_of_every_area() -> None:
    assert len(CASES) >= 100
    assert {case.area for case in CASES} == {clause["area"] for clause in _specdata.clauses().values()}


@pytest.mark.parametrize("path", sorted(FILES.rglob("*.json")), ids=lambda path: str(path.relative_to(FILES)))
def test_packaged_files_keep_their_schema(path: Path) -> None:
    """`load_cases` takes the packaged files at their word; this is why it may."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert first_schema_error(schema_validator("case.schema.json"), document) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case_names_clauses_that_exist_and_its_level_is_theirs(case: Case) -> None:
    named = [_specdata.clauses()[clause] for clause in (*case.clauses, *case.violates)]
    assert named
    assert case.level in {_specdata.clause_level(clause) for clause in case.clauses}
    assert set(case.needs) <= (FIXTURE.keys() if case.role == "callee" else OPS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_step_can_be_written_as_bytes(case: Case) -> None:
    assert len(list(steps_with_bytes(case))) == len(case.steps)


def test_step_clauses_exist() -> None:
    keys = {
        *("clause", "be_clause", "wrong_clause", "warns"),
        *("missing_warns", "ignored_warns", "closed_warns", "type_warns"),
    }
    named = {value for case in CASES for step in case.steps for value in _named(step, keys)}
    assert named <= _specdata.clauses().keys()


def test_clauses_without_a_case_are_those_that_no_callee_shows() -> None:
    """What is left: duties of a caller, limits and memory that no fixture function reaches, and a MAY."""
    having = {clause for case in CASES for clause in case.clauses}
    missing = {
        clause["id"]
        for clause in _specdata.clauses().values()
        if clause["role"] in CALLEE_SIDE and clause["id"].endswith("r") and clause["id"] not in having
    }
    assert missing == {"FLW-01r", "RUN-02r"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"level": "PERHAPS"}, "level"),
        ({"steps": [{"expect": "c1"}]}, "steps"),
        ({"steps": [{"open": "c1", "func": "echo", "bogus": 1}]}, "steps"),
        ({"clauses": []}, "clauses"),
        ({"twin": "no-such-case"}, "twin"),
    ],
)
def test_faulty_case_files_are_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    _write(tmp_path, {**ENTRY, **change})
    with pytest.raises(CaseFileError, match=complaint):
        load_cases(tmp_path)


def test_an_id_stands_once(tmp_path: Path) -> None:
    _write(tmp_path, ENTRY, ENTRY)
    with pytest.raises(CaseFileError, match="twice"):
        load_cases(tmp_path)


def test_copies_are_written_out(tmp_path: Path) -> None:
    _write(tmp_path, {**ENTRY, "steps": [{"open": "c", "copies": 2, "func": "echo"}]})
    (case,) = load_cases(tmp_path)
    assert [step["open"] for step in case.steps] == ["c0", "c1"]


def test_tagged_values() -> None:
    bindings = Bindings("ns")
    tagged = [
        {"$ext": [5, "01"]},
        {"$map": [[1, 2]]},
        {"$repeat": ["x", 3]},
        {"$ns": True},
        {"a": {"$int": "7"}},
    ]
    assert bindings.value(tagged) == [Ext(5, b"\x01"), Map(((1, 2),)), "xxx", "ns", {"a": 7}]
    assert read(encode(bindings.value({"$nest": 2}))) == [[]]
    assert bindings.cid("c1") == bindings.cid("c1") != bindings.cid("c2")
    with pytest.raises(ValueError, match="unknown tag"):
        bindings.value({"$bogus": 1})


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (1, True), ("a", b"a"), ([1], [1, 2]), ({"a": 1}, {"a": 2})]
)
def test_values_of_different_types_differ(left: object, right: object) -> None:
    assert not identical(left, right)
    assert identical(left, left)


def test_nan_and_maps_in_any_order_are_the_same() -> None:
    assert identical(float("nan"), float("nan"))
    assert identical(Map(((1, "a"), (2, "b"))), Map(((2, "b"), (1, "a"))))


@pytest.mark.parametrize(
    ("patterns", "kinds", "fits"),
    [
        ([{"ack": "asyncfunc"}, {"result": 1}], [("ack", "asyncfunc"), ("result", 1)], True),
        ([{"ack": "asyncfunc"}, {"result": 1}], [("ack", "asyncfunc"), ("result", 2)], False),
        ([{"ack": "asyncgen"}], [("ack", "asyncfunc")], False),
        ([{"items": [0, 1]}, {"end": True}], [("item", 0), ("item", 1), ("end", True)], True),
        ([{"items": [0, 1]}, {"end": True}], [("item", 1), ("item", 0), ("end", True)], False),
        ([{"end": True, "times": "?"}, {"result": 1}], [("result", 1)], True),
        ([{"end": True, "times": "?"}, {"result": 1}], [("end", True), ("end", True)], False),
        (
            [{"item": {"$next": True}, "times": "*"}, {"end": True}],
            [("item", 0), ("item", 1), ("end", True)],
            True,
        ),
        ([{"item": {"$next": True}, "times": "*"}, {"end": True}], [("item", 0), ("item", 2)], False),
        ([{"fail": {"not": [""]}}], [("fail", "")], False),
        ([{"one_of": [{"result": True}, {"fail": "*"}]}], [("fail", "X")], True),
    ],
)
def test_patterns(patterns: list[dict[str, Any]], kinds: list[tuple[str, Any]], fits: bool) -> None:
    matcher = Matcher.of(patterns, lambda value: value)
    fed = [matcher.feed(Inbound(kind, "c", value, 0)) for kind, value in kinds]
    assert all(fed) is fits
    assert matcher.complete is fits


def test_a_missing_should_is_a_warning() -> None:
    matcher = Matcher.of(
        [{"end": True, "times": "?", "missing_warns": "STR-07s"}, {"result": 1}], lambda value: value
    )
    matcher.feed(Inbound("result", "c", 1, 0))
    matcher.finish()
    assert matcher.warnings == ["STR-07s"]


ENTRY: dict[str, Any] = {
    "id": "opn-example",
    "title": "An example of a case",
    "clauses": ["OPN-02s"],
    "level": "MUST",
    "role": "callee",
    "needs": ["echo"],
    "hint": "an example of a hint",
    "steps": [{"barrier": "a"}],
}


def _write(folder: Path, *entries: dict[str, Any]) -> None:
    document = {"version": 1, "area": "OPN", "cases": list(entries)}
    (folder / "opn.json").write_text(json.dumps(document), encoding="utf-8")


def _named(value: Any, keys: set[str]) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in _named(item, keys)}
    if not isinstance(value, dict):
        return set()
    own = {item for key, item in value.items() if key in keys and isinstance(item, str)}
    return own | {name for item in value.values() for name in _named(item, keys)}
