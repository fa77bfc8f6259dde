"""What callers say and hear: who may act for whom, and values that cannot be mixed up."""

from collections.abc import Callable

import pytest

from mirc.sram import (
    DRIVER,
    Access,
    Caller,
    Counters,
    Event,
    EventKind,
    Geometry,
    Handle,
    Quota,
    Range,
    Traffic,
)
from mirc.sram.words import NO_BINDING


@pytest.mark.parametrize(
    ("caller", "a", "b"),
    [
        (DRIVER, True, True),
        (Caller(privileged=True, tenant="a"), True, False),
        (Caller(privileged=False, tenant="a"), False, False),
        (Caller(privileged=False), False, False),
    ],
)
def test_only_the_privileged_act_and_a_named_one_for_itself(
    caller: Caller, *, a: bool, b: bool
) -> None:
    assert (caller.may_act_for("a"), caller.may_act_for("b")) == (a, b)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Access, (1, 2)),
        (Traffic, (1, 2)),
        (Quota, (1, 2)),
        (Caller, (True,)),
        (Counters, (1,)),
        (Event, (0, EventKind.EVICTED, "a")),
        (Geometry, (1, 1, 1, 1)),
    ],
)
def test_numbers_that_could_be_mixed_up_are_given_by_name(
    kind: Callable[..., object], values: tuple[object, ...]
) -> None:
    with pytest.raises(TypeError, match="positional"):
        kind(*values)


def test_what_is_not_said_is_nothing() -> None:
    assert Access(hits=1, misses=2).bypassed == 0
    assert Counters() == Counters(
        loaded_lines=0,
        written_lines=0,
        evicted_lines=0,
        lost_lines=0,
        bypassed_lines=0,
        violations=0,
        coherence_messages=0,
        suppressed_messages=0,
    )
    event = Event(number=0, kind=EventKind.GENERATION_WRAP, tenant="a")
    assert (event.handle, event.target) == (NO_BINDING, None)
    assert Handle(0) == NO_BINDING
    assert Range("m", 1, 2) != Range("m", 2, 1)
