"""The faults as data: well-formed, one class each, and at least one for each MUST that can be seen broken."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections import Counter

import jsonschema

import faults
from faults import callee, caller, shared, variants
from faults.coverage import uncovered, wire_visible
from faults.data import FILE, Fault, honest, unseen
from faults.data import faults as all_faults
from faults.honest import Callee, Caller, Peer
from iptc_conformance import _specdata

MOST_DUTIES = 2
BASES = (Peer, Callee, Caller)


def test_the_data_fit_their_schema() -> None:
    schema = json.loads((_specdata.spec_root() / "schema" / "faults.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(FILE.read_text(encoding="utf-8")))


def test_ids_are_unique_and_begin_with_their_role() -> None:
    everything = [*all_faults(), *honest()]
    assert [name for name, count in Counter(one.id for one in everything).items() if count > 1] == []
    assert [one.id for one in all_faults() if not one.id.startswith(f"{one.role}-")] == []
    assert [one.id for one in honest() if not one.id.startswith(f"honest-{one.role}")] == []


def test_every_class_is_named_by_the_data_and_the_other_way_round() -> None:
    named = {one.made for one in [*all_faults(), *honest()]}
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for package in (callee, caller, shared)
        for info in pkgutil.iter_modules(package.__path__)
    ]
    written = {
        f"{module.__name__.removeprefix('faults.')}:{name}"
        for module in [*modules, variants]
        for name, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__ == module.__name__ and issubclass(found, Peer)
    }
    assert written | {"honest.callee:Callee", "honest.caller:Caller"} == named


def _written(fault: Fault) -> type[Peer]:
    """Return the class as it is written down: the one that is used may be put together from it and a role."""
    module, name = fault.made.split(":")
    found: type[Peer] = getattr(importlib.import_module(f"faults.{module}"), name)
    return found


def test_a_class_says_of_itself_what_its_title_says() -> None:
    odd = [fault for fault in [*all_faults(), *honest()] if not fault.made.startswith("honest.")]
    written = {fault.id: _written(fault).__doc__ for fault in odd}
    assert written == {fault.id: fault.title for fault in odd}


def test_a_fault_overrides_no_more_than_its_duty() -> None:
    for fault in [*all_faults(), *honest()]:
        source = _written(fault)
        if source not in BASES:
            duties = [
                duty
                for duty in vars(source)
                if not duty.startswith("__") and any(hasattr(base, duty) for base in BASES)
            ]
            assert 1 <= len(duties) <= MOST_DUTIES, fault.id


def test_every_clause_named_exists() -> None:
    known = _specdata.clauses()
    assert {clause for fault in all_faults() for clause in fault.clauses} <= known.keys()
    assert unseen().keys() <= known.keys()


def test_every_must_that_can_be_seen_to_be_broken_has_a_fault() -> None:
    assert uncovered() == []
    assert set(unseen()) & {fault.clause for fault in all_faults()} == set()
    assert set(unseen()) <= set(wire_visible())


def test_both_roles_have_many() -> None:
    roles = Counter(fault.role for fault in all_faults())
    assert min(roles["callee"], roles["caller"]) > 100


def test_the_package_imports_nothing_of_the_codec() -> None:
    files = FILE.parent.rglob("*.py")
    assert [path.name for path in files if "iptc_codec" in path.read_text(encoding="utf-8")] == []
    assert faults.__doc__
