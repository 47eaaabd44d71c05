"""Runs that nobody made: results with real conversations, of a peer that says whatever a test likes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from iptc_conformance.cases.model import Case
from iptc_conformance.driving.recorder import Recorder
from iptc_conformance.driving.result import Result
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.reporting.baseline import Baseline, Entry
from iptc_conformance.reporting.run import Run
from iptc_conformance.reporting.summary import Summary, summarize

CID = "c1-0123456789ab"
UID = ["iptc-suite", "8d3f"]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x00\x1b[31m\x85\u202e\u2028]]>&\"'"
"""What a peer might send to get out of a report: markup, controls, a reversed direction, an end of CDATA."""


def framed(value: Any) -> bytes:
    """A value behind its length."""
    body = encode(value)
    return len(body).to_bytes(4, "little") + body


def case_of(name: str, **changes: Any) -> Case:
    """A case about the END of a stream."""
    members: dict[str, Any] = {
        "id": name,
        "area": "STR",
        "title": f"The title of {name}",
        "clauses": ("STR-03s", "STR-06s"),
        "level": "MUST",
        "role": "callee",
        "needs": ("ctx_echo",),
        "steps": (),
        "hint": "the stream is closed twice",
    }
    return Case(**{**members, **changes})


def talk(*said: Any, recorder: Recorder | None = None) -> Recorder:
    """A context that echoes and says END twice; `said` comes from the testee in between."""
    recorder = recorder or Recorder()
    for sender, value in (
        ("initiator", UID),
        ("acceptor", ["peer", "91ac"]),
        ("initiator", {"cmd": ["iptc_testee", "ctx_echo", {"first": 1}, UID, CID]}),
        ("acceptor", {"functype": "context", "cid": CID}),
        ("acceptor", {"started": 1, "cid": CID}),
        *(("acceptor", {"yield": value, "cid": CID}) for value in said),
        ("acceptor", {"stop": True, "cid": CID}),
        ("acceptor", {"stop": True, "cid": CID}),
    ):
        recorder.frame("a", "initiator" if sender == "initiator" else "acceptor", framed(value))
    return recorder


def result_of(case: Case, verdict: str, recorder: Recorder | None = None, **changes: Any) -> Result:
    """A result, with the clause that its verdict speaks of."""
    clause = case.clauses[:1]
    members: dict[str, Any] = {
        "detail": "" if verdict == "pass" else f"{case.clauses[0]}: something else came",
        "failed": clause if verdict in {"fail", "crash", "hang"} else (),
        "warned": clause if verdict == "warn" else (),
        "seconds": 0.25,
    }
    if recorder is not None:
        members |= {
            "findings": tuple(recorder.findings),
            "conversation": tuple(map(str, recorder.lines)),
            "lines": tuple(recorder.lines),
            "left_out": recorder.lines.left_out,
        }
    return Result(case, verdict, **{**members, **changes})


def baseline_of(**entries: str) -> Baseline:
    """A baseline that expects these verdicts (`_` in a name stands for `-`)."""
    expected = {
        name.replace("_", "-"): Entry((verdict,), f"Known reason of {name}.", ("D7",))
        for name, verdict in entries.items()
    }
    return Baseline("a peer", expected)


def summary_of(results: list[Result], baseline: Baseline | None = None, **changes: Any) -> Summary:
    """The results against a baseline."""
    options: dict[str, Any] = {"missing": {}, "whole": True, "strict": False, **changes}
    return summarize(results, baseline or Baseline(), **options)


def run_of(**changes: Any) -> Run:
    """What is said about a run."""
    members: dict[str, Any] = {
        "peer": "a peer",
        "command": "iptc conform callee -- ./a-peer",
        "rerun": "iptc conform callee --only {} -- ./a-peer".format,
        "started": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "seconds": 4.5,
        "suite": "0.1.0",
        "protocol": 1,
    }
    return Run(**{**members, **changes})


def every_verdict() -> list[Result]:
    """One result of each verdict."""
    verdicts = (
        *("pass", "fail", "warn", "crash", "hang", "unsupported"),
        *("not-applicable", "not-observed", "untestable", "harness-fault"),
    )
    return [result_of(case_of(f"case-{verdict}"), verdict, talk(1)) for verdict in verdicts]
