"""Write, or with `--check` verify, every file that is derived from the specification.

Exit status: 0 when all is up to date (or has been written), 1 when `--check` found a difference,
2 when a source cannot be read.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from iptc_conformance import coverage
from tools.generation import (
    case_lines,
    clauses,
    codec_tables,
    markdown,
    promela,
    promela_reach,
    protocol_tables,
)

ROOT = Path(__file__).resolve().parents[1]
SUMMARY_LINES = 40


def derive(root: Path) -> dict[str, str]:
    """Derive every generated file below `root`: repository-relative path -> text."""
    protocol = (root / "PROTOCOL.md").read_text(encoding="utf-8")
    found = clauses.parse(protocol)
    blocks = protocol_tables.blocks(root / "spec" / "v1", found, clauses.headings(protocol))
    blocks |= promela_reach.blocks(root / "spec" / "v1")
    return {
        "PROTOCOL.md": case_lines.fill(markdown.fill(protocol, blocks), _cases()),
        "spec/v1/clauses.json": clauses.render(found),
        **codec_tables.render(root / "spec" / "v1"),
        **promela.render(root / "spec" / "v1"),
    }


def _cases() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the cases of this checkout: clause -> role -> ids."""
    return {clause.clause: clause.cases for clause in coverage.coverage()}


def check(root: Path, derived: dict[str, str]) -> list[str]:
    """Compare `derived` with the files below `root`; the lines of a diff, none if all agree."""
    lines: list[str] = []
    for name, text in sorted(derived.items()):
        path = root / name
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if present != text:
            diff = difflib.unified_diff(
                present.splitlines(),
                text.splitlines(),
                f"{name} (present)",
                f"{name} (derived)",
                lineterm="",
                n=0,
            )
            lines.extend([f"{name} differs from what is derived:", *list(diff)[:SUMMARY_LINES]])
    return lines


def write(root: Path, derived: dict[str, str]) -> list[str]:
    """Write what differs; the names of the files written."""
    written = []
    for name, text in sorted(derived.items()):
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(name)
    return written


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Derive files from the specification.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a difference")
    options = parser.parse_args()
    try:
        derived = derive(ROOT)
    except (clauses.ClauseError, markdown.MarkerError) as error:
        print(f"PROTOCOL.md: {error}", file=sys.stderr)
        return 2
    if options.check:
        differences = check(ROOT, derived)
        if differences:
            print("\n".join(differences))
            print("Run `python tools/generate.py` and commit what it writes.")
        return 1 if differences else 0
    for name in write(ROOT, derived):
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
