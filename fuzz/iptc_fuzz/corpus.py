"""The committed corpus: inputs that the targets are run on, one folder for each target."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "corpus"
"""In a checkout; an installed package has none."""


def inputs(target: str) -> list[Path]:
    """Return the files of a target's corpus, in a fixed order."""
    folder = FOLDER / target
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
