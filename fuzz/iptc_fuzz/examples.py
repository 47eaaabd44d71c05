"""The vectors and dialogues of the specification, as inputs to begin with."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata
from iptc_fuzz.strategies.dialogues import tour, walked
from iptc_fuzz.traffic import Chunk, pack

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 2000
"""Bytes; what is longer makes a fuzzer slow, and the tests of the specification run it anyway."""


def _every(kind: str) -> Iterator[dict[str, Any]]:
    folder = _specdata.spec_root() / f"v{_specdata.PROTOCOL_VERSION}" / kind
    for path in sorted(folder.glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))[kind]


@cache
def frames() -> list[bytes]:
    """The frames of the vectors."""
    found = [bytes.fromhex(vector["frame"]) for vector in _every("vectors") if "frame" in vector]
    return [frame for frame in found if len(frame) <= _LONGEST]


def bodies() -> list[bytes]:
    """The bodies of the vectors."""
    return [frame[4:] for frame in frames()]


def streams() -> list[bytes]:
    """The frames of the vectors on connections, a few on each, as packed traffic."""
    hello, every = walked([]), frames()
    runs = [every[at : at + 3] for at in range(0, len(every), 3)]
    return [pack([*hello, *(Chunk("initiator", frame) for frame in run)]) for run in runs]


@cache
def dialogues() -> list[bytes]:
    """The dialogues, and a way to every cell of the call table, as packed traffic."""
    found = [pack(map(_chunk, dialogue["steps"])) for dialogue in _every("dialogues")]
    return [data for data in found if len(data) <= _LONGEST] + tour()


def _chunk(step: dict[str, Any]) -> Chunk:
    return Chunk(step["from"], bytes.fromhex(step.get("hex", "")), "eof" in step)
