"""The public surface is what `__all__` says, all of it documented."""

from __future__ import annotations

import importlib
import types

import pytest

PACKAGES = ["iptc_codec", "iptc_codec.peer"]


def public_names(module: types.ModuleType) -> set[str]:
    """Name what a user can see in the package and would take for its own."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "annotations" and not isinstance(value, types.ModuleType)
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_all_names_exactly_what_is_public(name: str) -> None:
    module = importlib.import_module(name)
    dunders = {each for each in module.__all__ if each.startswith("__")}
    assert len(set(module.__all__)) == len(module.__all__)
    assert public_names(module) == set(module.__all__) - dunders
    assert all(hasattr(module, each) for each in dunders)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    callables = {each: getattr(module, each) for each in module.__all__ if callable(getattr(module, each))}
    assert callables
    assert [each for each, value in callables.items() if not (value.__doc__ or "").strip()] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_method_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    classes = [value for each in module.__all__ if isinstance(value := getattr(module, each), type)]
    undocumented = [
        f"{cls.__name__}.{attribute}"
        for cls in classes
        for attribute, value in vars(cls).items()
        if not attribute.startswith("_")
        and isinstance(value, types.FunctionType | classmethod | staticmethod | property)
        and not (value.__doc__ or "").strip()
    ]
    assert undocumented == []
