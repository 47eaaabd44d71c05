"""The report as JSON Lines: one object per case as it ends, the summary last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class JsonLines:
    """A file that is flushed after every line, so that a run that dies leaves what it had."""

    def __init__(self, path: Path) -> None:
        """Open the file.  Raises OSError."""
        self._file = path.open("w", encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        """Add one object."""
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
