"""Reading the case files: schema first, then what a schema can't say."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema

from iptc_conformance import _specdata
from iptc_conformance.cases.model import Case

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class CaseFileError(Exception):
    """A case file can't be used: a fault of the suite, not of the peer under test."""


def load_cases(folder: Path | None = None) -> list[Case]:
    """All cases of version 1, of all roles (a folder each), in the order of their files.

    `folder` replaces the packaged one. Raises CaseFileError for a file that is not as its schema says.
    """
    return list(_load(folder if folder is not None else _specdata.cases_root() / "v1"))


def load_files(paths: Iterable[Path]) -> list[Case]:
    """The cases of some files, of any role.  Raises CaseFileError, OSError."""
    validator = schema_validator("case.schema.json")
    cases = [case for path in paths for case in _read(path, validator)]
    _check_whole(cases)
    return cases


@cache
def _load(root: Path) -> tuple[Case, ...]:
    # The packaged ones are checked by a test; checking takes longer than all else that is done with them.
    validator = schema_validator("case.schema.json") if root != _specdata.cases_root() / "v1" else None
    cases: list[Case] = []
    for path in sorted(root.rglob("*.json")):
        cases.extend(_read(path, validator))
    _check_whole(cases)
    return tuple(cases)


def schema_validator(name: str) -> jsonschema.Draft202012Validator:
    """A validator for one of the schemas in spec/schema."""
    schema = json.loads((_specdata.spec_root() / "schema" / name).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def first_schema_error(validator: jsonschema.Draft202012Validator, document: Any) -> str | None:
    """The most telling error of a document, with the place where it is, or None."""
    if validator.is_valid(document):  # far quicker than to look for the best of no errors
        return None
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


def _read(path: Path, validator: jsonschema.Draft202012Validator | None) -> Iterable[Case]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CaseFileError(f"{path.name}: not JSON: {error}") from error
    complaint = first_schema_error(validator, document) if validator is not None else None
    if complaint is not None:
        raise CaseFileError(f"{path.name}: {complaint}")
    for entry in document["cases"]:
        yield _case(document["area"], entry)


def _case(area: str, entry: dict[str, Any]) -> Case:
    return Case(
        id=entry["id"],
        area=area,
        title=entry["title"],
        clauses=tuple(entry["clauses"]),
        level=entry["level"],
        role=entry["role"],
        needs=tuple(entry["needs"]),
        steps=tuple(_copies(entry["steps"])),
        connections=tuple(entry.get("connections", ["a"])),
        twin=entry.get("twin"),
        hint=entry["hint"],
        hostile=entry.get("hostile", False),
        violates=tuple(entry.get("violates", ())),
        slow=entry.get("slow", False),
        hello_seconds=entry.get("hello_seconds"),
        hello=entry.get("hello"),
        auto_cancel=entry.get("auto_cancel", True),
    )


def _copies(steps: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Write a step with `copies` out: `{"open": "c", "copies": 2, …}` opens c0 and c1."""
    for step in steps:
        if "repeat" in step:
            yield {**step, "steps": list(_copies(step["steps"]))}
        elif "copies" in step:
            rest = {key: value for key, value in step.items() if key != "copies"}
            calls = {
                key: rest[key] for key in ("open", "cancel", "target", "expect", "terminal") if key in rest
            }
            for number in range(step["copies"]):
                yield {**rest, **{key: f"{call}{number}" for key, call in calls.items()}}
        else:
            yield step


def _check_whole(cases: list[Case]) -> None:
    """Ids are unique, twins exist: the two things that only the whole set can show."""
    ids: set[str] = set()
    for case in cases:
        if case.id in ids:
            raise CaseFileError(f"{case.id}: the id stands twice")
        ids.add(case.id)
    for case in cases:
        if case.twin is not None and case.twin not in ids:
            raise CaseFileError(f"{case.id}: its twin {case.twin} does not exist")
