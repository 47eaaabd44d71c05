"""What the other end may call: an explicit list, and nothing else (RUN-03r)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

from iptc_codec import CANCEL_FUNCTION

from ._duplex import serve_duplex

_F = TypeVar("_F", bound=Callable[..., Any])

RUNTIME = CANCEL_FUNCTION[0]
"""The namespace of the runtime itself: a closed list, to which nothing can be exported (RUN-01r)."""


Functype = Literal["asyncfunc", "asyncgen", "context"]

_NAMED = frozenset({inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY})
_REST = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


class Kind(StrEnum):
    """The three kinds of call, by their `functype` (OPN-05s)."""

    ASYNCFUNC = "asyncfunc"
    ASYNCGEN = "asyncgen"
    CONTEXT = "context"


class NotExportedError(LookupError):
    """Nothing of that name is exported. `type_str` is the name under which tractor's callers know it."""

    def __init__(self, detail: str, type_str: str) -> None:
        super().__init__(detail)
        self.type_str = type_str


@dataclass(frozen=True)
class Export:
    """One callable function."""

    function: Callable[..., Any]
    kind: Kind
    signature: inspect.Signature
    functype: Functype
    """As the ACK says it."""
    names: frozenset[str]
    needed: frozenset[str]

    @classmethod
    def of(cls, function: Callable[..., Any], kind: Kind) -> Export:
        """Look at a function once, so that most calls need no second look at its signature."""
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[kind is Kind.CONTEXT :]
        names = frozenset(one.name for one in parameters if one.kind in _NAMED)
        needed = frozenset(
            one.name for one in parameters if one.default is one.empty and one.kind not in _REST
        )
        return cls(function, kind, signature, kind.value, names, needed)

    def check(self, kwargs: Mapping[str, object]) -> None:
        """Raise `TypeError` if the function can't be called with these (OPN-07s)."""
        if self.needed <= kwargs.keys() <= self.names:
            return
        if self.kind is Kind.CONTEXT:
            self.signature.bind(None, **kwargs)
        else:
            self.signature.bind(**kwargs)


class Exports:
    """The functions that a peer serves, by namespace and name.

    Add them with the decorators, or with `add`::

        exports = Exports()

        @exports.function("mymodule")
        async def echo(value): ...
    """

    def __init__(self) -> None:
        self._namespaces: dict[str, dict[str, Export]] = {}

    def add(
        self, ns: str, function: Callable[..., Any], *, name: str | None = None, kind: Kind | None = None
    ) -> None:
        """Export a function as `ns`.`name`, the function's own name by default.

        An async function is served as a unary call, an async generator function as a stream; `kind` is needed
        only for a context. Raises `TypeError` for anything else, sync functions among it, and `ValueError`
        for a name that can't be exported.
        """
        name = name or getattr(function, "__name__", "")
        served = self._namespaces.setdefault(ns, {})
        if not name or name.startswith("__") or ns == RUNTIME or name in served:
            raise ValueError(f"{ns!r}.{name!r} cannot be exported, or is already")
        served[name] = Export.of(function, _kind_of(function, kind))

    def function(self, ns: str, *, name: str | None = None) -> Callable[[_F], _F]:
        """Decorate an async function or an async generator function."""

        def export(function: _F) -> _F:
            self.add(ns, function, name=name)
            return function

        return export

    def context(self, ns: str, *, name: str | None = None) -> Callable[[_F], _F]:
        """Decorate an async function that takes a `ServedContext` before its keywords."""

        def export(function: _F) -> _F:
            self.add(ns, function, name=name, kind=Kind.CONTEXT)
            return function

        return export

    def duplex(self, ns: str, *, name: str | None = None) -> Callable[[_F], _F]:
        """Decorate an async generator function whose callers use `asend`; it is served as a context."""

        def export(function: _F) -> _F:
            self.add(ns, serve_duplex(function), name=name, kind=Kind.CONTEXT)
            return function

        return export

    def find(self, ns: str, name: str) -> Export:
        """The function exported under these names. Raises `NotExportedError` (OPN-06s)."""
        served = self._namespaces.get(ns)
        if served is None:
            raise NotExportedError(f"no namespace {ns!r} is exported", "ModuleNotExposed")
        if name not in served:
            raise NotExportedError(f"{ns!r} exports no {name!r}", "AttributeError")
        return served[name]


def _kind_of(function: Callable[..., Any], wanted: Kind | None) -> Kind:
    if inspect.isasyncgenfunction(function):
        possible = [Kind.ASYNCGEN]
    elif inspect.iscoroutinefunction(function):
        possible = [Kind.ASYNCFUNC, Kind.CONTEXT]
    else:
        raise TypeError(f"{function!r} is neither an async function nor an async generator function")
    if wanted is not None and wanted not in possible:
        raise TypeError(f"{function!r} cannot be served as {wanted.value}")
    return wanted or possible[0]
