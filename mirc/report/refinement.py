"""Changes of estimates into lines that say why, one a change, and a sentence on all of them."""

from collections import Counter
from collections.abc import Iterator

from mirc.observe.compare import Mismatch
from mirc.observe.refine import Change, Refinement
from mirc.observe.rewrite import spelled
from mirc.report.units import percent_text


def reasons(found: Refinement) -> Iterator[str]:
    """Yield a line for each change: where, what it was, what it becomes, and why."""
    yield from map(_reason, found.changes)


def summary(found: Refinement, after: Mismatch | None) -> str:
    """Count the changes by key, and say how the mismatch fell."""
    if not found.changes:
        return "nothing to change: the observation contradicts no estimate"
    counts = Counter(change.key for change in found.changes)
    listed = ", ".join(f"{count:,} {key}" for key, count in sorted(counts.items()))
    total = len(found.changes)
    line = f"changed {total:,} {'estimate' if total == 1 else 'estimates'}: {listed}"
    return f"{line}\n{_fell(found.before, after)}" if after is not None else line


def _fell(before: Mismatch | None, after: Mismatch) -> str:
    was = "nothing was written" if before is None else _mismatch(before)
    return f"mismatch: {was}; now {_mismatch(after)}"


def _mismatch(found: Mismatch) -> str:
    share = percent_text(found.share)
    return (
        f"{share} of {found.chances:,} chances missed, Brier {found.brier_excess:.4f} above least"
    )


def _reason(change: Change) -> str:
    before = "not written" if change.before is None else spelled(*change.before)
    after = spelled(*change.after)
    return f"{change.key} of {_place(change)}: {before} -> {after}: {change.why}"


def _place(change: Change) -> str:
    match change.address.layer:
        case ():
            return f"`{change.address.target}`"
        case (phase,):
            return f"`{change.address.target}` in {phase}"
        case (plan, ""):
            return f"`{change.address.target}` in plan `{plan}`"
        case (plan, phase) if change.address.target:
            return f"`{change.address.target}` in {phase} of plan `{plan}`"
        case (plan, phase):
            return f"{phase} of plan `{plan}`"
        case _:
            raise AssertionError(change)
