"""docs/claims.md lists the clauses, answers, outcomes and reasons that the code has."""

import re
from pathlib import Path

import pytest

from mirc.claims import Answer, Reason
from mirc.conform.adapters import ASKED
from mirc.conform.clauses import CLAUSES
from mirc.conform.outcomes import Outcome

PAGE = (Path(__file__).parents[2] / "docs/claims.md").read_text(encoding="utf-8")


@pytest.mark.mechanism("S4-05")
def test_the_page_numbers_the_clauses_as_the_suite_does() -> None:
    rows = re.findall(r"^\| ([0-9]+) \| \*\*(.+?)\.\*\* .+ \|$", PAGE, re.MULTILINE)
    told = [(int(number), title[0].lower() + title[1:]) for number, title in rows]
    assert told == [(clause.number, clause.title) for clause in CLAUSES]


def test_every_answer_outcome_and_reason_stands_on_the_page() -> None:
    for word in (*Answer, *set(Reason) - {Reason.FITS, Reason.ROOM_MADE}):
        assert f"`{word}" in PAGE
    for outcome in Outcome:
        assert f"| {outcome} |" in PAGE


def test_the_adapter_on_the_page_has_every_method() -> None:
    assert re.findall(r"^    def (\w+)\(", PAGE, re.MULTILINE) == [*ASKED, "events"]
