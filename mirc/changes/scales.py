"""Two typed values of a key into the direction in which it changed."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from mirc.changes.model import Direction
from mirc.ir.enums import (
    ClaimLoss,
    DeadlineClass,
    DType,
    Guarantee,
    Mutability,
    PersistenceScope,
    PinLevel,
    RuntimeOverride,
    SpillPolicy,
    bits_of,
)
from mirc.ir.fields import FieldSpec, Strength
from mirc.ir.meaning import Condition, EveryNth, PerSequence, PerToken, Repeat

Scale = Callable[[Any, Any], Direction]

# Lists whose order says nothing.
_UNORDERED = frozenset(
    {
        "backing",
        "coalition_hints",
        "members",
        "objects",
        "tiers",
        "anti_evict_from",
        "follows",
        "sink_tokens",
        "raises",
        "reads",
        "writes",
        "instance",
    }
)
_SAID = (Strength.FACT, Strength.PRIOR)  # what is, or is thought to be; others ask for something
_FACTOR = 2.0  # the language's own: a number is right within a factor of 2


def comparable(spec: FieldSpec, typed: Any) -> Hashable:
    """Return what two values of a key share exactly if they mean the same."""
    if spec.key in _UNORDERED and typed is not None:
        return frozenset(Counter(typed).items())
    found: Hashable = typed
    return found


def direction(spec: FieldSpec, old: Any, new: Any) -> Direction:
    """Return which way a key changed; the two differ, None where nothing holds."""
    scale = _SCALES.get(spec.key)
    if scale is not None:
        return scale(old, new)
    if old is None and spec.strength in _SAID:
        return Direction.DECLARED
    if spec.strength is Strength.PRIOR:
        return _estimate(old, new)
    if old is None or new is None:
        return Direction.STRONGER if old is None else Direction.WEAKER
    return Direction.OTHER


def scheduled(items: Sequence[Any] | None) -> tuple[str, ...]:
    """Return the phases that a schedule names, each once, in order."""
    found: dict[str, None] = {}
    todo = list(reversed(items or ()))
    while todo:
        item = todo.pop()
        if isinstance(item, Repeat):
            todo += reversed(item.body)
        elif isinstance(item, EveryNth):
            todo.append(item.body)
        else:
            found[item] = None
    return tuple(found)


def _ranked(words: Sequence[Any], less: Direction, more: Direction) -> Scale:
    """Compare by place in ``words``: towards the front is ``more``."""

    def scale(old: Any, new: Any) -> Direction:
        if old is None or new is None:
            return Direction.OTHER
        return more if words.index(new) < words.index(old) else less

    return scale


def _more(unset: float, less: Direction, more: Direction) -> Scale:
    """Compare numbers; ``unset`` is what counts where nothing is written."""

    def scale(old: Any, new: Any) -> Direction:
        before, after = (unset if value is None else value for value in (old, new))
        return more if after > before else less

    return scale


def _sets(less: Direction, more: Direction) -> Scale:
    """Compare as sets: ``more`` if nothing is lost, ``less`` if nothing is new."""

    def scale(old: Any, new: Any) -> Direction:
        before, after = frozenset(old or ()), frozenset(new or ())
        if before < after:
            return more
        return less if after < before else Direction.OTHER

    return scale


def _keeps(old: Any, new: Any) -> Direction:
    """Compare a list of which nothing may be lost."""
    lost = frozenset(old or ()) - frozenset(new or ())
    return Direction.WITHDRAWN if lost else Direction.GRANTED


def _amount(old: Any, new: Any) -> Direction:
    if old is None or new is None:
        return Direction.GRANTED if old is None else Direction.WITHDRAWN
    if type(old) is not type(new):
        return Direction.OTHER
    before, after = (v.amount if isinstance(v, PerToken | PerSequence) else v for v in (old, new))
    return Direction.GROWN if after > before else Direction.SHRUNK


def _right(*, granted_by: bool) -> Scale:
    def scale(old: Any, new: Any) -> Direction:
        del old
        return Direction.GRANTED if new is granted_by else Direction.WITHDRAWN

    return scale


def _protection(old: Any, new: Any) -> Direction:
    if old is None or new is None:
        return Direction.STRONGER if old is None else Direction.WEAKER
    assert isinstance(old, Condition) and isinstance(new, Condition)  # noqa: PT018, S101 - by type
    same = (old.until, old.word, old.args) == (new.until, new.word, new.args)
    if not same or old.bound is None or new.bound is None:
        return Direction.OTHER
    # Fewer sequences suffice to protect it.
    return Direction.STRONGER if new.bound < old.bound else Direction.WEAKER


def _floor(old: Any, new: Any) -> Direction:
    before, after = (0 if value is None else bits_of(DType(value)) for value in (old, new))
    if before == after:
        return Direction.OTHER
    return Direction.STRONGER if after > before else Direction.WEAKER


def _schedule(old: Any, new: Any) -> Direction:
    if old is None:
        return Direction.DECLARED
    lost = frozenset(scheduled(old)) - frozenset(scheduled(new))
    return Direction.WITHDRAWN if lost else Direction.OTHER


def _estimate(old: Any, new: Any) -> Direction:
    if type(old) is not type(new) or not isinstance(old, int | float | PerToken | PerSequence):
        return Direction.FAR
    before, after = (v.amount if isinstance(v, PerToken | PerSequence) else v for v in (old, new))
    low, high = sorted((before, after))
    return Direction.NEAR if high <= _FACTOR * low else Direction.FAR


def _recast(old: Any, new: Any) -> Direction:
    del old, new
    return Direction.OTHER


_WEAKER, _STRONGER = Direction.WEAKER, Direction.STRONGER
_SCALES: dict[str, Scale] = {
    "spill_policy": _ranked(tuple(SpillPolicy), _WEAKER, _STRONGER),
    "deadline_class": _ranked(tuple(DeadlineClass), _WEAKER, _STRONGER),
    "pin_level": _ranked(tuple(reversed(PinLevel)), _WEAKER, _STRONGER),
    "guarantee": _ranked(tuple(reversed(Guarantee)), _WEAKER, _STRONGER),
    "on_loss": _ranked(tuple(reversed(ClaimLoss)), _WEAKER, _STRONGER),
    "runtime_override": _ranked(tuple(RuntimeOverride), _WEAKER, _STRONGER),
    "mutability": _ranked(tuple(Mutability), _WEAKER, _STRONGER),
    "persistence_scope": _ranked(
        tuple(reversed(PersistenceScope)), Direction.SHRUNK, Direction.GROWN
    ),
    "deadline_us": _more(math.inf, _STRONGER, _WEAKER),
    "blocks": _more(0, _WEAKER, _STRONGER),
    "dwell_steps": _more(0, _WEAKER, _STRONGER),
    "priority": _more(0, _WEAKER, _STRONGER),
    "quota_bytes": _more(math.inf, Direction.WITHDRAWN, Direction.GRANTED),
    "wired_quota_bytes": _more(0, Direction.WITHDRAWN, Direction.GRANTED),
    "objects": _sets(_WEAKER, _STRONGER),
    "tiers": _sets(_WEAKER, _STRONGER),
    "anti_evict_from": _sets(_WEAKER, _STRONGER),
    "backing": _keeps,
    "raises": _keeps,
    "size_bytes": _amount,
    "flops": _amount,
    "transient_bytes": _amount,
    "traffic_bytes": _amount,
    "replication_allowed": _right(granted_by=True),
    "multicast_eligible": _right(granted_by=True),
    "promotion_safe": _right(granted_by=True),
    "replay_safe": _right(granted_by=True),
    "side_effects": _right(granted_by=False),
    "anti_evict_rule": _protection,
    "precision_floor": _floor,
    "schedule": _schedule,
    "instance": _recast,
    "reads": _recast,
    "writes": _recast,
    "follows": _recast,
}
