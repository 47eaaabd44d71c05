"""The commands beside `conform`: list, show, versions, decode, and what a user may do wrong."""

from __future__ import annotations

import io
import json
import sys
from importlib.util import find_spec

import pytest

from iptc_conformance import __main__ as entry
from iptc_conformance.__main__ import main
from iptc_conformance.cases import load_cases


def test_list_names_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [case["id"] for case in listed] == [case.id for case in load_cases()]
    assert main(["list", "--area", "cxl"]) == 0
    text = capsys.readouterr().out
    assert "cxl-unary" in text
    assert "str-echo" not in text
    assert main(["list", "--area", "nope"]) == 2


def test_list_clauses_counts_their_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--clauses", "--json"]) == 0
    clauses = {clause["id"]: clause for clause in json.loads(capsys.readouterr().out)}
    assert clauses["STR-03s"]["cases"] > 1
    assert main(["list", "--clauses", "--area", "FRM"]) == 0
    assert "FRM-01r" in capsys.readouterr().out


@pytest.mark.parametrize("name", [case.id for case in load_cases()][::12])
def test_show_a_case(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert name in text
    assert "steps" in text


def test_show_a_clause(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "str-03s"]) == 0
    text = capsys.readouterr().out
    assert "STR-03s" in text
    assert "str-echo" in text
    assert main(["show", "STR-03s", "--json"]) == 0
    assert "str-echo" in json.loads(capsys.readouterr().out)["cases"]


def test_show_suggests_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "str-ecko"]) == 2
    assert "str-echo" in capsys.readouterr().err


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["protocol"] == [1]
    assert main(["versions"]) == 0


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("01000000c0", 0, "GOODBYE"),
        ("01 00 00 00 05", 1, "ROB-02s"),
        ("0f00000082a57969656c6401a363696da16301"[:8] + "c1", 1, "FRM-05s"),
        ("00000000", 1, "FRM-04s"),
        ("01000000c0 01000000c1", 1, "ENC-01s"),
    ],
)
def test_decode(text: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", text]) == code
    assert said in capsys.readouterr().out


def test_decode_reads_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("01000000c0\n0800000082a3636964a16305\n"))
    assert main(["decode", "--json"]) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["kind"], first["clause"]) == ("GOODBYE", None)
    assert second["clause"] is not None


def test_no_arguments_show_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "conform" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv", [["decode", "xyz"], ["bogus"], ["show"], ["list", "--bogus"], ["show", "no-such"]]
)
def test_usage_errors_are_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_decode_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["decode"]) == 2


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "find_spec", lambda name: None if name == "cyclopts" else find_spec(name))
    assert main(["list"]) == 2
    assert "pip install 'iptc-codec[conformance]'" in capsys.readouterr().err
