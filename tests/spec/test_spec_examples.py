"""The worked examples of the specification are real frames of legal conversations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8")
CALL = json.loads((ROOT / "spec/v1/call.json").read_text(encoding="utf-8"))
MESSAGES = Draft202012Validator(
    json.loads((ROOT / "spec/v1/messages.schema.json").read_text(encoding="utf-8"))
)

LINE = re.compile(r"^(?P<sender>\w+) -> (?P<receiver>\w+): (?P<message>.+)$")
EVENTS = {"started": "STARTED", "yield": "ITEM", "stop": "END", "return": "RESULT", "error": "FAIL"}

Step = tuple[str, Any, bytes]


def example(block: str) -> list[Step]:
    """Read an example: a line with sender and message, then the bytes of its frame."""
    steps: list[Step] = []
    for line in block.splitlines():
        if match := LINE.match(line):
            steps.append((match["sender"], json.loads(match["message"]), b""))
        else:
            sender, message, data = steps.pop()
            steps.append((sender, message, data + bytes.fromhex(line)))
    return steps


FENCE = re.compile(r"^```hex\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [example(block) for block in FENCE.findall(PROTOCOL)]


def event_name(steps: list[Step]) -> str:
    """Name an example after its first message."""
    return json.dumps(steps[0][1])[:40]


def event_of(message: dict[str, Any]) -> tuple[str, str]:
    """Name the event of a call message, and its cid."""
    if "cmd" in message:
        return "OPEN", message["cmd"][4]
    if "functype" in message:
        return f"ACK_{message['functype'].upper()}", message["cid"]
    if message.get("error", {}).get("type_str") == "StreamOverrun":
        return "OVERRUN", message["cid"]
    return next(EVENTS[key] for key in message if key != "cid"), message["cid"]


def test_there_are_examples() -> None:
    """Hello, the three kinds, cancel, errors, overrun, goodbye and a duplex call are shown."""
    assert len(EXAMPLES) >= 9
    shown = {event_of(m)[0] for steps in EXAMPLES for _, m, _ in steps if isinstance(m, dict) and len(m) > 1}
    assert shown == set(CALL["events"]) - {"MALFORMED", "OPEN"}


@pytest.mark.parametrize("steps", EXAMPLES, ids=event_name)
def test_bytes_are_the_message(steps: list[Step]) -> None:
    """Each frame is a length and exactly the message that stands above it."""
    for _, message, data in steps:
        length = int.from_bytes(data[:4], "little")
        assert length == len(data) - 4
        assert msgspec.msgpack.decode(data[4:]) == message
        MESSAGES.validate(message)


@pytest.mark.parametrize("steps", [s for s in EXAMPLES if "cmd" in str(s)], ids=event_name)
def test_conversation_is_legal(steps: list[Step]) -> None:
    """The call table takes each conversation, and each of its calls ends."""
    states: dict[str, str] = {}
    for sender, message, _ in steps:
        event, cid = event_of(message)
        cell = CALL["cells"][states.get(cid, "idle")][sender][event]
        assert "keeps" in cell, (cid, sender, event)
        states[cid] = cell["next"]
    assert not any(CALL["states"][state]["live"] for state in states.values())
