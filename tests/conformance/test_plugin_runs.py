"""The pytest plugin: the cases as tests, the baseline as expected failures, and nobody else disturbed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from iptc_conformance.cases import load_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
HONEST = ROOT / "tests/conformance/honest_peer.py"
REFERENCE = f"{sys.executable} -m iptc_codec.peer.testee"
DRIVER = f"{sys.executable} -m iptc_codec.peer.driver"
SECONDS = 90
NAME = "pytest_cases.py"
PACKAGE = ("--pyargs", "iptc_conformance")


def peer(variant: str) -> list[str]:
    """The options that judge a variant of the honest peer."""
    return ["--iptc-callee-command", f"{sys.executable} {HONEST} {variant}", "--iptc-timeout", "1"]


class Run:
    """One pytest run in a folder of its own."""

    def __init__(self, pytester: pytest.Pytester, *options: str) -> None:
        pytester.makeini("[pytest]\nfilterwarnings = error\n")
        self.result = pytester.runpytest_subprocess(
            *("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--junit-xml=report.xml", "-rA"),
            *options,
            timeout=SECONDS,
        )
        self.code = self.result.ret
        self.text = self.result.stdout.str() + self.result.stderr.str()
        report = pytester.path / "report.xml"
        self.cases = (
            {case.get("name", ""): case for case in ET.parse(report).iter("testcase")}  # noqa: S314
            if report.exists()
            else {}
        )

    def kinds(self) -> dict[str, list[str]]:
        """Per case what pytest makes of it: nothing for passed, failure, skipped, error."""
        return {
            name: [child.tag for child in case if child.tag not in {"properties", "system-out"}]
            for name, case in self.cases.items()
        }

    def property(self, case: str, name: str) -> str | None:
        """What is noted for a program."""
        found = [each.attrib for each in self.cases[case].iter("property") if each.attrib["name"] == name]
        return found[0]["value"] if found else None


@pytest.fixture(autouse=True)
def _checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def nodes(*cases: str) -> list[str]:
    """The node ids of cases."""
    return [f"{ROOT / 'conformance/iptc_conformance' / NAME}::{case}" for case in cases]


def baseline(folder: Path, entries: dict[str, Any]) -> str:
    """A baseline file."""
    path = folder / "baseline.json"
    path.write_text(json.dumps({"version": 1, "peer": "p", "cases": entries}))
    return str(path)


def test_both_roles_by_their_ids(pytester: pytest.Pytester) -> None:
    run = Run(
        pytester,
        *PACKAGE,
        *("--iptc-callee-command", REFERENCE, "--iptc-caller", DRIVER),
        *("-k", "opn-unary or rob-int"),
    )
    assert run.code == 0, run.text
    wanted = {case.id for case in load_cases() if "opn-unary" in case.id or "rob-int" in case.id}
    assert set(run.cases) == wanted
    assert {"opn-unary", "caller-opn-unary", "rob-int", "caller-rob-int"} <= wanted
    assert run.property("rob-int", "verdict") == "pass"
    assert "ROB-02r" in str(run.property("rob-int", "clauses"))
    assert f"PASSED {NAME}::opn-unary" in run.text
    assert "IPTC conformance" in run.text


def test_a_node_id_selects_its_case(pytester: pytest.Pytester) -> None:
    run = Run(pytester, *nodes("str-count"), "--iptc-callee-command", REFERENCE)
    assert run.code == 0, run.text
    assert list(run.cases) == ["str-count"]


def test_a_failure_prints_what_the_suite_prints(pytester: pytest.Pytester) -> None:
    run = Run(pytester, *peer("doubled-stop"), *nodes("str-echo", "opn-unary"))
    assert run.code == 1, run.text
    assert run.kinds()["str-echo"] == ["failure"]
    assert run.kinds()["opn-unary"] == []
    for part in (
        "STR-03s",
        "A side closes its half at most once",
        "usually: ",
        f"again:   iptc conform callee --only str-echo -- {sys.executable}",
        "← END",
    ):
        assert part in run.text
    assert "Traceback" not in run.text
    assert "CaseFailed" not in run.text.replace("- CaseFailed", "")


def test_a_dead_peer_is_started_again(pytester: pytest.Pytester) -> None:
    run = Run(pytester, *peer("dies"), *nodes("rob-int", "rob-str", "opn-unary", "hsk-second-hello"))
    crashed = [name for name in run.cases if run.property(name, "verdict") == "crash"]
    assert {"rob-int", "rob-str"} <= set(crashed)
    assert run.kinds()["opn-unary"] == []
    assert run.code == 1


def test_the_baseline_makes_expected_failures_and_finds_stale_entries(pytester: pytest.Pytester) -> None:
    entries = {
        "str-echo": {"verdict": "fail", "reason": "the stop is doubled", "ref": "D7"},
        "opn-unary": {"verdict": "fail", "reason": "mended long ago"},
        "no-such-case": {"verdict": "fail", "reason": "renamed"},
    }
    expect = ["--iptc-expect", baseline(pytester.path, entries)]
    run = Run(pytester, *peer("doubled-stop"), *expect, *nodes("str-echo", "opn-unary", "no-such-case"))
    assert run.code == 1, run.text
    kinds = run.kinds()
    assert kinds["str-echo"] == ["skipped"]
    assert kinds["opn-unary"] == kinds["no-such-case"] == ["failure"]
    assert "XFAIL" in run.text
    assert "D7 the stop is doubled" in run.text
    assert run.text.count("stale: ") >= 2
    run = Run(pytester, *peer("doubled-stop"), *expect, *nodes("str-echo"))
    assert run.code == 0, run.text


def test_without_anybody_to_judge_it_is_a_usage_error(pytester: pytest.Pytester) -> None:
    run = Run(pytester, *PACKAGE)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "there is nobody to judge: say --iptc-callee HOST:PORT" in run.text
    run = Run(pytester, *PACKAGE, "--collect-only", "-q")
    assert run.code == 0
    assert f"{NAME}::opn-unary" in run.text


@pytest.mark.parametrize(
    "options",
    [
        ["--iptc-callee", "nowhere"],
        ["--iptc-callee", "127.0.0.1:1", "--iptc-callee-command", "x"],
        ["--iptc-callee", "127.0.0.1:1", "--iptc-expect", "no-such-file"],
        ["--iptc-callee", "127.0.0.1:1", "--iptc-timeout", "0"],
        ["--iptc-callee-command", " "],
    ],
)
def test_bad_options_are_usage_errors(pytester: pytest.Pytester, options: Sequence[str]) -> None:
    run = Run(pytester, *PACKAGE, *options)
    assert run.code == pytest.ExitCode.USAGE_ERROR, run.text
    assert "iptc: " in run.text
    assert "Traceback" not in run.text


def test_nothing_that_listens_is_no_verdict(pytester: pytest.Pytester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for options in (["--iptc-callee", f"127.0.0.1:{port}"], ["--iptc-callee-command", "false"]):
        run = Run(pytester, *options, *nodes("opn-unary"))
        assert run.code == pytest.ExitCode.USAGE_ERROR, run.text
        assert "nothing judged" in run.text


def test_an_attached_peer_is_judged_where_it_runs(pytester: pytest.Pytester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {**os.environ, "IPTC_PORT": str(port)}
    command = [sys.executable, "-c", _READY]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            run = Run(pytester, "--iptc-callee", f"127.0.0.1:{port}", *nodes("opn-unary"))
            assert process.poll() is None
        finally:
            process.terminate()
    assert run.code == 0, run.text
    assert run.kinds()["opn-unary"] == []


_READY = """
import os, trio
from iptc_codec.peer import serve
from iptc_codec.peer.testee import Fixture
async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, Fixture().exports(), "tcp://127.0.0.1:" + os.environ["IPTC_PORT"])
        print("ready", flush=True)
