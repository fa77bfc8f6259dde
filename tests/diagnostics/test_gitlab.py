"""Findings into GitLab's code quality report."""

import json

from mirc.diagnostics import FileFindings, Findings, Source
from mirc.diagnostics.gitlab import as_text
from tests.diagnostics.scenes import ERROR, many, mixed


def test_each_finding_has_what_gitlab_asks_for() -> None:
    issues = json.loads(as_text(mixed(), root="."))
    assert issues[0] == {
        "description": "unused-object: `ä` is not used",
        "check_name": "MIR901",
        "fingerprint": issues[0]["fingerprint"],
        "severity": "info",
        "location": {"path": "dir/ä b.mir", "lines": {"begin": 1}},
    }
    assert [issue["severity"] for issue in issues] == ["info", "critical", "major"]


def test_fingerprints_differ_between_files_and_findings() -> None:
    (file,) = many((ERROR, 3)).files
    other = FileFindings(Source("b.mir", file.source.text), file.diagnostics)
    issues = json.loads(as_text(Findings((file, other)), root="."))
    assert len({issue["fingerprint"] for issue in issues}) == 6


def test_no_finding_is_an_empty_list() -> None:
    assert as_text(Findings(), root=".") == "[]\n"
