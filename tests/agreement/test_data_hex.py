"""The bytes against the values beside them, read by a msgpack library that the project does not use."""

from __future__ import annotations

import pytest

from tests.agreement.agreement_support import (
    Dialogue,
    Vector,
    dialogues,
    from_tagged,
    read_independently,
    vectors,
)

ACCEPTED = [vector for vector in vectors() if vector.accept and "message" in vector.accept]
SAID = [dialogue for dialogue in dialogues() if any("message" in step for step in dialogue.steps)]


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector.id)
def test_message_of_vector(vector: Vector) -> None:
    frame = vector.frame
    assert int.from_bytes(frame[:4], "little") == len(frame) - 4
    assert vector.accept is not None
    assert read_independently(frame[4:]) == from_tagged(vector.accept["message"])


@pytest.mark.parametrize("dialogue", SAID, ids=lambda dialogue: dialogue.id)
def test_messages_of_dialogue(dialogue: Dialogue) -> None:
    for step in dialogue.steps:
        if "message" in step:
            frame = bytes.fromhex(step["hex"])
            assert int.from_bytes(frame[:4], "little") == len(frame) - 4
            assert read_independently(frame[4:]) == from_tagged(step["message"])


def test_values_are_left_out_only_where_they_are_long_or_open() -> None:
    without = [vector for vector in vectors() if vector.accept and "message" not in vector.accept]
    written = {vector.id for vector in without if "frame" in vector.raw}
    assert written == {"open-kwargs-repeated", "value-key-repeated", "value-key-true-and-one"}


def test_lengths_are_true() -> None:
    clauses = {"FRM-03s", "FRM-04s"}
    for vector in vectors():
        if vector.refuse is None or vector.refuse["clause"] not in clauses:
            frame = vector.frame
            assert int.from_bytes(frame[:4], "little") == len(frame) - 4, vector.id
