"""What the README shows is run: its Python examples, and its commands with the output they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SECONDS = 240
MARK = "\x1e"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    text: str


def blocks(page: str, language: str) -> list[Block]:
    """Find the fenced blocks of one language."""
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [
        Block(page.count("\n", 0, match.start()) + 1, match[1], match[2])
        for match in found
        if match[1] == language
    ]


def commands(session: str) -> list[tuple[str, str]]:
    """Split a console session into commands and what is shown of their output."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)
    assert not parts[0], "a console block starts with a command"
    found = []
    for part in parts[1:]:
        command, _, output = re.sub(r"\\\n", "", part).partition("\n")
        found.append((command, output))
    return found


def matches(shown: str, printed: str) -> bool:
    """Compare line by line; `…` stands for any text in a line, and alone for any lines.

    What is shown as nothing may print anything.
    """
    pattern = ""
    for line in shown.splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += r"[^\n]*".join(re.escape(piece.rstrip()) for piece in line.split("…")) + r"[ ]*\n"
    return not shown or re.fullmatch(pattern, printed) is not None


def run_session(session: str) -> list[tuple[str, str, str]]:
    """Run a session's commands in one shell; give each command, what is shown, what it printed."""
    wanted = commands(session)
    script = "\n".join(f"printf '{MARK}'\n{command}" for command, _ in wanted)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**inherited, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, text=True, timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    printed = done.stdout.split(MARK)[1:]
    assert len(printed) == len(wanted), done.stdout
    return [(command, shown, text) for (command, shown), text in zip(wanted, printed, strict=True)]


PAGE = README.read_text()


@pytest.mark.parametrize("block", blocks(PAGE, "python"), ids=lambda block: f"line-{block.line}")
def test_a_python_example_runs(block: Block, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text], cwd=tmp_path, text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    shown = [line.partition("#: ")[2] for line in block.text.splitlines() if "#: " in line]
    assert done.stdout.splitlines() == shown


@pytest.mark.parametrize("block", blocks(PAGE, "console"), ids=lambda block: f"line-{block.line}")
def test_a_console_session_prints_what_is_shown(block: Block) -> None:
    for command, shown, printed in run_session(block.text):
        assert matches(shown, printed), f"$ {command}\n{printed}"


def test_the_three_doors_have_an_example_each() -> None:
    assert len(blocks(PAGE, "python")) >= 2
    assert len(blocks(PAGE, "console")) >= 2


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("", "anything\n", True),
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a …\n", "a 17 s\n", True),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n…\nz\n", "a\nb\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_shown_output_is_compared(shown: str, printed: str, *, same: bool) -> None:
    assert matches(shown, printed) is same


def test_every_link_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("conformance/**/*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
