"""Where the judge finds the specification's data: in a checkout, or inside an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptc_conformance import _specdata

ROOT = Path(__file__).parents[2]


def test_a_checkout_uses_its_own_data() -> None:
    assert _specdata.spec_root() == ROOT / "spec"
    assert _specdata.cases_root() == ROOT / "conformance" / "cases"


def test_an_installed_package_uses_the_copy_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "iptc_conformance"
    (package / "_spec").mkdir(parents=True)
    monkeypatch.setattr(_specdata, "_HERE", package / "_specdata.py")
    assert _specdata._folder("_spec", ROOT / "spec") == package / "_spec"


def test_missing_data_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_specdata, "_HERE", tmp_path / "_specdata.py")
    with pytest.raises(FileNotFoundError, match="_spec"):
        _specdata._folder("_spec", tmp_path / "nothing")


def test_every_clause_of_the_tables_has_a_level_and_a_sentence() -> None:
    cells = [
        cell
        for roles in _specdata.call_table()["cells"].values()
        for row in roles.values()
        for cell in row.values()
    ]
    cells += [cell for row in _specdata.connection_table()["cells"].values() for cell in row.values()]
    named = {clause for cell in cells for clause in [*cell.get("keeps", []), cell.get("violates", "frame")]}
    for clause in named - {"frame"}:
        assert _specdata.clause_level(clause) in {"MUST", "SHOULD", "MAY"}
        assert _specdata.clause_text(clause).endswith(".")
