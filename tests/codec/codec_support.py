"""What the tests of a connection share: one on which both hellos have been said, and ways to talk on it."""

from __future__ import annotations

from typing import Any

import pytest

from iptc_codec import (
    Connection,
    Hello,
    HelloReceived,
    Limits,
    LocalProtocolError,
    Message,
    Open,
    Role,
    encode,
    frame,
)

US, THEM = ("us", "1"), ("them", "2")


def hear(connection: Connection, *messages: Message | bytes) -> list[Any]:
    """Receive messages, or bodies, of the other side."""
    bodies = [message if isinstance(message, bytes) else encode(message) for message in messages]
    return list(connection.receive(b"".join(map(frame, bodies))))


def say(connection: Connection, *messages: Message) -> None:
    """Send messages."""
    for message in messages:
        connection.send(message)


def refused(connection: Connection, message: Message) -> str:
    """The clause for which we may not send a message, which leaves no trace."""
    before = connection.local, connection.remote, connection.live_calls()
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(message)
    assert before == (connection.local, connection.remote, connection.live_calls())
    return caught.value.clause


def meet(limits: Limits | None = None, role: Role = Role.INITIATOR) -> Connection:
    """A connection on which both hellos have been said."""
    connection = Connection(US, role, limits or Limits())
    connection.send(Hello(*US))
    assert hear(connection, Hello(*THEM)) == [HelloReceived(THEM)]
    return connection


def ours(cid: str, func: str = "func", /, **kwargs: object) -> Open:
    """An OPEN of ours."""
    return Open.of("self" if func == "_cancel_task" else "ns", func, kwargs, US, cid)


def theirs(cid: str, func: str = "func", /, **kwargs: object) -> Open:
    """An OPEN of the other side."""
    return Open.of("self" if func == "_cancel_task" else "ns", func, kwargs, THEM, cid)


MALFORMED_CALL = bytes.fromhex("82a473746f70c2a3636964a163")  # STR-05s of the cid "c"
