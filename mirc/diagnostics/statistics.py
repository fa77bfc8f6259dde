"""Findings into a table: how often each rule spoke."""

from collections import Counter

from mirc.diagnostics.findings import Findings


def table(findings: Findings) -> str:
    """Return a line for each rule, the most frequent first, and how many can be fixed."""
    found = [d for file in findings.files for d in file.diagnostics]
    counts = Counter(d.rule for d in found)
    fixable = Counter(d.rule for d in found if d.fix is not None)
    width = len(str(max(counts.values(), default=0)))
    return "".join(
        f"{number:>{width}}  {rule.severity.value:<7}  {rule.code} {rule.name}"
        f"{f'  ({fixable[rule]} fixable)' if fixable[rule] else ''}\n"
        for rule, number in sorted(counts.items(), key=lambda item: (-item[1], item[0].code))
    )
