"""The committed corpus: every input that was ever worth keeping holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iptc_fuzz import TARGETS
from iptc_fuzz.corpus import FOLDER, inputs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_holds(name: str) -> None:
    broken: dict[str, str] = {}
    for path in inputs(name):
        try:
            TARGETS[name].check(path.read_bytes())
        except Exception as error:  # noqa: BLE001  (all of them are told)
            broken[path.name] = repr(error)[:300]
    assert broken == {}


def test_every_target_has_a_corpus_and_every_folder_a_target() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(TARGETS)


def test_the_inputs_are_small() -> None:
    large: list[Path] = [path for name in TARGETS for path in inputs(name) if path.stat().st_size > 4096]
    assert large == []
