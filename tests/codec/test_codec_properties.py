"""What holds for every stream of bytes and for every course that two connections can take."""

from __future__ import annotations

import contextlib
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from iptc_codec import (
    Ack,
    Connection,
    End,
    Event,
    Fail,
    Fatal,
    Goodbye,
    Hello,
    Item,
    Limits,
    LocalProtocolError,
    Message,
    Open,
    Result,
    Role,
    Started,
    Violation,
    encode,
    frame,
)

QUIET = settings(deadline=None, derandomize=True, max_examples=150)
UIDS = {Role.INITIATOR: ("i", "1"), Role.ACCEPTOR: ("a", "2")}
CIDS = ("i1", "i2", "i3", "a1", "a2")


def messages(uid: tuple[str, str]) -> st.SearchStrategy[Message]:
    """Any message of a side, about a few calls; it opens only cids of its own (CID-07s)."""
    cids = st.sampled_from(CIDS)
    own = st.sampled_from([cid for cid in CIDS if cid[0] == uid[0]])
    values = st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=3)
    functypes = st.sampled_from(("asyncfunc", "asyncgen", "context"))
    return st.one_of(
        st.builds(lambda cid: Open.of("ns", "f", {}, uid, cid), own),
        st.builds(lambda cid, hit: Open.of("self", "_cancel_task", {"cid": hit}, uid, cid), own, cids),
        st.builds(Ack, functypes, cids),
        st.builds(Started, values, cids),
        st.builds(Item, values, cids),
        st.builds(End.of, cids),
        st.builds(Result, values, cids),
        st.builds(lambda kind, cid: Fail.of(kind, "", cid), st.sampled_from(("E", "StreamOverrun")), cids),
        # Rare, for they end the conversation.
        st.integers(0, 9).map(lambda n: [Goodbye(), Fatal.of("E", "")][n % 2] if n < 2 else Item(n, "i1")),
    )


GARBAGE = st.binary(max_size=12)
ALIENS = messages(UIDS[Role.INITIATOR])
BROKEN_OPENS = (
    encode(Open.of("ns", "f", {}, ("no", "body"), "i1")),
    bytes.fromhex("81a3636d649501a16680920102a26931"),  # OPN-01s
)


def feed(chunks: list[bytes]) -> list[Event]:
    """What an acceptor makes of a stream, with its end."""
    connection = Connection(UIDS[Role.ACCEPTOR], Role.ACCEPTOR, Limits(frame_bytes=1000))
    connection.send(Hello(*UIDS[Role.ACCEPTOR]))
    connection.send(Open.of("ns", "f", {}, UIDS[Role.ACCEPTOR], "a1"))
    events = [event for chunk in chunks for event in connection.receive(chunk)]
    return events + connection.receive_eof()


@QUIET
@given(st.lists(st.builds(encode, ALIENS) | GARBAGE, max_size=12), st.lists(st.integers(0, 999), max_size=5))
def test_any_chunking_gives_the_same_events(bodies: list[bytes], cuts: list[int]) -> None:
    """FRM-01r, to the last event: whole, in chunks, byte by byte."""
    stream = b"".join(map(frame, [encode(Hello(*UIDS[Role.INITIATOR])), *bodies]))
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    whole = feed([stream])
    assert feed([stream[a:b] for a, b in itertools.pairwise(edges)]) == whole
    assert feed([bytes([byte]) for byte in stream]) == whole


@QUIET
@given(
    st.lists(GARBAGE | st.builds(frame, GARBAGE) | st.builds(lambda m: frame(encode(m)), ALIENS), max_size=8)
)
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    """Whatever comes, events come out; the last one is the end of the stream."""
    assert feed(chunks)
    assert feed([frame(encode(Hello(*UIDS[Role.INITIATOR]))), *chunks])


class Wire:
    """Two connections, and what is on its way between them."""

    def __init__(self, remembered: int) -> None:
        limits = Limits(finished_calls=remembered)
        self.ends = {role: Connection(uid, role, limits) for role, uid in UIDS.items()}
        self.flying: dict[Role, list[bytes]] = {role: [] for role in Role}
        for role, uid in UIDS.items():
            self.send(role, Hello(*uid))

    def send(self, role: Role, message: Message) -> bool:
        """Let a side say something, if it may."""
        try:
            self.flying[role].append(self.ends[role].send(message))
        except LocalProtocolError:
            return False
        return True

    def deliver(self, role: Role) -> list[Event]:
        """Let the oldest frame of a side arrive."""
        return self.ends[role.other].receive(self.flying[role].pop(0)) if self.flying[role] else []


