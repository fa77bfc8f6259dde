"""Findings into names that outlive edits."""

from mirc.diagnostics import Diagnostic, FileFindings, Source, Span
from mirc.diagnostics.fingerprints import identities
from tests.diagnostics.scenes import ERROR, WARNING


def found(text: str, *diagnostics: Diagnostic) -> list[tuple[str, str, int]]:
    file = FileFindings(Source("a.mir", text), diagnostics)
    return [(i.rule, i.subject, i.occurrence) for i, _ in identities(file)]


def test_the_second_finding_of_one_rule_about_one_thing_is_another_occurrence() -> None:
    pair = [Diagnostic(ERROR, Span(at, at), "m", subject="object x") for at in (0, 1)]
    other = Diagnostic(WARNING, Span(2, 2), "m", subject="object x")
    assert found("abc", *pair, other) == [
        ("MIR201", "object x", 0),
        ("MIR201", "object x", 1),
        ("MIR402", "object x", 0),
    ]


def test_without_a_subject_the_words_of_the_line_are_the_subject() -> None:
    (before,) = found("\tx  =  1\n", Diagnostic(ERROR, Span(2, 3), "m"))
    (after,) = found("\n\n  x = 1\n", Diagnostic(ERROR, Span(5, 6), "m"))
    assert before == after == ("MIR201", "x = 1", 0)


def test_the_words_of_a_fingerprint_cannot_run_together() -> None:
    names = [("a", "b c"), ("a b", "c")]
    prints = set()
    for word, rest in names:
        file = FileFindings(
            Source("a.mir", ""), (Diagnostic(ERROR, Span(0, 0), "m", subject=f"{word}\0{rest}"),)
        )
        prints |= {identity.fingerprint for identity, _ in identities(file)}
    assert len(prints) == 2
