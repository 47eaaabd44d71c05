"""The `iptc` command. Until the extra is known to be there, this module uses the standard library alone."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_EXTRA = ("cyclopts", "jsonschema", "rich", "trio")
_EXIT_BAD_INVOCATION = 2


def main(argv: list[str] | None = None) -> int:
    """Run the command line: 0 as expected, 1 findings, 2 bad invocation or nothing judged, 3 our fault."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        print(
            f"iptc needs {', '.join(missing)}, which the extra brings: pip install 'iptc-codec[conformance]'",
            file=sys.stderr,
        )
        return _EXIT_BAD_INVOCATION
    from iptc_conformance.cli.running import run  # noqa: PLC0415  (needs the extra)

    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
