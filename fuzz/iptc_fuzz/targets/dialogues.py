"""Target `dialogues`: both sides of a conversation, judged by the codec's rules and by the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptc_fuzz.observers import CodecObserver, JudgeObserver
from iptc_fuzz.strategies import dialogues
from iptc_fuzz.traffic import unpack

if TYPE_CHECKING:
    from hypothesis import strategies as st

INVARIANTS = """Between the two sides, codec and judge find the same at every chunk: clause, reaction, cid.
It holds up to the first violation that closes, for any traffic: legal, illegal, garbage, in any chunks.
Every cell of call.json that can be met is met."""

DEEP = "ENC-06r"


def inputs() -> st.SearchStrategy[bytes]:
    """Traffic of both sides."""
    return dialogues.packed_dialogues()


def check(data: bytes) -> None:
    """Raise AssertionError where codec and judge differ."""
    codec, judge = CodecObserver(), JudgeObserver()
    gone = set()
    for chunk in unpack(data):
        if chunk.side in gone:
            continue  # a side that is gone says nothing
        if chunk.eof:
            gone.add(chunk.side)
        by_codec, by_judge = codec.feed(chunk), judge.feed(chunk)
        if any(found.clause == DEEP for found in by_codec):
            return  # may be refused; target `frames` says when
        assert by_codec == by_judge, f"codec {by_codec}, judge {by_judge}, at {chunk}"
        if any(found.reaction == "close" for found in by_judge):
            return  # what the other side still says, neither has to judge
