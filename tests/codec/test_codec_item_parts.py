"""Items of one call that are written one after the other, without a look at each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iptc_codec import Ack, Connection, Item, Limits, UnencodableValueError
from tests.codec.codec_support import hear, meet, say, theirs

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
CIDS = st.text("aé☃🎈", min_size=1, max_size=64)


def streaming(*cids: str, limits: Limits | None = None) -> Connection:
    """A connection on which we serve a stream of each of these."""
    connection = meet(limits)
    hear(connection, *map(theirs, cids))
    say(connection, *(Ack("asyncgen", cid) for cid in cids))
    return connection


@given(st.lists(VALUES, max_size=4), st.lists(CIDS, min_size=1, max_size=2, unique=True))
def test_they_are_written_as_each_alone(values: list[Any], cids: list[str]) -> None:
    connection, alone = streaming(*cids), streaming(*cids)
    for value in values:
        for cid in cids:
            assert connection.takes_items(cid)
            assert b"".join(connection.item_parts(value, cid)) == alone.send(Item(value, cid))


@pytest.mark.parametrize(
    "value",
    [object(), msgspec.Raw(b""), msgspec.Raw(b"\x01\x02"), msgspec.Raw(b"\x92\x01"), [msgspec.Raw(b"\xc1")]],
)
def test_what_is_no_one_value_is_refused(value: object) -> None:
    connection = streaming("c")
    with pytest.raises(UnencodableValueError) as caught:
        connection.item_parts(value, "c")
    assert caught.value.clause == "TRM-05s"
    assert b"".join(connection.item_parts(1, "c")) == connection.send(Item(1, "c"))


def test_one_that_is_too_long_is_refused_to_the_byte() -> None:
    connection = streaming("c", limits=Limits(frame_bytes=1024))
    size = 1024 - len(b"".join(connection.item_parts(b"x" * 300, "c"))) + 4 + 300
    assert len(b"".join(connection.item_parts(b"x" * size, "c"))) == 4 + 1024
    with pytest.raises(UnencodableValueError) as caught:
        connection.item_parts(b"x" * (size + 1), "c")
    assert caught.value.clause == "FRM-03s"