def candidates(uid: tuple[str, str]) -> list[Message]:
    """Every message that a side could think of, about every call."""
    own = [cid for cid in CIDS if cid[0] == uid[0]]
    found: list[Message] = [Open.of("ns", "f", {}, uid, cid) for cid in own]
    found += [Open.of("self", "_cancel_task", {"cid": hit}, uid, cid) for cid in own for hit in CIDS]
    for cid in CIDS:
        found += [Ack("asyncfunc", cid), Ack("asyncgen", cid), Ack("context", cid), Started(1, cid)]
        found += [
            Item(1, cid),
            End.of(cid),
            Result(1, cid),
            Fail.of("E", "", cid),
            Fail.of("StreamOverrun", "", cid),
        ]
    return found


CANDIDATES = {role: candidates(uid) for role, uid in UIDS.items()}
FAREWELLS: list[Message] = [Goodbye(), Fatal.of("E", "")]
MOVES = st.lists(st.tuples(st.sampled_from(list(Role)), st.none() | st.integers(0, 10_000)), max_size=80)


REMEMBERED = st.sampled_from((0, 1, 3))


@QUIET
@given(
    MOVES,
    st.none() | st.tuples(st.integers(0, 80), st.sampled_from(list(Role)), st.sampled_from(FAREWELLS)),
    REMEMBERED,
)
def test_two_ends_that_keep_to_the_rules_never_catch_each_other(
    moves: list[tuple[Role, int | None]], farewell: tuple[int, Role, Message] | None, remembered: int
) -> None:
    """Whatever each may send, whenever it arrives, the other takes or ignores: the races are all legal.

    But for what comes late for a call that is forgotten: with little memory that is dropped, as if unknown.
    """
    wire = Wire(remembered)
    for number, (role, choice) in enumerate(moves):
        if farewell and number == farewell[0]:
            wire.send(farewell[1], farewell[2])
        if choice is None:
            check(wire.deliver(role), remembered)
        else:
            at = choice % len(CANDIDATES[role])
            any(wire.send(role, message) for message in CANDIDATES[role][at:] + CANDIDATES[role][:at])
    for role in Role:
        while wire.flying[role]:
            check(wire.deliver(role), remembered)


def check(events: list[Event], remembered: int) -> None:
    """Nobody has violated anything, as far as can be remembered."""
    found = {event.clause for event in events if isinstance(event, Violation)}
    assert found <= (set() if remembered == 3 else {"CID-04s"})


@QUIET
@given(
    st.lists(st.tuples(st.booleans(), ALIENS | st.sampled_from(BROKEN_OPENS)), max_size=30),
    st.integers(0, 30),
    st.sampled_from((0, 1, 3)),
)
def test_no_message_raises_however_little_is_remembered(
    heard: list[tuple[bool, Message | bytes]], leaves_at: int, remembered: int
) -> None:
    """TRM-03r: a call may be forgotten in the very step that ends it, by whatever rule."""
    us, them = UIDS[Role.ACCEPTOR], UIDS[Role.INITIATOR]
    connection = Connection(us, Role.ACCEPTOR, Limits(finished_calls=remembered))
    connection.send(Hello(*us))
    connection.receive(frame(encode(Hello(*them))))
    for number, (opens, message) in enumerate(heard):
        if number == leaves_at:
            send_if_legal(connection, Goodbye())
        if opens:
            send_if_legal(connection, Open.of("ns", "f", {}, us, "a1"))
            send_if_legal(connection, Open.of("self", "_cancel_task", {"cid": "a1"}, us, "a2"))
        connection.receive(frame(message if isinstance(message, bytes) else encode(message)))


def send_if_legal(connection: Connection, message: Message) -> None:
    """Say something, if we may."""
    with contextlib.suppress(LocalProtocolError):
        connection.send(message)
