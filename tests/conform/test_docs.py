"""docs/claims.md lists the clauses, answers, outcomes and reasons that the code has."""

import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from mirc.claims import Answer, Cause, Event, Kind, Reason, Terms
from mirc.conform.adapters import ASKED
from mirc.conform.clauses import CLAUSES
from mirc.conform.outcomes import Outcome
from mirc.conform.suite import Verdict, conform

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


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("field of `Event`", [each.name for each in attrs.fields(Event)]),
        ("`Kind`", list(Kind)),
        ("field of `Terms`", [each.name for each in attrs.fields(Terms)]),
        ("`Answer`", list(Answer)),
        ("`Reason`", list(Reason)),
        ("`Cause`", list(Cause)),
    ],
)
def test_every_word_of_an_event_stands_in_its_table(head: str, words: list[str]) -> None:
    table = PAGE.split(f"| {head} |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == words


def test_the_adapter_on_the_page_has_every_method() -> None:
    assert re.findall(r"^    def (\w+)\(", PAGE, re.MULTILINE) == [*ASKED, "events"]


@pytest.mark.mechanism("S4-02")
def test_the_adapter_on_the_page_runs_and_breaks_no_clause() -> None:
    (code,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - it is ours, and it is what a reader copies
    verdict = conform(found["Adapter"]())
    assert verdict.broken == ()
    kept = {each.number for each in CLAUSES if verdict.verdict(each) is Verdict.KEPT}
    assert kept == {19}
    published = verdict.played[0]
    assert sum(event.kind is Kind.EVICTED for event in published.log) == 50
