"""The report as JSON Lines: one object per case as it ends, the summary last."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class JsonLines:
    """A file that is flushed after every line, so that a run that dies leaves what it had."""

    def __init__(self, path: Path) -> None:
        """Open the file.  Raises OSError."""
        self._file = path.open("w", encoding="utf-8")
        self.failure: OSError | None = None
        """Why the file ends early, if it does: a full disk is no reason to end the run."""

    def write(self, line: dict[str, Any]) -> None:
        """Add one object, unless an earlier one could not be written."""
        if self.failure is not None:
            return
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            self.failure = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is still held
            self._file.close()
