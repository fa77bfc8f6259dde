"""What the structured values of fields mean once typed: amounts, uses, residencies, schedules."""

from typing import TypeAlias, Union

import attrs

from mirc.ir.enums import TierKind


@attrs.frozen(slots=True)
class PerToken:
    """``PER_TOKEN(n)``: ``amount`` (bytes or FLOPs) for each new token of the step's batch."""

    amount: int


@attrs.frozen(slots=True)
class PerSequence:
    """``PER_SEQUENCE(n)``: ``amount`` (bytes or FLOPs) for each sequence of the step's batch."""

    amount: int


Amount: TypeAlias = int | PerToken | PerSequence


def evaluate(amount: Amount, *, sequences: int, tokens: int) -> int:
    """Return an amount for a batch of ``sequences`` that hold ``tokens`` new tokens in all."""
    if isinstance(amount, PerToken):
        return amount.amount * tokens
    if isinstance(amount, PerSequence):
        return amount.amount * sequences
    return amount


@attrs.frozen(slots=True)
class Access:
    """One use of an object or family in ``reads`` or ``writes``.

    Whole unless ``touched`` says how many bytes (``TOUCH(name, amount)``) or ``top_k`` how many of
    the family's parts each token is routed to (``ROUTED(name, k)``).
    """

    name: str
    touched: Amount | None = None
    top_k: int | None = None


@attrs.frozen(slots=True)
class Residency:
    """Where an object lies: in ``tier`` from one step to another, inclusive, or always.

    The interval may wrap: from a later step, over the end of the phase, to an earlier one.
    """

    tier: TierKind
    first_step: str | None = None
    last_step: str | None = None


@attrs.frozen(slots=True)
class Condition:
    """``WHILE_FANOUT_GT_1``, ``UNTIL_ALLREDUCE_COMPLETE(b)``: what keeps an object in place.

    ``word`` is the predicate or event without its prefix (``FANOUT_GT``, ``ALLREDUCE_COMPLETE``);
    ``bound`` the predicate's number; ``args`` the names between the parentheses.
    """

    until: bool
    word: str
    bound: int | None = None
    args: tuple[str | int, ...] = ()


@attrs.frozen(slots=True)
class Applied:
    """A word applied to typed arguments, where nothing richer is needed: ``PAGED(4, 65536)``."""

    word: str
    args: tuple[object, ...] = ()


@attrs.frozen(slots=True)
class Repeat:
    """``REPEAT(n, ...)``, or without a count ``LOOP(...)``: the body again and again."""

    body: tuple["Scheduled", ...]
    count: int | None = None


@attrs.frozen(slots=True)
class EveryNth:
    """``EVERY(n, phase)``: each n-th time that it is reached."""

    nth: int
    body: "Scheduled"


Scheduled: TypeAlias = Union[str, Repeat, EveryNth]  # noqa: UP007 - a forward reference in ``|`` fails


@attrs.frozen(slots=True)
class Retain:
    """``RANGE(start, end, priority, time)``: how long a range of tokens is wanted.

    ``start`` inclusive, ``end`` exclusive; ``priority`` 0 to 100; ``retain_us`` None for no limit.
    """

    start: int
    end: int
    priority: int = 35
    retain_us: float | None = None
