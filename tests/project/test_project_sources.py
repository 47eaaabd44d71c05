"""Rules that every source file keeps, whatever it does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = 400


def python_files() -> list[Path]:
    """List the project's Python files, those not yet committed included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def test_the_list_of_files_is_not_empty() -> None:
    assert ROOT / "iptc_codec" / "__init__.py" in python_files()


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_short(path: Path) -> None:
    if not path.name.endswith("_table.py"):
        assert len(path.read_text().splitlines()) < LINES
