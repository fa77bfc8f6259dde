"""A difference into text for a terminal: the worst first, a family as one line, then bytes."""

from collections.abc import Callable, Iterable, Iterator

from mirc.changes.allow import Verdict
from mirc.changes.groups import Group, grouped
from mirc.changes.model import Diff, Judgement, TierChange
from mirc.diagnostics.excerpt import safe
from mirc.diagnostics.render import PLAIN, Palette
from mirc.lint.sizes import human

MOST_GROUPS = 20  # of each judgement, unless all are asked for
_MOST_VALUES = 3
_RESET = "\x1b[0m"


def as_text(
    diff: Diff, verdict: Verdict, *, most: int | None = MOST_GROUPS, palette: Palette = PLAIN
) -> str:
    """Return the report; ``most`` groups of each judgement, None for all of them."""
    colours = dict(zip(Judgement, (palette.error, palette.warning, palette.hint), strict=True))
    allowed = frozenset(verdict.allowed)
    lines: list[str] = []
    groups = grouped(diff.changes)
    for judgement in Judgement:
        several = [group for group in groups if group.rule.judgement is judgement]
        for group in several[:most]:
            passed = sum(change in allowed for change in group.changes)
            lines += _group(group, passed, colours[judgement])
        left = 0 if most is None else len(several[most:])
        if left:
            lines.append(f"{judgement}: {left} more groups of changes (--all shows them)")
    tiers = list(_tiers(diff.tiers))
    if tiers and diff.changes:
        lines += ["", "asked for at the busiest step:", *tiers]
        lines += [f"  assumed: {said}" for said in diff.assumptions]
    lines += [f"nothing matched --allow {safe(text)}" for text in verdict.unused]
    return "\n".join([*lines, *([""] if lines else []), summary(diff, verdict)]) + "\n"


def summary(diff: Diff, verdict: Verdict) -> str:
    """Return how many changes there are: ``2 breaking, 1 safe (1 allowed)``."""
    counts = diff.counts
    parts = [f"{counts[judgement]:,} {judgement}" for judgement in Judgement if counts[judgement]]
    if not parts:
        return "no difference in meaning"
    allowed = f" ({len(verdict.allowed):,} allowed)" if verdict.allowed else ""
    return f"{', '.join(parts)}{allowed}"


def ticked(text: str) -> str:
    """Return text between backticks, as a terminal shows names."""
    return f"`{text}`"


def sentence(
    group: Group, name: Callable[[str], str] = ticked, value: Callable[[str], str] = str
) -> str:
    """Return what a group says, without its rule: ``object `w`: `size_bytes` 1MiB -> 2MiB``.

    All that comes from the files goes through ``name`` (names and keys) or ``value``.
    """
    where = f" in {value(group.where)}" if group.where else ""
    what = f"{_counted(group)} {name(group.name)}{where}"
    pairs = [
        f"{value(old) if old else 'unset'} -> {value(new) if new else 'unset'}"
        for old, new in group.values[:_MOST_VALUES]
        if (old, new) != (None, None)
    ]
    left = len(group.values) - _MOST_VALUES
    more = f", and {left:,} other changes" if left > 0 else ""
    said = name(group.key) if group.key is not None else group.rule.name.rpartition("-")[2]
    return f"{what}: {said}" + (f" {', '.join(pairs)}" if pairs else "") + more


def tier_text(change: TierChange) -> tuple[str, str, str, str]:
    """Return a tier, what it is asked for before and after, and the difference with its sign."""
    before, after = (d.size_bytes if d is not None else 0 for d in (change.old, change.new))
    gained = change.gained_bytes
    sign = "+" if gained > 0 else "-" if gained < 0 else ""
    return change.tier, human(before), human(after), f"{sign}{human(abs(gained))}"


def _counted(group: Group) -> str:
    count = len(group.changes)
    if count == 1:
        return group.kind
    return f"{count:,} {group.kind}s"


def _group(group: Group, passed: int, colour: str) -> Iterator[str]:
    rule = group.rule
    label = f"{rule.judgement}[{rule.code} {rule.name}]"
    painted = f"{colour}{label}{_RESET}" if colour else label
    count = len(group.changes)
    note = "" if not passed else " (allowed)" if passed == count else f" ({passed:,} allowed)"
    yield f"{painted}: {safe(sentence(group))}{note}"


def _tiers(tiers: Iterable[TierChange]) -> Iterator[str]:
    for change in tiers:
        tier, before, after, gained = tier_text(change)
        moment = change.new or change.old
        assert moment is not None  # noqa: S101 - a tier that nobody asks for is not listed
        place = safe(f"{moment.phase}, {moment.step}")
        yield f"  {tier:<4}  {before} -> {after}  ({gained}) at {place}"
