"""The page of rules, generated from them."""

from pathlib import Path

import pytest

from mirc.lint import handbook
from mirc.lint.registry import ALL_RULES

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_current() -> None:
    # After a change to a rule: python -m mirc.lint.handbook
    assert PAGE.read_text(encoding="utf-8") == handbook.page()


def test_every_rule_stands_under_exactly_one_subject() -> None:
    listed = [rule.code for _, _, rules in handbook.subjects() for rule in rules]
    assert sorted(listed) == [rule.code for rule in ALL_RULES]
    titles = [title for title, _, _ in handbook.subjects()]
    assert len(set(titles)) == len(titles)


def test_every_rules_example_hint_and_marks_are_shown() -> None:
    page = handbook.page()
    for rule in ALL_RULES:
        entry = page.partition(f"\n### {rule.code} {rule.name}\n")[2].partition("\n### ")[0]
        assert rule.about in entry
        assert all(text.strip("\n") in entry for text in (*rule.bad, rule.good))
        assert rule.hint is None or rule.hint in entry
        assert ("fixable" in entry.splitlines()[1]) == rule.fixable
        assert ("opt-in" in entry.splitlines()[1]) == (not rule.default)


def test_running_it_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "rules.md"
    monkeypatch.setattr("sys.argv", ["handbook", str(target)])
    handbook.main()
    assert target.read_text(encoding="utf-8") == handbook.page()
