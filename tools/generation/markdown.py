"""Derived text inside a hand-written Markdown page.

A derived block stands between two markers, each on its own line:

    <!-- generated: NAME -->
    …
    <!-- end -->
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BLOCK = re.compile(r"^<!-- generated: (?P<name>[a-z-]+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)
_BEGIN = re.compile(r"^<!-- generated:", re.MULTILINE)


class MarkerError(Exception):
    """The markers of a page and the derived blocks do not fit together."""


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Return `page` with each block between its markers replaced by the text of that name.

    Raises MarkerError unless every block has its markers, once, and every marker its block.
    """
    names = [match["name"] for match in _BLOCK.finditer(page)]
    if len(names) != len(_BEGIN.findall(page)):
        raise MarkerError("a `generated` marker is malformed or has no `end`")
    if sorted(names) != sorted(blocks):
        raise MarkerError(f"the markers are {sorted(names)}, the blocks are {sorted(blocks)}")
    return _BLOCK.sub(lambda match: _enclose(match["name"], blocks[match["name"]]), page)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a Markdown table; a `|` inside a cell is escaped."""
    lines = [_row(head), _row(["---"] * len(head))]
    lines.extend(_row(row) for row in rows)
    return "\n".join(lines)


def slug(heading: str) -> str:
    """Return the anchor that Markdown renderers give to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _enclose(name: str, text: str) -> str:
    return f"<!-- generated: {name} -->\n\n{text}\n\n<!-- end -->"
