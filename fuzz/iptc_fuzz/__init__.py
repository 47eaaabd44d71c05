"""Fuzzers for IPTC implementations, and the strategies that they draw from.

Strategies (of hypothesis), for whoever tests an implementation of their own:

- `values`, `nested`, `illegal_values`: what applications hand over, and what they must not
- `messages`, `bodies`, `frames`: legal messages as plain values, and as bytes in every legal form of msgpack
- `broken_messages`, `broken_bodies`, `broken_frames`: legal ones with something changed where it counts
- `chunkings`: ways to cut bytes
- `dialogues`, `packed_dialogues`: whole conversations, walks over the tables of the specification
- `from_json_schema`: JSON that `messages.schema.json` describes

`TARGETS` are what is fuzzed here: each takes bytes and raises where an invariant does not hold.
"""

from __future__ import annotations

from iptc_fuzz.strategies.chunks import chunkings, cut
from iptc_fuzz.strategies.dialogues import dialogues, packed_dialogues, recut
from iptc_fuzz.strategies.encodings import write
from iptc_fuzz.strategies.json_schema import generate as from_json_schema
from iptc_fuzz.strategies.malformed import broken_bodies, broken_frames, broken_messages, illegal_values
from iptc_fuzz.strategies.messages import bodies, cids, frames, messages
from iptc_fuzz.strategies.values import nested, values
from iptc_fuzz.targets.registry import TARGETS, Target
from iptc_fuzz.traffic import Chunk, pack, unpack

__all__ = [
    "TARGETS",
    "Chunk",
    "Target",
    "bodies",
    "broken_bodies",
    "broken_frames",
    "broken_messages",
    "chunkings",
    "cids",
    "cut",
    "dialogues",
    "frames",
    "from_json_schema",
    "illegal_values",
    "messages",
    "nested",
    "pack",
    "packed_dialogues",
    "recut",
    "unpack",
    "values",
    "write",
]
