"""Mermaid state diagrams of `call.json` and `connection.json`: the legal moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Table = Mapping[str, Any]
Move = tuple[str, str]


def call_diagram(call: Table) -> str:
    """Draw the legal moves of a call; violations are left to the table."""
    edges: dict[Move, dict[str, list[str]]] = {}
    for source, sender, event, target in _call_moves(call):
        edges.setdefault((source, target), {}).setdefault(sender, []).append(event)
    labels = {
        move: "; ".join(f"{s} {', '.join(e)}" for s, e in senders.items()) for move, senders in edges.items()
    }
    return _draw(call, labels)


def _label(senders: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{sender} {', '.join(events)}" for sender, events in senders.items())


def connection_diagram(connection: Table) -> str:
    """Draw the legal moves of one half of a connection."""
    edges: dict[Move, list[str]] = {}
    for source, row in connection["cells"].items():
        for event, cell in row.items():
            if "keeps" in cell:
                edges.setdefault((source, cell["next"]), []).append(event)
    return _draw(connection, {move: ", ".join(events) for move, events in edges.items()})


def _call_moves(call: Table) -> Iterator[tuple[str, str, str, str]]:
    for source, senders in call["cells"].items():
        for sender, row in senders.items():
            for event, cell in row.items():
                if "keeps" in cell or ("ignore" in cell and "next" in cell):
                    yield source, sender, event, cell["next"]


def _draw(machine: Table, labels: Mapping[Move, str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state}" as {_name(state)}' for state in machine["states"] if "-" in state]
    lines.append(f"    [*] --> {_name(machine['initial'])}")
    lines += [f"    {_name(a)} --> {_name(b)}: {label}" for (a, b), label in labels.items()]
    return "\n".join([*lines, "```"])


def _name(state: str) -> str:
    """Mermaid takes no hyphen in the name of a state."""
    return state.replace("-", "_")
