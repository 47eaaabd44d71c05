"""Items that come together, and the places of calls."""

from __future__ import annotations

import pytest

from iptc_codec import (
    Ack,
    Connection,
    End,
    Event,
    Hello,
    Item,
    Items,
    LocalProtocolError,
    Open,
    Role,
    Started,
    Violation,
    encode,
    frame,
)
from iptc_codec._call_table import CALL_TABLE, LIVE, CallEvent, Sender, State
from iptc_codec._places import PLACES

UID = ("us", "1")


def caller(*cids: str) -> Connection:
    """A caller with open generators."""
    conn = Connection(UID, Role.INITIATOR)
    conn.send(Hello(*UID))
    conn.receive(frame(encode(Hello("them", "2"))))
    for cid in cids:
        conn.send(Open.of("n", "f", {}, UID, cid))
        conn.receive(frame(encode(Ack("asyncgen", cid))))
    return conn


def items(cid: str, *values: object) -> bytes:
    return b"".join(frame(encode(Item(value, cid))) for value in values)


def test_items_of_a_call_come_together() -> None:
    conn = caller("a", "b")
    data = items("a", 1, "x" * 300) + items("b", 2) + items("a", 3, 4) + frame(encode(End.of("a")))
    first, second, third, last = conn.batches(data)
    assert first == Items("a", [1, "x" * 300], [14, 316])
    assert (second, last) == (Item(2, "b"), End.of("a"))
    assert isinstance(third, Items)


def test_no_more_than_64_come_together() -> None:
    runs = list(caller("a").batches(items("a", *range(100))))
    assert [len(run.values) for run in runs if isinstance(run, Items)] == [64, 36]


def test_each_event_has_its_own_length() -> None:
    conn = caller("a")
    sizes = [(event, conn.body_bytes) for event in conn.events(items("a", 1, "four", None))]
    assert sizes == [(Item(1, "a"), 14), (Item("four", "a"), 18), (Item(None, "a"), 14)]


ODD = [
    items("b", 9),
    frame(encode(End.of("a"))),
    frame(encode(End.of("a"))) + items("a", 9),
    items("unknown", 9),
    frame(b"\x82\xa5yield\xc1\xa3cid\xa1a"),
    frame(b"\x82\xa5yielx\x01\xa3cid\xa1a"),
    frame(b"\x82\xa5yield\x01\xa3cid\x01"),
    frame(b"\x82\xa3cid\xa1a\xa5yield\x01"),
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x09\x00",
]


@pytest.mark.parametrize("more", [b"", items("a", 7, 8)])
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("before", [1, 2, 3, 6])
def test_in_a_run_or_byte_by_byte_it_is_the_same(before: int, odd: bytes, more: bytes) -> None:
    """Those before it are of one size, as is most of what is odd."""
    data = items("a", *range(before)) + odd + more
    whole, crumbs = caller("a", "b"), caller("a", "b")
    by_byte: list[Event] = [event for at in range(len(data)) for event in crumbs.receive(data[at : at + 1])]
    assert whole.receive(data) == by_byte
    assert whole.live_calls() == crumbs.live_calls()


CIDS = ["a", "b" * 31, "c" * 32, "d" * 64, "e" * 65, "f" * 256, "é", "é" * 16, "é" * 128, "\x00"]
VALUES: list[object] = [
    0,
    -1,
    1 << 40,
    None,
    "é",
    b"\xa3cid\xa1a",
    {"cid": "a"},
    [[]],
    1.5,
    "x" * 1100,
    {"a": {"b": [1]}},
]


@pytest.mark.parametrize("cid", CIDS)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_whatever_its_cid_and_values_are_a_run_says_what_was_sent(cid: str, kind: type) -> None:
    data = items(cid, *VALUES) + items("z", *VALUES) + items(cid, *VALUES)
    expected: list[Event] = [Item(value, one) for one in (cid, "z", cid) for value in VALUES]
    assert caller(cid, "z").receive(kind(data)) == expected
    for cut in range(0, len(data), 97):
        conn = caller(cid, "z")
        assert conn.receive(kind(data[:cut])) + conn.receive(kind(data[cut:])) == expected


