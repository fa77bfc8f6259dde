"""Estimates beside what came of them into the values that the observation supports instead."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from mirc.ir.enums import Level
from mirc.ir.levels import LEVELS
from mirc.ir.values import Name, Value
from mirc.observe.estimates import Estimate, Timing, within_time
from mirc.observe.score import Forecast

DOUBT = 0.05
"""A share of trials contradicts an estimate that makes one as odd less likely than this."""

CALIBRATED = 0.1
"""A confidence in one field and phase that is farther from how often values held is replaced."""

FEWEST = 10
"""Chances from which it is told how often values hold that claim the same confidence."""

_PS_PER_US = 1_000_000


@attrs.frozen(kw_only=True)
class Wish:
    """What one estimate should say, and ``why`` (empty where it stays); ``held`` is how often."""

    estimate: Estimate
    value: Value | None
    confidence: float | None
    held: int
    why: str = ""

    @property
    def said(self) -> tuple[Value | None, float | None]:
        """What would stand in the file; the value is None where it stays as it is."""
        return self.value, self.confidence


def wishes(found: Sequence[Estimate]) -> list[Wish]:
    """Return what each estimate should say, in order.

    A forecast is changed where its trials contradict it, and a chance also where those of its class
    drifted: to (k + 1/2) / (n + 1) for k of n, or the level that holds k / n, with the posterior's
    probability of the claim that a confidence makes.
    Times of a plan's phase are on one clock: where more of them hold so, all become those of the
    median run. Confidences are then held against how often the values do.

    source: Jeffreys, An invariant form for the prior probability, Proc. R. Soc. A 186 (1946)
    """
    drifted = _drifted(found)
    late = _late([one for one in found if isinstance(one, Timing)])
    made = [
        (_kept if one.phase not in late else _timed)(one)
        if isinstance(one, Timing)
        else (_chance if _family(one) in drifted and _is_chance(one) else _forecast)(one)
        for one in found
    ]
    return list(_calibrated(made))


def _late(found: Iterable[Timing]) -> set[str]:
    """Return the phases of which more times would hold on the clock of the median run."""
    gained: dict[str, int] = {}
    for one in found:
        gained[one.phase] = gained.get(one.phase, 0) + _holds(one, _typical(one)) - one.held
    return {phase for phase, more in gained.items() if more > 0}


def _typical(one: Timing) -> float:
    """Return the time on the clock of all objects, as a file says it."""
    return round(one.supported, 3) if one.supported >= 1 else round(one.supported, 6)


def _holds(one: Timing, value: float) -> int:
    """Count the runs in which a time would have held."""
    return sum(within_time(value, offset / _PS_PER_US) for offset in one.offsets_ps)


def _kept(one: Estimate) -> Wish:
    return Wish(estimate=one, value=None, confidence=one.confidence, held=one.held)


def _family(one: Estimate) -> tuple[str, str, str]:
    """Return what drifts together: one field of one class in one phase."""
    return one.field, one.phase, one.klass


def _drifted(found: Iterable[Estimate]) -> set[tuple[str, str, str]]:
    """Return the families in which more chances are contradicted than doubt explains."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for one in found:
        if one.forecast is not None and _is_chance(one):
            count = counts.setdefault(_family(one), [0, 0])
            count[0] += _is_wrong(one, one.forecast)
            count[1] += 1
    return {family for family, (wrong, total) in counts.items() if wrong > 2 * DOUBT * total}


def _is_chance(one: Estimate) -> bool:
    """Tell whether it is a number that stands for the chance of a trial."""
    return isinstance(one.value, float) and max(one.value, one.supported) <= 1


def _is_wrong(one: Estimate, seen: Forecast) -> bool:
    return not one.right and _contradicted(one, seen)


def _forecast(one: Estimate) -> Wish:
    seen = one.forecast
    if seen is None or not _is_wrong(one, seen):
        return _kept(one)
    return _chance(one)


