"""Imports run one way: read from the source, and then seen in a running interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

# What a sans-IO package has no use for: sockets, clocks, tasks, threads, files.
IO_MODULES = {
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "subprocess", "threading", "time"),
    *("io", "os", "pathlib", "select", "selectors", "signal", "socket", "socketserver", "ssl"),
}

# The modules of the `iptc` command behind the subcommands that are a peer; loaded when one is called.
DISPATCHERS = {"iptc_conformance.cli.peers", "iptc_conformance.cli.fuzzing"}


@dataclass(frozen=True)
class Package:
    """An import package and what it may import besides the standard library."""

    name: str
    folder: Path
    may_import: frozenset[str]
    never: frozenset[str] = frozenset()
    without: tuple[Path, ...] = ()

    def modules(self) -> Iterator[tuple[str, Path]]:
        """Yield the dotted name and the path of each module."""
        for path in sorted(self.folder.rglob("*.py")):
            if not any(path.is_relative_to(part) for part in self.without):
                parts = path.relative_to(self.folder).with_suffix("").parts
                dotted = ".".join((self.name, *(part for part in parts if part != "__init__")))
                yield dotted, path


CODEC = Package(
    "iptc_codec",
    ROOT / "iptc_codec",
    frozenset({"iptc_codec", "msgspec"}),
    never=frozenset(IO_MODULES | {"iptc_codec.peer"}),
    without=(ROOT / "iptc_codec" / "peer",),
)
PEER = Package("iptc_codec.peer", ROOT / "iptc_codec" / "peer", frozenset({"iptc_codec", "msgspec", "trio"}))
SUITE = Package(
    "iptc_conformance",
    ROOT / "conformance" / "iptc_conformance",
    frozenset(
        {
            "iptc_conformance",
            "trio",
            "jsonschema",
            "referencing",
            "rich",
            "cyclopts",
            "jinja2",
            "pytest",
            "junitparser",
        }
    ),
)
FUZZ = Package(
    "iptc_fuzz",
    ROOT / "fuzz" / "iptc_fuzz",
    frozenset(
        {"iptc_fuzz", "iptc_codec", "iptc_conformance", "hypothesis", "msgspec", "trio"}
        | {"jsonschema", "msgpack", "atheris", "redis"}
    ),
)
PACKAGES = [CODEC, PEER, SUITE, FUZZ]


def imported(source: str, module: str, *, is_package: bool) -> set[str]:
    """Name every module that the source imports, relative and constant dynamic imports included."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=name, names=names, level=level):
                base = [*(here[: len(here) - level + 1] if level else []), *([name] if name else [])]
                found.add(".".join(base))
                found |= {".".join([*base, alias.name]) for alias in names}
            case ast.Call(
                func=ast.Attribute(attr="import_module" | "run_module")
                | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                found.add(name)
            case _:
                pass
    return found


def within(name: str, packages: set[str] | frozenset[str]) -> bool:
    """Tell whether the name is one of the packages or lies inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def offences(package: Package, module: str, source: str, *, is_package: bool) -> set[str]:
    """Name the imports that the package's rule forbids."""
    allowed = package.may_import | sys.stdlib_module_names
    if module in DISPATCHERS:
        allowed |= {"iptc_codec", "iptc_fuzz", "hypothesis"}
    names = imported(source, module, is_package=is_package)
    return {name for name in names if not within(name, allowed) or within(name, package.never)}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_imports_only_what_its_rule_allows(package: Package) -> None:
    found = {
        module: bad
        for module, path in package.modules()
        if (bad := offences(package, module, path.read_text(), is_package=path.name == "__init__.py"))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("package", "line", "offence"),
    [
        (CODEC, "import trio", "trio"),
        (CODEC, "from socket import socket", "socket"),
        (CODEC, "from . import peer", "iptc_codec.peer"),
        (CODEC, "from .peer._client import open_peer", "iptc_codec.peer._client"),
        (PEER, "import iptc_conformance", "iptc_conformance"),
        (SUITE, "import msgspec.msgpack", "msgspec.msgpack"),
        (SUITE, "def f():\n    from iptc_codec import Connection", "iptc_codec"),
        (SUITE, "importlib.import_module('iptc_codec.peer')", "iptc_codec.peer"),
        (FUZZ, "import rich", "rich"),
    ],
)
def test_the_rule_sees_every_way_to_import(package: Package, line: str, offence: str) -> None:
    assert offence in offences(package, f"{package.name}.some_module", line, is_package=False)


def loaded_by(statement: str, watched: set[str], folder: Path) -> set[str]:
    """Run the statement in a fresh interpreter away from the checkout; name the watched modules it loaded."""
    code = f"{statement}\nimport sys\nprint(*sorted({watched!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_importing_the_codec_brings_no_io(tmp_path: Path) -> None:
    watched = {"trio", "asyncio", "socket", "ssl", "selectors", "subprocess", "iptc_codec.peer", "iptc_codec"}
    assert loaded_by("import iptc_codec", watched, tmp_path) == {"iptc_codec"}


def test_importing_all_of_the_suite_but_its_dispatchers_brings_neither_codec_nor_msgspec(
    tmp_path: Path,
) -> None:
    modules = [module for module, _ in SUITE.modules()]
    assert set(modules) > DISPATCHERS
    loaded = f"import {', '.join(module for module in modules if module not in DISPATCHERS)}"
    watched = {"iptc_codec", "msgspec", "iptc_conformance"}
    assert loaded_by(loaded, watched, tmp_path) == {"iptc_conformance"}
