"""Where examples are kept: in a folder of this worker, or in a Redis that workers on many machines share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_SECONDS = 5.0
"""A Redis that does not answer for so long is taken to be gone."""


class DatabaseError(Exception):
    """There is no such database: a bad URL, nothing that answers there, or no client for it."""


def database(url: str | None, folder: Path) -> ExampleDatabase:
    """Return where hypothesis keeps examples: for `redis://…` what machines share, else a folder.

    Raises DatabaseError where the URL is bad, no Redis answers, or the package redis is missing.
    """
    if url is None:
        return DirectoryBasedExampleDatabase(folder)
    try:
        import redis  # noqa: PLC0415  (an extra)
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415  (needs the package redis)
    except ModuleNotFoundError:
        raise DatabaseError(
            "the package redis is missing, which an extra brings: pip install 'iptc-codec[fuzz-redis]'"
        ) from None
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
        client.ping()
    except ValueError as error:
        raise DatabaseError(f"no URL of a Redis, like redis://HOST:PORT: {error}") from None
    except redis.RedisError as error:
        raise DatabaseError(f"no Redis answers: {error}") from None
    return Shared(RedisExampleDatabase(client), redis.RedisError)


class Shared(ExampleDatabase):
    """A database that may go away: the worker is told once, and goes on alone.

    `gone`: what the database raises then. Hours of work are worth more than the examples of others.
    """

    def __init__(
        self, database: ExampleDatabase, gone: type[Exception], tell: Callable[[str], None] | None = None
    ) -> None:
        super().__init__()
        self._database = database
        self._gone = gone
        self._tell = tell or _tell

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key, sorted: Redis keeps them in no order."""
        try:
            return sorted(self._database.fetch(key), key=lambda value: (len(value), value))
        except self._gone as error:
            self._alone(error)
            return []

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        try:
            self._database.save(key, value)
        except self._gone as error:
            self._alone(error)
            self._database.save(key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example that shows nothing any more."""
        try:
            self._database.delete(key, value)
        except self._gone as error:
            self._alone(error)

    def _alone(self, error: Exception) -> None:
        self._tell(f"--database: {error}; going on without it")
        self._database = InMemoryExampleDatabase()


class Under(ExampleDatabase):
    """The part of a database that is one target's: hypothesis tells tests apart by their source alone."""

    def __init__(self, database: ExampleDatabase, name: str) -> None:
        super().__init__()
        self._database = database
        self._prefix = f"{name}:".encode()

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a key."""
        return self._database.fetch(self._prefix + key)

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._database.save(self._prefix + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example that shows nothing any more."""
        self._database.delete(self._prefix + key, value)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