def _chance(one: Estimate) -> Wish:
    """Return what the trials say of an estimate, whatever it said."""
    seen = one.forecast
    assert seen is not None  # noqa: S101 - times have none, and do not come here
    share = seen.events / seen.trials
    if isinstance(one.value, Level) and one.written:
        level = _level_of(one.field, share)
        value: Value = Name(level.value)
        sure: float | None = _posterior(
            seen, LEVELS[one.field][level].low, LEVELS[one.field][level].high
        )
    elif one.supported > 1:  # reads of more than one step a run: what varies is not told
        value, sure = _digits(one.supported), one.confidence
    else:
        number = _digits((seen.events + 0.5) / (seen.trials + 1))
        value, sure = number, _posterior(seen, number / 2, 2 * number)
    written = one.confidence is not None or not one.written
    return Wish(
        estimate=one,
        value=value,
        confidence=sure if written else None,
        held=1,
        why=f"{seen.events:,} of {seen.trials:,} {_NOUNS[one.field]}",
    )


_NOUNS = {"reuse": "runs read it", "route_probability": "steps chose it"}


def _contradicted(one: Estimate, seen: Forecast) -> bool:
    """Tell whether fewer or more trials happened than the estimate's own latitude explains."""
    if isinstance(one.value, Level):
        event = LEVELS[one.field][one.value]
        low, high = event.low, event.high
    elif _is_chance(one):
        low, high = one.value / 2, min(1.0, 2 * one.value)
    else:
        return True  # every iteration, or a number of steps: told exactly
    from scipy.special import bdtr  # noqa: PLC0415 - only where something is wrong

    fewer = float(bdtr(seen.events, seen.trials, low))
    more = 1.0 - float(bdtr(seen.events - 1, seen.trials, high)) if seen.events else 1.0
    return min(fewer, more) < DOUBT


def _level_of(field: str, share: float) -> Level:
    """Return the level that holds a share; never happening so far is LOW, not NONE."""
    for level in (Level.HIGH, Level.MEDIUM):
        if share >= LEVELS[field][level].low:
            return level
    return Level.LOW


def _posterior(seen: Forecast, low: float, high: float) -> float:
    """Return the probability of a share between two, from Jeffreys' prior and the trials."""
    from scipy.special import betainc  # noqa: PLC0415 - only where something is wrong

    a, b = seen.events + 0.5, seen.trials - seen.events + 0.5
    return round(float(betainc(a, b, min(1.0, high)) - betainc(a, b, low)), 2)


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def _timed(one: Timing) -> Wish:
    value = _typical(one)
    if value == one.value:
        return _kept(one)
    return Wish(
        estimate=one,
        value=value,
        confidence=one.confidence,
        held=_holds(one, value),
        why=f"the median of {one.chances:,} runs",
    )


def _calibrated(made: Sequence[Wish]) -> Iterator[Wish]:
    """Replace confidences of values that hold far more or less often than they say."""
    groups: dict[_Group, list[Wish]] = {}
    for wish in made:
        if wish.confidence is not None:
            groups.setdefault(_group(wish), []).append(wish)
    said = {key: _share(group) for key, group in groups.items()}
    for wish in made:
        share = said.get(_group(wish))
        if wish.confidence is None or share is None or wish.confidence == share:
            yield wish
        else:
            why = wish.why or "how often such estimates held"
            yield attrs.evolve(wish, confidence=share, why=why)


_Group = tuple[str, str, float | None]


def _group(wish: Wish) -> _Group:
    """Return whose calibration is judged together: what claims the same of one field and phase."""
    return wish.estimate.field, wish.estimate.phase, wish.confidence


def _share(group: Iterable[Wish]) -> float | None:
    """Return how often the values of a group hold, where their confidences do not tell it."""
    known = list(group)
    chances = sum(wish.estimate.chances for wish in known)
    held = sum(wish.held for wish in known)
    believed = sum((wish.confidence or 0.0) * wish.estimate.chances for wish in known) / chances
    if chances < FEWEST or abs(believed - held / chances) <= CALIBRATED:
        return None
    return round((held + 1) / (chances + 2), 2)
