from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Diagnostic, FileFindings, Rule, Severity, Source, Span
from mirc.lint.project import Project
from mirc.lint.settings import Overrides
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
    texts = Texts()
    action = fix_all(Source("x", WRONG), texts.judge, texts.witness)
    assert action is not None
    after = Source("x", edited(WRONG, action.edits))
    assert fix_all(after, texts.judge, texts.witness) is None


def test_a_fix_that_brings_about_what_only_the_witness_sees_is_not_made() -> None:
    quoted = Source("x", 'mir 1.0\nobject "a" { class = INPUT }\n')
    judge = Project(Overrides(select=("needless-quotes",))).check
    new = Diagnostic(Rule("MIR999", "new", Severity.HINT), Span(0, 1), "new")

    def witness(source: Source) -> FileFindings:
        return FileFindings(source, () if source == quoted else (new,))

    assert fix_all(quoted, judge, judge) is not None
    assert fix_all(quoted, judge, witness) is None


def test_many_findings_are_fixed_together_once_and_not_once_each() -> None:
    text = "mir 1.0\n" + "".join(f"object a{i} {{ class : INPUT }}\n" for i in range(100))
    found = Texts().judge(Source("x", text))
    actions = quick_fixes(found, Span(0, len(text)))
    titles = [action.title for action in actions if action.title.startswith("fix all")]
    assert len(titles) == 1
    assert len(actions) == 101


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
