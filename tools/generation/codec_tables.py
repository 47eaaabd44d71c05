"""Renders the codec's table modules from the tables of the specification.

A row of the specification becomes a row of Python, in the same order: the codec adds nothing and drops only
prose and `keeps`, which is the judge's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEAD = '''"""{about}

GENERATED from {source} by tools/generate.py: edit the specification, not this file.
"""

from __future__ import annotations

'''


def render(spec: Path) -> dict[str, str]:
    """Map the path of each generated module, from the top of the repository, to its text.

    `spec` is the folder of one version, with `call.json`, `connection.json` and `limits.json`.
    """
    call, connection, limits = (
        json.loads((spec / f"{name}.json").read_text("utf-8")) for name in ("call", "connection", "limits")
    )
    version = f"spec/{spec.name}"
    return {
        "iptc_codec/_call_table.py": "".join(_call_module(call, f"{version}/call.json")),
        "iptc_codec/_connection_table.py": "".join(
            _connection_module(connection, f"{version}/connection.json")
        ),
        "iptc_codec/_limits_table.py": "".join(_limits_module(limits, f"{version}/limits.json")),
    }


def _call_module(call: Mapping[str, Any], source: str) -> Iterator[str]:
    yield HEAD.format(about="The life of a call: where every event in every state leads.", source=source)
    yield "from enum import Enum\nfrom typing import Final, NamedTuple\n\n\n"
    yield _enum(
        "State", "A state of a call.", {name: state["about"] for name, state in call["states"].items()}
    )
    yield _enum("Sender", "Which end of a call sends.", dict.fromkeys(call["senders"], ""))
    yield _enum("CallEvent", "What the call table sees of a message.", call["events"])
    yield _enum("Reaction", "What a violation costs.", call["reactions"])
    yield _CALL_CELL
    initial, live = call["initial"], [name for name, state in call["states"].items() if state["live"]]
    yield f"INITIAL: Final = {_member('State', initial)}\n\n# fmt: off\n"
    yield f"LIVE: Final = frozenset({{{', '.join(_member('State', name) for name in live)}}})\n\n"
    yield "CALL_TABLE: Final[dict[tuple[State, Sender, CallEvent], Cell]] = {\n"
    for state, senders in call["cells"].items():
        for sender, cells in senders.items():
            for event, cell in cells.items():
                key = (_member("State", state), _member("Sender", sender), _member("CallEvent", event))
                yield f"    ({', '.join(key)}): {_call_cell(state, cell)},\n"
    yield "}\n# fmt: on\n"


_CALL_CELL = '''class Breach(NamedTuple):
    """A violation: its clause (`frame`: the one that the frame itself breaks) and what it costs."""

    clause: str
    reaction: Reaction


class Cell(NamedTuple):
    """One cell of the call table: where it leads, and what is wrong with the message, if anything.

    `crossed` says why a message is ignored: it was in flight when the call ended. Nobody may send it
    knowingly.
    """

    next: State
    breach: Breach | None = None
    crossed: str | None = None

    @property
    def legal(self) -> bool:
        """Whether the message takes effect, and may be sent."""
        return self.breach is None and self.crossed is None


'''


def _call_cell(state: str, cell: Mapping[str, Any]) -> str:
    following = _member("State", cell.get("next", state))
    if "violates" in cell:
        return f"Cell({following}, {_breach(cell)})"
    if "ignore" in cell:
        return f"Cell({following}, crossed={json.dumps(cell['ignore'])})"
    return f"Cell({following})"


def _breach(cell: Mapping[str, Any]) -> str:
    return f'Breach("{cell["violates"]}", {_member("Reaction", cell["reaction"])})'


def _connection_module(connection: Mapping[str, Any], source: str) -> Iterator[str]:
    yield HEAD.format(
        about="One half of a connection: where every event in every state leads.", source=source
    )
    yield "from enum import Enum\nfrom typing import Final, NamedTuple\n\n"
    yield "from ._call_table import Breach, Reaction\n\n\n"
    states, effects = connection["states"], connection["effects"]
    yield _enum("HalfState", "What one side has sent so far.", states)
    yield _enum("HalfEvent", "What the connection's table sees of a frame.", connection["events"])
    yield _enum("CallEffect", "What the call table makes of a frame.", effects["call"])
    yield _enum("CallsEffect", "What a frame does to all calls of the connection.", effects["calls"])
    yield _HALF_CELL
    yield f"HALF_INITIAL: Final = {_member('HalfState', connection['initial'])}\n\n"
    cancel = connection["cancel"]
    kwargs = ", ".join(json.dumps(name) for name in cancel["kwargs"])
    yield f'CANCEL_FUNCTION: Final = ("{cancel["ns"]}", "{cancel["func"]}")\n'
    yield '"""The namespace and the function of a CANCEL (CXL-01s)."""\n\n'
    yield f"CANCEL_KWARGS: Final = frozenset({{{kwargs}}})\n\n"
    yield "# fmt: off\nHALF_TABLE: Final[dict[tuple[HalfState, HalfEvent], HalfCell]] = {\n"
    for state, cells in connection["cells"].items():
        for event, cell in cells.items():
            yield f"    ({_member('HalfState', state)}, {_member('HalfEvent', event)}): {_half_cell(cell)},\n"
    yield "}\n# fmt: on\n"


_HALF_CELL = '''class HalfCell(NamedTuple):
    """One cell of the table of a half: where it leads, what is wrong, what it does to calls."""

    next: HalfState
    breach: Breach | None = None
    call: CallEffect | None = None
    calls: CallsEffect | None = None


'''


def _half_cell(cell: Mapping[str, Any]) -> str:
    parts = [_member("HalfState", cell["next"])]
    if "violates" in cell:
        parts.append(_breach(cell))
    if "call" in cell:
        parts.append(f"call={_member('CallEffect', cell['call'])}")
    if "calls" in cell:
        parts.append(f"calls={_member('CallsEffect', cell['calls'])}")
    return f"HalfCell({', '.join(parts)})"


def _limits_module(limits: Mapping[str, Any], source: str) -> Iterator[str]:
    yield HEAD.format(about="The limits, and what the reference uses by default.", source=source)
    yield "from typing import Final\n"
    for name, limit in limits["limits"].items():
        yield f"\n{name.upper()}: Final = {_number(limit['default'])}\n"
        yield f'"""In {limit["unit"]}: {limit["about"]} [{limit["clause"]}]."""\n'


def _number(value: float) -> str:
    return f"{value:_}" if isinstance(value, int) else repr(value)


def _enum(name: str, about: str, members: Mapping[str, str]) -> str:
    # Members compare by identity: hashing them so, in C, is what keeps a step through the tables cheap.
    lines = [f"class {name}(Enum):", f'    """{about}"""', ""]
    for member, meaning in members.items():
        lines.append(f'    {_upper(member)} = "{member}"')
        if meaning:
            lines.append(f'    """{meaning[0].upper()}{meaning[1:]}."""')
    return "\n".join([*lines, "", "    __hash__ = object.__hash__", "", "", ""])


def _member(enum: str, name: str) -> str:
    return f"{enum}.{_upper(name)}"


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
