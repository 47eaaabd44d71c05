"""Runs spin on one configuration of the model, in a folder of its own."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MEMORY_MB = 6000
DEPTH = 5_000_000
SPIN_SECONDS = 60
PAN_SECONDS = 900
NOBODY = 2
NO_TARGETS = 0xFFFF
UNFINISHED = ("max search depth too small", "out of memory", "MEMLIM bound")


class ModelError(Exception):
    """Spin or the compiler refused the model, or the search was not exhaustive."""


@dataclass(frozen=True)
class Configuration:
    """One exhaustive run: its name, what it shows, what it checks, and the names that it defines."""

    name: str
    about: str
    check: str
    defines: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """What a run has found: the property that is broken, or None; and what was reached on the way."""

    configuration: Configuration
    broken: str | None
    states: int
    transitions: int
    seconds: float
    reached: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    views: frozenset[tuple[str, ...]] = field(default_factory=frozenset)


def configurations(model: Path) -> dict[str, Configuration]:
    """Read `configurations.json` in the model's folder: name -> configuration, defaults filled in."""
    data: Any = json.loads((model / "configurations.json").read_text(encoding="utf-8"))
    return {
        entry["name"]: Configuration(
            entry["name"], entry["about"], entry["check"], {**data["defaults"], **entry["defines"]}
        )
        for entry in data["configurations"]
    }


def checks(configuration: Configuration) -> frozenset[str]:
    """Name the assertions and formulas that a run holds the model to."""
    defines, found = configuration.defines, {"isolation"}
    if defines["FAULTY"] != NOBODY:
        return frozenset(found | ({"innocence"} if defines["FAULTS"] == 1 else set()))
    found |= {"no_honest_violation", "one_terminal", "agreement"}
    if defines["TARGETS"] != NO_TARGETS:
        found.add("cancel_not_early")
    if defines["GOODBYES"]:
        found.add("goodbye_drains")
    found.add("no_deadlock" if configuration.check == "safety" else configuration.check)
    return frozenset(found)


def run(configuration: Configuration, peers: str, tables: str, folder: Path) -> Outcome:
    """Explore one configuration of the model whose two files have these texts.

    `folder` is made, and holds what spin and the compiler write. Raises ModelError.
    """
    folder.mkdir(parents=True)
    (folder / "peers.pml").write_text(peers, encoding="utf-8")
    (folder / "tables.pml").write_text(tables, encoding="utf-8")
    defines = "".join(f"#define {name} {value}\n" for name, value in configuration.defines.items())
    (folder / "model.pml").write_text(f'{defines}#include "peers.pml"\n', encoding="utf-8")
    fair = configuration.check != "safety"
    _tool(["spin", "-a", "model.pml"], folder)
    kind = ["-DNFAIR=3"] if fair else ["-DSAFETY"]
    # No partial order reduction: it would save nothing here, and no reached cell is left out.
    _tool(["gcc", "-O2", "-w", "-DNOREDUCE", f"-DMEMLIM={MEMORY_MB}", *kind, "-o", "pan", "pan.c"], folder)
    search = ["./pan", f"-m{DEPTH}", *(["-a", "-f", "-N", configuration.check] if fair else [])]
    started = time.monotonic()
    text = _tool(search, folder, PAN_SECONDS)
    return read_outcome(configuration, text, time.monotonic() - started)


def _tool(command: list[str], folder: Path, seconds: int = SPIN_SECONDS) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{folder.name}: {command[0]} took more than {seconds} s") from error
    if done.returncode and command[0] != "./pan":
        raise ModelError(f"{folder.name}: {command[0]} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def read_outcome(configuration: Configuration, text: str, seconds: float) -> Outcome:
    """Read what the verifier has printed. Raises ModelError if its search was not exhaustive."""
    lines = [line.split() for line in text.splitlines()]
    if any(sign in text for sign in UNFINISHED):
        raise ModelError(f"{configuration.name}: the search was not exhaustive\n{text[-2000:]}")
    return Outcome(
        configuration,
        _broken(configuration, text),
        _number(r"^ *(\d+) states, stored", text),
        _number(r"^ *(\d+) transitions", text),
        seconds,
        frozenset(tuple(line[1:]) for line in lines if line[:1] == ["reached"]),
        frozenset(tuple(line[1:]) for line in lines if line[:1] == ["views"]),
    )


def _broken(configuration: Configuration, text: str) -> str | None:
    """The name of the broken property, from what the verifier says of its first error."""
    if found := re.search(r"assertion violated \(?(\w+)", text):
        return found[1]
    if "acceptance cycle" in text:
        return configuration.check
    if "invalid end state (at" in text:
        return "no_deadlock"
    if _number(r"errors: (\d+)", text):
        raise ModelError(f"{configuration.name}: an error without a name\n{text[-2000:]}")
    return None


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ModelError(f"the verifier has not finished:\n{text[-2000:]}")
    return int(found[1])
