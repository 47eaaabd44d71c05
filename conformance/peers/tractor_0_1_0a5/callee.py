"""Serve the fixture namespace from a tractor 0.1.0a5 root actor on 127.0.0.1:$IPTC_PORT.

Runs in an environment of its own, which `make conform-tractor` makes from `requirements.txt`.
Ends with status 1 when the actor is lost, whatever lost it; the suite then starts another.
SIGTERM keeps its default action, which works however wedged the actor is.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import threading
import time

import tractor
import trio

_HOST = "127.0.0.1"
_PARENT_CHECK_SECONDS = 1.0


def _leave_with_parent(parent: int) -> None:
    """End the process when its parent is gone.

    In a thread: a wedged event loop must not keep an orphan alive.
    """
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    print("callee: the parent process is gone, leaving", file=sys.stderr, flush=True)
    os._exit(1)


async def _serve(namespace: str, port: int) -> None:
    async with tractor.open_root_actor(
        arbiter_addr=(_HOST, port), loglevel="critical", enable_modules=[namespace]
    ) as actor:
        # Where something answers on the port already, tractor quietly listens on another one.
        if not actor.is_arbiter:
            raise SystemExit(f"callee: port {port} is taken")
        # `self.cancel` from a peer takes the listener away and leaves the process: nothing to test there.
        await actor._cancel_complete.wait()  # noqa: SLF001  no public name for it


def main() -> None:
    """Parse the command line and serve until the actor is lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--namespace", default="iptc_testee", help="the name under which the functions are served"
    )
    namespace = parser.parse_args().namespace
    if "IPTC_PORT" not in os.environ:
        parser.error("set IPTC_PORT to the port to listen on")
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    sys.modules[namespace] = importlib.import_module("iptc_testee")
    try:
        trio.run(_serve, namespace, int(os.environ["IPTC_PORT"]))
    except BaseException as lost:
        if isinstance(lost, SystemExit | KeyboardInterrupt):
            raise
        print(f"callee: the actor is lost: {lost!r:.200}", file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit("callee: the actor was cancelled")


if __name__ == "__main__":
    main()