HEAD, TAIL = b"\x82\xa5yield", b"\xa3cid\xa1a"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xc1",
        b"\x01\x02",
        b"\x91",
        b"\xa2x",
        b"\xa1\xff",
        b"\x01" + TAIL,
        b"\x82\xa1a\x01\xa1a\x02",
        b"\xd9",
    ],
)
def test_nothing_but_one_value_is_taken_for_one(value: bytes) -> None:
    """In the third place and later the value alone is read: it is refused where the whole body would be."""
    data = items("a", 1, 2) + frame(HEAD + value + TAIL) + items("a", 3)
    whole, crumbs = caller("a"), caller("a")
    by_byte: list[Event] = [event for at in range(len(data)) for event in crumbs.receive(data[at : at + 1])]
    assert whole.receive(data) == by_byte
    assert by_byte[:2] == [Item(1, "a"), Item(2, "a")]


def test_a_run_that_is_written_in_another_way_is_the_same() -> None:
    """A cid with a longer header than it needs: ENC-04r."""
    odd = b"".join(frame(HEAD + bytes([one]) + b"\xa3cid\xd9\x01a") for one in range(70))
    events = list(caller("a").events(items("a", 100) + odd + items("a", 101)))
    assert events == [Item(value, "a") for value in (100, *range(70), 101)]


def test_an_end_that_does_not_say_true_is_not_sent() -> None:
    conn = caller()
    conn.send(Open.of("n", "f", {}, UID, "a"))
    conn.receive(frame(encode(Ack("context", "a"))) + frame(encode(Started(1, "a"))))
    with pytest.raises(LocalProtocolError, match="STR-05s"):
        conn.send(End(stop=False, cid="a"))
    assert conn.send(End.of("a"))


@pytest.mark.parametrize("body", [b"\x82\xa4stop\xc2\xa3cid\xa1a", b"\x82\xa3cid\xa1a\xa4stop\xc2"])
def test_an_end_that_does_not_say_true_is_none(body: bytes) -> None:
    (violation,) = caller("a").receive(frame(body))
    assert isinstance(violation, Violation)
    assert violation.clause == "STR-05s"


def test_a_violation_ends_a_run_and_what_follows_is_not_looked_at() -> None:
    events = caller("a").receive(items("a", 1, 2) + frame(b"\xc1") + items("a", 3))
    assert events[:2] == [Item(1, "a"), Item(2, "a")]
    assert [type(event) for event in events[2:]] == [Violation]


# Places.


@pytest.mark.parametrize("opener", Role)
@pytest.mark.parametrize("seat", Role)
def test_a_place_says_what_the_table_says(seat: Role, opener: Role) -> None:
    """No more, and no less but OPEN."""
    places, ours = PLACES[seat, opener], Sender.CALLER if seat is opener else Sender.CALLEE
    assert {place.opener for place in places.values()} == {opener}
    assert all(place.place is place for place in places.values())
    (theirs,) = set(Sender) - {ours}
    for (state, sender, event), cell in CALL_TABLE.items():
        row = places[state].ours if sender is ours else places[state].theirs
        expected = places[cell.next] if cell.legal and event is not CallEvent.OPEN else None
        assert row.get(event) is expected, (state, sender, event)
        assert sender in {ours, theirs}


def test_items_lead_nowhere_else() -> None:
    """What lets a run of them be read without a look at the call."""
    for (_state, sender, event), cell in CALL_TABLE.items():
        if event is CallEvent.ITEM and cell.legal:
            assert CALL_TABLE[cell.next, sender, event].next is cell.next


@pytest.mark.parametrize("opener", Role)
def test_by_the_table_nothing_is_simply_said(opener: Role) -> None:
    seen = PLACES[None, opener]
    at_caller, at_callee = PLACES[opener, opener], PLACES[opener.other, opener]
    for place in [*seen.values(), *(place.by_table for place in (*at_caller.values(), *at_callee.values()))]:
        assert place.opener is opener
        assert not place.ours
        assert not place.theirs
    assert {state for state in State if seen[state].live} == set(LIVE)
    assert not at_caller[State.FAILED].by_table.live
    assert at_callee[State.FAILED].by_table.live
