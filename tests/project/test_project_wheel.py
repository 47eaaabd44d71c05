"""The wheel: what is in it, and what works where only it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"iptc_codec", "iptc_conformance", "iptc_fuzz"}
SECONDS = 240

CODEC_SESSION = """
import importlib.util
from iptc_codec import Connection, Hello, HelloReceived, Role

assert importlib.util.find_spec("trio") is None
left = Connection(("left", "1"), role=Role.INITIATOR)
right = Connection(("right", "2"), role=Role.ACCEPTOR)
(event,) = right.receive(left.send(Hello("left", "1")))
assert isinstance(event, HelloReceived) and event.uid == ("left", "1"), event
print("ok")
"""


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command away from the checkout, with nothing of this environment but the path to the registry."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel from a copy that holds the project's files and nothing else."""
    copy = tmp_path_factory.mktemp("copy")
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    run(sys.executable, "-m", "build", "--outdir", "dist", cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    """Name every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def install(folder: Path, requirement: str) -> Path:
    """Make an empty environment, install the requirement, and give its folder of programs."""
    run(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", requirement, cwd=folder)
    return python.parent


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel alone is installed."""
    return install(tmp_path_factory.mktemp("bare"), str(wheel))


@pytest.fixture(scope="session")
def suite(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed with the suite's extra."""
    return install(tmp_path_factory.mktemp("suite"), f"iptc-codec[conformance] @ {wheel.as_uri()}")


def test_the_wheel_holds_three_packages_and_nothing_else(wheel: Path, names: set[str]) -> None:
    top_level = {name.split("/")[0] for name in names}
    assert {name for name in top_level if not name.endswith(".dist-info")} == PACKAGES
    assert len(top_level) == len(PACKAGES) + 1
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    check = Path(sys.executable).with_name("check-wheel-contents")
    run(check, "--toplevel", ",".join(sorted(PACKAGES)), wheel, cwd=wheel.parent)


@pytest.mark.parametrize(("home", "packaged"), [("spec", "_spec"), ("conformance/cases", "_cases")])
def test_the_wheel_holds_the_data_of_the_checkout(names: set[str], home: str, packaged: str) -> None:
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", home, cwd=ROOT
    ).stdout.splitlines()
    data = {name.removeprefix(f"{home}/") for name in listed if (ROOT / name).is_file()}
    prefix = f"iptc_conformance/{packaged}/"
    assert {name.removeprefix(prefix) for name in names if name.startswith(prefix)} == data
    assert any(name.startswith("v1/") and name.endswith(".json") for name in data)


def test_the_adapters_of_other_peers_stay_at_home(names: set[str]) -> None:
    assert not [name for name in names if "tractor" in name or "/peers/" in name]


def test_the_codec_requires_msgspec_alone(wheel: Path, names: set[str]) -> None:
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        fields = message_from_bytes(archive.read(metadata))
    required = [line for line in fields.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [line.split(">")[0] for line in required] == ["msgspec"]
    assert fields["License-Expression"] == "Apache-2.0"
    assert metadata.replace("METADATA", "licenses/LICENSE") in names


def test_the_codec_works_with_msgspec_alone(bare: Path, tmp_path: Path) -> None:
    assert run(bare / "python", "-I", "-c", CODEC_SESSION, cwd=tmp_path).stdout == "ok\n"


@pytest.mark.parametrize("arguments", [[], ["conform"], ["list"], ["check", "trace.jsonl"]])
def test_without_its_extra_the_command_says_which_one_to_install(
    bare: Path, tmp_path: Path, arguments: list[str]
) -> None:
    done = run(bare / "iptc", *arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "iptc-codec[conformance]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_installed_suite_judges_the_installed_reference(suite: Path, tmp_path: Path) -> None:
    run(suite / "iptc", "conform", "--jsonl", "results.jsonl", cwd=tmp_path)
    assert '"summary"' in (tmp_path / "results.jsonl").read_text().splitlines()[-1]


def test_the_installed_suite_knows_its_cases_and_clauses(suite: Path, tmp_path: Path) -> None:
    assert "TRM-02s" in run(suite / "iptc", "list", cwd=tmp_path).stdout
    assert "TRM-02s" in run(suite / "iptc", "show", "TRM-02s", cwd=tmp_path).stdout


def test_the_installed_judge_reads_a_trace(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert run(suite / "iptc", "check", "empty.jsonl", cwd=tmp_path, check=False).returncode == 2
