"""Findings for the tests of the forms."""

from mirc.diagnostics import (
    Diagnostic,
    Edit,
    FileFindings,
    Findings,
    Fix,
    Related,
    Rule,
    Severity,
    Source,
    Span,
)

ERROR = Rule("MIR201", "duplicate-name", Severity.ERROR, about="Said twice.\n\nOnly one holds.")
WARNING = Rule("MIR402", "tiers-overlap", Severity.WARNING, bad=("x\n",), good="y\n", fixable=True)
HINT = Rule("MIR901", "unused-object", Severity.HINT, default=False)
RULES = (ERROR, WARNING, HINT)

TEXT = "object ä {\n}\nobject 𝄞 {\n  x = 1\n}\n"


def mixed() -> Findings:
    """Two files: one with one finding of each severity, one without any."""
    source = Source("dir/ä b.mir", TEXT)
    fix = Fix("write `2`", (Edit(Span(30, 31), "2"), Edit(Span(31, 31), "\n")))
    found = (
        Diagnostic(
            ERROR,
            Span(20, 21),
            "`𝄞` is declared twice, 100 %: a,b",
            "rename one",
            (Related(Span(7, 8), "first declared here"),),
            subject="object 𝄞",
        ),
        Diagnostic(WARNING, Span(26, 31), "`x` is odd", None, fix=fix, subject="object 𝄞.x"),
        Diagnostic(HINT, Span(7, 8), "`ä` is not used", "remove it"),
    )
    return Findings((FileFindings(source, found), FileFindings(Source("b.mir", ""), ())))


def many(*counts: tuple[Rule, int]) -> Findings:
    """One file with so many findings of each rule, on a line each."""
    total = sum(count for _, count in counts)
    source = Source("a.mir", "x\n" * total)
    rules = [rule for rule, count in counts for _ in range(count)]
    found = tuple(
        Diagnostic(rule, Span(2 * i, 2 * i + 1), f"finding {i}") for i, rule in enumerate(rules)
    )
    return Findings((FileFindings(source, found),))
