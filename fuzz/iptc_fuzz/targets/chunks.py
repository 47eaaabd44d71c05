"""Target `chunks`: what one end makes of a stream, however it is cut, and what it holds meanwhile."""

from __future__ import annotations

import itertools
from contextlib import suppress

from hypothesis import strategies as st

from iptc_codec import (
    Connection,
    DecodeError,
    Deframer,
    Event,
    Fail,
    HalfState,
    Limits,
    LocalProtocolError,
    Message,
    Reaction,
    Sender,
    Violation,
    decode,
)
from iptc_fuzz.held import held
from iptc_fuzz.observers import ROLES
from iptc_fuzz.strategies import dialogues
from iptc_fuzz.strategies.dialogues import recut, walked
from iptc_fuzz.strategies.malformed import broken_bodies, broken_frames
from iptc_fuzz.strategies.messages import UIDS, frames
from iptc_fuzz.traffic import Chunk, pack, unpack

INVARIANTS = """The same bytes give the same events, whole, byte by byte, or in any chunks (FRM-01r).
No bytes raise; after a violation that closes and after the end nothing more is looked at.
Held are at most one frame within frame_bytes, the calls within open_calls, and finished_calls ended ones."""

LIMITS = Limits(frame_bytes=600, open_calls=3, finished_calls=2)
_OPENED = 2 * LIMITS.open_calls  # as many CANCELs again as calls (OPN-12r)


def inputs() -> st.SearchStrategy[bytes]:
    """Traffic: dialogues, and streams of frames good, bad and torn."""
    stream = st.lists(frames() | broken_frames() | broken_bodies(), max_size=8)
    hello = walked([])[:2]
    streams = st.builds(
        lambda parts, how: pack(recut([*hello, *(Chunk("initiator", part) for part in parts)], how)),
        stream,
        st.integers(0, 9),
    )
    return dialogues.packed_dialogues() | streams


def check(data: bytes) -> None:
    """Raise AssertionError where the events differ, or too much is held."""
    chunks = unpack(data)
    as_given = _live(chunks)
    for how in (1, 2):
        # What we say ourselves stays in its place among what we hear.
        again = _live(recut(chunks, how))
        assert again == as_given, f"cut otherwise ({how}): {again}"


def _live(chunks: list[Chunk]) -> list[Event]:
    """What an acceptor hears, that says its own part of the traffic as far as it may."""
    end = Connection(UIDS["acceptor"], ROLES["acceptor"], LIMITS)
    heard: list[Event] = []
    own = _own_messages(chunks)
    for mine, run in itertools.groupby(chunks, key=lambda chunk: chunk.side == "acceptor"):
        if mine:
            _say(end, own)
            continue
        before = len(heard)
        for chunk in run:
            heard += end.receive(chunk.data) + (end.receive_eof() if chunk.eof else [])
            _check_bytes(end, len(chunk.data))
        # Only now, so that what we say stands in the same place however the run is cut.
        _answer(end, heard[before:])
        _check_calls(end, len(heard) - before)
    return heard


def _own_messages(chunks: list[Chunk]) -> list[Message]:
    """All that we say, at whatever time."""
    found = []
    for body in Deframer(LIMITS).feed(b"".join(chunk.data for chunk in chunks if chunk.side == "acceptor")):
        with suppress(DecodeError):
            found.append(decode(bytes(body)))
    return found


def _say(end: Connection, messages: list[Message]) -> None:
    """Say all that we ever say, as far as we may now; so it does not hang on how we are cut."""
    for message in messages:
        with suppress(LocalProtocolError):
            end.send(message)


def _answer(end: Connection, events: list[Event]) -> None:
    """Answer, as their callee, the calls that were spoiled."""
    for event in events:
        if not isinstance(event, Violation) or event.reaction is not Reaction.FAIL_CALL:
            continue
        if event.cid and event.sender_role is Sender.CALLER:
            with suppress(LocalProtocolError):
                end.send(Fail.of("ProtocolError", "", event.cid))


def _check_bytes(end: Connection, chunk: int) -> None:
    frame = held(end).frame
    assert frame <= LIMITS.frame_bytes + 4 + chunk, f"{frame} bytes are held"


def _check_calls(end: Connection, run: int) -> None:
    _, calls, ended = held(end)
    assert ended <= LIMITS.finished_calls, "too many ended calls are remembered"
    # Ours, theirs, and, if we may not speak any more, those refused within the run.
    most = 2 * _OPENED + LIMITS.finished_calls + (run if end.local is not HalfState.TALKING else 0)
    assert calls <= most, f"{calls} calls are held"
