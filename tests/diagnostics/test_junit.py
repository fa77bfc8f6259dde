"""Findings into a JUnit report."""

from xml.etree import ElementTree as ET

from mirc.diagnostics import Diagnostic, FileFindings, Findings, Source, Span
from mirc.diagnostics.junit import as_text
from tests.diagnostics.scenes import ERROR, mixed


def parsed(findings: Findings) -> ET.Element:
    return ET.fromstring(as_text(findings, root=".").encode())  # noqa: S314 - our own


def test_a_file_is_a_suite_and_a_finding_a_case_that_failed() -> None:
    suites = parsed(mixed())
    assert (suites.get("tests"), suites.get("failures")) == ("4", "2")
    assert [suite.get("name") for suite in suites] == ["dir/ä b.mir", "b.mir"]
    failed = suites.findall("testsuite/testcase/failure")
    assert [failure.get("type") for failure in failed] == ["error", "warning"]


def test_what_is_below_the_fail_level_passes_and_is_still_said() -> None:
    (said,) = parsed(mixed()).findall("testsuite/testcase/system-out")
    assert said.text == "hint: dir/ä b.mir:1:8: `ä` is not used\nhelp: remove it"


def test_a_clean_file_is_one_case_that_passed() -> None:
    (_, clean) = parsed(mixed())
    assert [len(case) for case in clean] == [0]


def test_characters_that_xml_cannot_hold_are_shown_as_pictures() -> None:
    found = (Diagnostic(ERROR, Span(0, 1), "\x00\x1b ]]> <&\ud800"),)
    suites = parsed(Findings((FileFindings(Source("\udc80.mir", "x"), found),)))
    (failure,) = suites.findall("testsuite/testcase/failure")
    assert failure.get("message") == "␀␛ ]]> <&?"
