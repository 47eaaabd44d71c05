"""The derived files are those that the sources give, and `--check` sees any difference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import generate
from tools.generation import clauses, markdown

ROOT = Path(__file__).resolve().parents[2]
DERIVED = sorted(generate.derive(ROOT))


def run(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the generator of the copy in `root`."""
    command = [sys.executable, str(root / "tools/generate.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources and of everything that is derived from them."""
    ignored = shutil.ignore_patterns("__pycache__", "vectors", "dialogues")
    for name in ("tools", "spec"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in DERIVED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_everything_is_up_to_date() -> None:
    """What is in the repository is what its sources give."""
    result = run(ROOT, "--check")
    assert (result.returncode, result.stdout) == (0, "")


def test_the_codec_tables_are_derived() -> None:
    """The codec's tables have one home, and it is the specification."""
    assert "iptc_codec/_call_table.py" in DERIVED
    assert "iptc_codec/_limits_table.py" in DERIVED


@pytest.mark.parametrize("name", DERIVED)
def test_a_changed_byte_is_found(copy: Path, name: str) -> None:
    """A derived file that was edited by hand makes the check fail, is named, and is repaired by a run."""
    path = copy / name
    text = path.read_text(encoding="utf-8")
    edited = text.replace("CID-02s", "CID-92s") if name == "PROTOCOL.md" else text + "\n"
    if name == "PROTOCOL.md":
        begin = text.index("<!-- generated: call-caller -->")
        edited = text[:begin] + text[begin:].replace("CID-02s", "CID-92s", 1)
    path.write_text(edited, encoding="utf-8")
    result = run(copy, "--check")
    assert result.returncode == 1
    assert f"{name} differs" in result.stdout
    assert path.read_text(encoding="utf-8") == edited
    assert run(copy).returncode == 0
    assert path.read_text(encoding="utf-8") == text


def test_a_missing_file_is_found(copy: Path) -> None:
    """A derived file that was deleted makes the check fail."""
    (copy / "spec/v1/clauses.json").unlink()
    assert run(copy, "--check").returncode == 1


def test_a_changed_table_is_found(copy: Path) -> None:
    """A source that was edited without a run makes the check fail, in each place that shows it."""
    path = copy / "spec/v1/limits.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"default": 1024', '"default": 2048', 1), encoding="utf-8")
    result = run(copy, "--check")
    assert result.returncode == 1
    assert "PROTOCOL.md differs" in result.stdout
    assert "iptc_codec/_limits_table.py differs" in result.stdout


def test_an_unreadable_clause_is_told_apart(copy: Path) -> None:
    """A source that cannot be read is no difference: exit 2 names the line."""
    path = copy / "PROTOCOL.md"
    path.write_text(
        path.read_text(encoding="utf-8") + "\n- **[TRM-99s]** (MUST, nobody) A text.\n", encoding="utf-8"
    )
    result = run(copy, "--check")
    assert result.returncode == 2
    assert "nobody" in result.stderr


BLOCK = "- **[TRM-02s]** (MUST, callee) A callee sends no second terminal.\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BLOCK, "no rationale"),
        (BLOCK + "  - Rationale: why.\n" + BLOCK, "twice"),
        ("- **[TRM-2]** (MUST, callee) Text.\n", "no clause block"),
        (BLOCK.replace("TRM", "XYZ"), "none of"),
        (BLOCK.replace("MUST", "WILL"), "none of"),
        (BLOCK + "  - Rationale: why.\n  - Answers: D2 and D3.\n", "Answers"),
    ],
)
def test_bad_clause_blocks(text: str, problem: str) -> None:
    """Each way to write a clause badly has its own message."""
    with pytest.raises(clauses.ClauseError, match=problem):
        clauses.parse(text)


def test_clause_block() -> None:
    """All parts of a block arrive."""
    notes = "  - Rationale: why.\n  - Answers: D2, D10.\n  - Exclusion: because.\n\nProse.\n"
    (clause,) = clauses.parse(BLOCK + notes)
    assert (clause.id, clause.area, clause.side, clause.level, clause.role) == (
        "TRM-02s",
        "TRM",
        "sender",
        "MUST",
        "callee",
    )
    assert (clause.rationale, clause.answers, clause.exclusion) == ("why.", ("D2", "D10"), "because.")


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        ("<!-- generated: a -->\n", {"a": ""}),
        ("<!-- generated: a -->\n<!-- end -->\n", {}),
        ("text", {"a": ""}),
        ("<!-- generated: a -->\n<!-- end -->\n" * 2, {"a": ""}),
    ],
)
def test_markers_and_blocks_fit(page: str, blocks: dict[str, str]) -> None:
    """A marker without a block, or a block without a marker, is an error and not an omission."""
    with pytest.raises(markdown.MarkerError):
        markdown.fill(page, blocks)