trio.run(main)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_behind(
    pytester: pytest.Pytester, how: signal.Signals, tmp_path: Path
) -> None:
    """The peer notes its process id and never accepts: the run waits for it when the signal comes."""
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    script = tmp_path / "peer.py"
    script.write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "pytest", "--pyargs", "iptc_conformance", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [*command, "--iptc-callee-command", f"{sys.executable} {script}"],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        started = int(pid.read_text())
        process.send_signal(how)
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    with pytest.raises(ProcessLookupError):
        os.kill(started, 0)


def test_runs_of_others_are_left_alone(pytester: pytest.Pytester) -> None:
    """Without its options the plugin loads nothing, takes no file, prints nothing."""
    pytester.makepyfile(
        test_mine="""
        import sys
        def test_nothing_is_loaded():
            loaded = [name for name in sys.modules if name.startswith("iptc_conformance")]
            assert sorted(loaded) == ["iptc_conformance", "iptc_conformance.pytest_plugin"]
            assert "trio" not in sys.modules and "rich" not in sys.modules and "cyclopts" not in sys.modules
        """,
        pytest_cases="x = 1",
    )
    run = Run(pytester)
    assert run.code == 0, run.text
    assert list(run.cases) == ["test_nothing_is_loaded"]
    assert "IPTC" not in run.text
