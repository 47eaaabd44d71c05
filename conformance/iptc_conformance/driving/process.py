"""Processes of the implementation under test: how they are ended, and what they have printed."""

from __future__ import annotations

import os
import signal
from typing import IO, TYPE_CHECKING

import trio

if TYPE_CHECKING:
    import subprocess

_DYING_SECONDS = 1.0
_ORPHAN_SECONDS = 0.3
_POLL_PAUSE = 0.05
_TAIL_BYTES = 2000


class NothingJudgedError(Exception):
    """There is nothing to judge: nothing listens, or the command does not start."""


async def end_group(process: subprocess.Popen[bytes] | trio.Process) -> None:
    """End a process and the others of its group: SIGTERM first, SIGKILL a second later.

    What a wrapper has started may outlive it, and gets a moment more.
    """
    for ending in (signal.SIGTERM, signal.SIGKILL):
        _signal_group(process.pid, ending)
        with trio.move_on_after(_DYING_SECONDS) as waiting, trio.CancelScope(shield=True):
            while process.poll() is None:
                await trio.sleep(_POLL_PAUSE)
                if waiting.cancel_called:
                    break
        if process.poll() is not None:
            break
    with trio.CancelScope(shield=True):
        await _over(process)
        await _end_orphans(process.pid)


async def _end_orphans(group: int) -> None:
    """End what is left of a group whose first process has ended. Not waited for: others reap it."""
    with trio.move_on_after(_ORPHAN_SECONDS):
        while _is_alive(group):  # noqa: ASYNC110  (nothing tells when a group is over)
            await trio.sleep(_POLL_PAUSE)
        return
    _signal_group(group, signal.SIGKILL)


def tail(output: IO[bytes] | None) -> str:
    """The end of what a process has printed, for people; nothing if it has printed nothing."""
    if output is None:
        return ""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    text = output.read().decode(errors="replace").strip()
    output.seek(0, os.SEEK_END)
    return f". Its last output:\n{text}" if text else ""


async def _over(process: subprocess.Popen[bytes] | trio.Process) -> None:
    """Reap a process that has ended."""
    code = process.wait()
    if not isinstance(code, int):
        await code


def _is_alive(group: int) -> bool:
    """Whether a process group has a member that has not ended."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a member that is not ours to end
        return False
    return True


def _signal_group(group: int, ending: signal.Signals) -> None:
    try:
        os.killpg(group, ending)
    except (ProcessLookupError, PermissionError):
        return
