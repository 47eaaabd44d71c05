"""A run with everything that a page can show, small enough to count its parts."""

from __future__ import annotations

from iptc_conformance.driving.recorder import Recorder
from iptc_conformance.reporting.html import page
from tests.reports.reports_support import (
    CID,
    HOSTILE,
    UID,
    baseline_of,
    case_of,
    framed,
    result_of,
    run_of,
    summary_of,
    talk,
)

NEW, KNOWN, STALE, FLOOD, TWO = "str-new", "str-known", "str-stale", "str-flood", "cxl-two-connections"


def many_sided_page() -> str:
    """New, known and stale; a hostile peer; a flood; two connections, a fence and a failure."""
    baseline = baseline_of(str_known="fail", str_stale="fail")
    results = [
        result_of(case_of(NEW, twin=STALE), "fail", talk(HOSTILE), detail=HOSTILE),
        result_of(case_of(KNOWN), "fail", talk(1, 2)),
        result_of(case_of(STALE), "pass", talk()),
        result_of(case_of(FLOOD), "warn", talk(*range(200))),
        result_of(case_of(TWO, area="CXL", clauses=("CXL-02s",), role="caller"), "crash", _two_connections()),
        result_of(case_of("opn-unserved", area="OPN", clauses=("OPN-02s",)), "unsupported"),
    ]
    summary = summary_of(results, baseline, missing={"ctx_echo": "FAIL"})
    return page(summary, baseline, run_of(peer="a peer"))


def _two_connections() -> Recorder:
    recorder = Recorder(harness="acceptor")
    for conn in ("a", "b"):
        recorder.frame(conn, "initiator", framed(UID))
        recorder.frame(conn, "acceptor", framed(["suite", conn]))
    recorder.frame("a", "initiator", framed({"cmd": ["iptc_testee", "hang", {}, UID, CID]}))
    recorder.frame("fence1", "acceptor", framed(["suite", "fence1"]))
    recorder.frame("fence1", "initiator", framed(UID))
    recorder.frame("b", "initiator", framed("x" * 2000))
    recorder.failed("CXL-02s", "nothing came within 2 s")
    recorder.eof("a", "initiator")
    return recorder
