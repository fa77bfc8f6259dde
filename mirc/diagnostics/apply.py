"""Fixes into the text that has them."""

from bisect import bisect_left
from collections.abc import Iterable

from mirc.diagnostics.model import Edit, Fix


def applied(text: str, fixes: Iterable[Fix]) -> str:
    """Return the text with those fixes that ``compatible`` lets through.

    What they insert ends its lines as the text does.
    """
    edits = sorted(
        dict.fromkeys(edit for fix in compatible(fixes) for edit in fix.edits),
        key=lambda edit: edit.span,
    )
    line_break = _line_break(text)
    parts = []
    at = 0
    for edit in edits:
        inserted = edit.text.replace("\r\n", "\n").replace("\n", line_break)
        parts += [text[at : edit.span.start], inserted]
        at = edit.span.end
    return "".join([*parts, text[at:]])


def compatible(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """Return the fixes that can be made together, in order of place; of a conflict, the first.

    Two fixes conflict if they change the same characters, or one inserts where the other changes
    something: what the outcome means would depend on their order. Fixes with equal edits are one.
    """
    taken: list[Edit] = []
    chosen: list[Fix] = []
    by_edits: dict[tuple[Edit, ...], None] = {}
    for fix in sorted(fixes, key=lambda fix: [edit.span for edit in fix.edits]):
        if not fix.edits or fix.edits in by_edits:
            continue
        if any(_clashes(edit, taken) for edit in fix.edits):
            continue
        by_edits[fix.edits] = None
        chosen.append(fix)
        for edit in fix.edits:
            taken.insert(bisect_left(taken, edit.span, key=lambda each: each.span), edit)
    return tuple(chosen)


def _clashes(edit: Edit, taken: list[Edit]) -> bool:
    """Whether an edit touches one of those taken, which are sorted and apart from each other."""
    at = bisect_left(taken, edit.span, key=lambda each: each.span)
    return any(_touch(edit, other) for other in taken[max(0, at - 2) : at + 2])


def _touch(first: Edit, second: Edit) -> bool:
    a, b = first.span, second.span
    if a.start == a.end or b.start == b.end:
        return a.start <= b.end and b.start <= a.end
    return a.start < b.end and b.start < a.end


def _line_break(text: str) -> str:
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
