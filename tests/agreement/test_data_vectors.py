"""Codec and judge against every vector: alone as frames, and on a connection in every chunking."""

from __future__ import annotations

import pytest

from iptc_codec import encode
from tests.agreement.agreement_ends import (
    Reading,
    Verdict,
    before,
    codec_reading,
    codec_verdict,
    judge_reading,
    judge_verdict,
    plain,
)
from tests.agreement.agreement_support import (
    Vector,
    chunkings,
    from_tagged,
    normal,
    read_independently,
    to_microseconds,
    vectors,
)

VECTORS = vectors()
MESSAGES = [vector for vector in VECTORS if vector.accept and "message" in vector.accept]
FOREIGN_UID = {"open-other-uid"}
"""Legal frames that a connection refuses for what was said before them."""

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
every_message = pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector.id)


def check_reading(vector: Vector, reading: Reading) -> None:
    if vector.accept:
        assert reading == Reading(vector.accept["event"], vector.accept["kind"])
        return
    refuse = vector.refuse
    assert refuse is not None
    if vector.optional and reading.clause is None:
        return
    assert reading.event == refuse["event"]
    if refuse["event"].startswith("MALFORMED") and vector.phase == "talking":
        assert reading[2:] == (refuse["clause"], refuse["cid"], refuse["opens"])


@every_vector
def test_codec_and_judge_read_the_frame(vector: Vector) -> None:
    codec, judge = codec_reading(vector.frame)[0], judge_reading(vector.frame)[0]
    check_reading(vector, codec)
    check_reading(vector, judge)
    if not vector.optional:
        assert codec == judge


@every_message
def test_codec_hands_the_value_through(vector: Vector) -> None:
    assert vector.accept is not None
    expected = to_microseconds(from_tagged(vector.accept["message"]))
    _, message = codec_reading(vector.frame)
    assert message is not None
    assert to_microseconds(normal(plain(message))) == expected
    if vector.id != "open-cancel-no-kwargs":  # legal to receive, not to send: CXL-01s
        assert to_microseconds(read_independently(encode(message))) == expected


@every_message
def test_judge_hands_the_value_through(vector: Vector) -> None:
    assert vector.accept is not None
    _, message = judge_reading(vector.frame)
    assert message is not None
    assert normal(message.whole) == from_tagged(vector.accept["message"])


def check_verdict(vector: Vector, verdict: Verdict) -> None:
    if vector.id in FOREIGN_UID:
        assert verdict == Verdict(None, "OPN-08s", "fail-call", "c1")
    elif vector.accept:
        assert verdict == Verdict(vector.accept["kind"])
    elif not (vector.optional and verdict.clause is None):
        refuse = vector.refuse
        assert refuse is not None
        assert verdict == Verdict(None, refuse["clause"], refuse["reaction"], refuse["cid"])


@every_vector
def test_connection_reaches_the_verdict_in_every_chunking(vector: Vector) -> None:
    for chunks in chunkings(vector.frame, vector.id):
        check_verdict(vector, codec_verdict(before(vector), chunks))


@every_vector
def test_judge_reaches_the_verdict_in_every_chunking(vector: Vector) -> None:
    for chunks in chunkings(vector.frame, vector.id):
        check_verdict(vector, judge_verdict(before(vector), chunks))
