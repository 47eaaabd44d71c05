"""The reports of a real run, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from iptc_conformance.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_one_run_writes_both_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, junit = tmp_path / "report.html", tmp_path / "report.xml"
    options = ["--html", str(page), "--junit", str(junit), "--peer", "our own"]
    assert main(["conform", "--only", "str-echo", "--only", "opn-unary", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("as expected: 2 cases")
    text = page.read_text(encoding="utf-8")
    assert "<h1>our own</h1>" in text
    assert "Nothing to fix: all 2 cases passed." in text
    assert '"k":"open"' in text
    assert "iptc conform --only str-echo" in text
    root = ET.parse(junit).getroot()  # noqa: S314  (our own)
    assert {test.get("name") for test in root.iter("testcase")} == {"str-echo", "opn-unary"}


def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that would not even start shows that nothing was run."""
    for option in ("--html", "--junit"):
        code = main(["conform", "callee", option, str(tmp_path / "no" / "file"), "--", "/no/such/command"])
        assert code == 2
        said = capsys.readouterr().err
        assert "No such file or directory" in said
        assert "/no/such/command" not in said
