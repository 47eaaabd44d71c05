"""Carrying out a command line: what its exit code says, whatever becomes of it."""

from __future__ import annotations

import errno
import sys
import traceback

from cyclopts import CycloptsError

from iptc_conformance.cli.app import app
from iptc_conformance.cli.errors import EXIT_INTERRUPTED, UsageError

EXIT_BAD_INVOCATION = 2
EXIT_HARNESS_FAULT = 3


def run(argv: list[str]) -> int:
    """Carry out a command line and return its exit code."""
    if argv[-1:] == ["--"]:  # a variable that is unset, say: nothing shall pass for the command that it lacks
        print("iptc: nothing follows `--`", file=sys.stderr)
        return EXIT_BAD_INVOCATION
    try:
        if not argv:
            app(["--help"], exit_on_error=False, result_action="return_value")
            return EXIT_BAD_INVOCATION
        code = app(argv, exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return EXIT_BAD_INVOCATION
    except UsageError as error:
        print(f"iptc: {error}", file=sys.stderr)
        return EXIT_BAD_INVOCATION
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_BAD_INVOCATION
    except KeyboardInterrupt:
        return _interrupted()
    except BaseExceptionGroup as group:
        return _of_group(group)
    except OSError as error:
        return _of_output(error)
    except Exception:  # noqa: BLE001  (whatever is left is our own fault, never the testee's)
        traceback.print_exc()
        return EXIT_HARNESS_FAULT
    return code if isinstance(code, int) else 0


def _of_output(error: OSError) -> int:
    """A full disk under the standard output is the user's; whatever else is left is our own fault."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        traceback.print_exception(error)
        return EXIT_HARNESS_FAULT
    print(f"iptc: the output can't be written: {error.strerror}", file=sys.stderr)
    return EXIT_BAD_INVOCATION


def _of_group(group: BaseExceptionGroup[BaseException]) -> int:
    """Ctrl-C inside a nursery comes wrapped."""
    if group.subgroup(KeyboardInterrupt) is not None:
        return _interrupted()
    traceback.print_exception(group)
    return EXIT_HARNESS_FAULT


def _interrupted() -> int:
    print("iptc: interrupted", file=sys.stderr)
    return EXIT_INTERRUPTED
