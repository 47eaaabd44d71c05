"""Where results go, and how a table is printed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "reports" / "bench"


def options(description: str | None) -> argparse.ArgumentParser:
    """The option that all commands have."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON files")
    return parser


def timing(description: str | None, *, rounds: int, seconds: float) -> argparse.ArgumentParser:
    """The options that all benchmarks have, with their defaults."""
    parser = options(description)
    parser.add_argument(
        "--rounds", type=_at_least_one, default=rounds, help="alternating rounds (%(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=seconds,
        help="about so long for each figure of a round (%(default)s)",
    )
    return parser


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least one")
    return value


def write(folder: Path, name: str, result: dict[str, Any]) -> Path:
    """Write a benchmark's result as JSON, with what it ran on; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"benchmark": name, "on": machine(), **result}, indent=1) + "\n")
    return path


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """The result of a benchmark that has run before."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def machine() -> dict[str, object]:
    """What the figures depend on, as far as it can be said without naming the machine."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        **{name: version(name) for name in ("msgspec", "trio") if find_spec(name)},
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def say(line: str = "") -> None:
    """Print a line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    say(markdown(head, rows))


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown, aligned for people."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
