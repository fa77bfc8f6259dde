from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Source, Span
from mirc.lsp.actions import fix_all, quick_fixes
from mirc.lsp.changes import edits_between
from mirc.lsp.opened import Texts
from tests.lsp.marked import edited

WRONG = "mir 1.0\nobject a { class : INPUT }\nobject b { class : INPUT }\n"
LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c\r\n", "é🙂\n", "d"]), max_size=8)


def test_a_fix_is_offered_at_its_finding_alone_and_for_all_alike() -> None:
    source = Source("x", WRONG)
    findings = Texts().judge(source)
    colon = WRONG.index(":")
    one, every = quick_fixes(findings, Span(colon, colon))
    assert edited(WRONG, one.edits) == WRONG.replace(":", "=", 1)
    assert edited(WRONG, every.edits) == WRONG.replace(":", "=")
    assert quick_fixes(findings, Span(0, 3)) == ()


def test_fixing_all_leaves_nothing_to_fix() -> None:
    judge = Texts().judge
    action = fix_all(Source("x", WRONG), judge)
    assert action is not None
    after = Source("x", edited(WRONG, action.edits))
    assert fix_all(after, judge) is None


@given(LINES, LINES)
def test_the_edits_between_two_texts_turn_one_into_the_other(
    before: list[str], after: list[str]
) -> None:
    old, new = "".join(before), "".join(after)
    edits = edits_between(old, new)
    made = old
    for edit in reversed(edits):
        made = made[: edit.span.start] + edit.text + made[edit.span.end :]
    assert made == new
    assert edits == () or old != new
