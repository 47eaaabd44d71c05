"""What a user can do wrong."""

from __future__ import annotations

EXIT_INTERRUPTED = 130


class UsageError(Exception):
    """The command can't be carried out as it was given: a message without traceback, and exit code 2."""
