"""The direction in which a key changed."""

from typing import Any

import pytest

from mirc.changes import Direction
from mirc.changes.scales import direction, scheduled
from mirc.ir import FIELD_BY_KEY, EveryNth, PerToken, Repeat
from mirc.ir.meaning import Condition

_D = Direction


@pytest.mark.parametrize(
    ("key", "old", "new", "way"),
    [
        ("spill_policy", "NEVER", "ALLOW", _D.WEAKER),
        ("deadline_class", "SOFT", "HARD", _D.STRONGER),
        ("deadline_us", None, 5.0, _D.STRONGER),
        ("deadline_us", 5.0, 6.0, _D.WEAKER),
        ("pin_level", "SOFT", "WIRED", _D.STRONGER),
        ("guarantee", "HARD", "SOFT", _D.WEAKER),
        ("on_loss", "EVENT", "REFUSE_OTHERS", _D.STRONGER),
        ("mutability", "READ_ONLY", "MUTABLE", _D.WEAKER),
        ("persistence_scope", "STEP", "SESSION", _D.GROWN),
        ("quota_bytes", None, 10, _D.WITHDRAWN),
        ("backing", ("DRAM", "NVME"), ("DRAM",), _D.WITHDRAWN),
        ("backing", None, ("DRAM",), _D.GRANTED),
        ("size_bytes", PerToken(4), PerToken(5), _D.GROWN),
        ("size_bytes", 4, PerToken(4), _D.OTHER),
        ("side_effects", False, True, _D.WITHDRAWN),
        ("replay_safe", False, True, _D.GRANTED),
        ("precision_floor", None, "int8", _D.STRONGER),
        ("precision_floor", "int8", "int4", _D.WEAKER),
        ("precision_floor", "int8", "uint8", _D.OTHER),
        # an estimate claims to be right within a factor of 2
        ("prefetch_horizon_us", 10.0, 20.0, _D.NEAR),
        ("prefetch_horizon_us", 10.0, 20.1, _D.FAR),
        ("prefetch_horizon_us", 0.0, 0.1, _D.FAR),
        ("created", "a", "b", _D.FAR),
        ("dtype", None, "int8", _D.DECLARED),
        ("latest_use", None, "a", _D.DECLARED),
        ("latest_use", "a", None, _D.FAR),
        ("instance", None, ("SEQUENCE",), _D.OTHER),
        ("claimed_by", None, "c", _D.STRONGER),
        ("claimed_by", "c", "d", _D.OTHER),
    ],
)
def test_each_key_has_its_own_more_and_less(key: str, old: Any, new: Any, way: Direction) -> None:
    spec = FIELD_BY_KEY[key]
    assert direction(spec, _typed(key, old), _typed(key, new)) is way


def test_a_lower_fan_out_protects_more() -> None:
    three = Condition(until=False, word="FANOUT_GT", bound=3)
    one = Condition(until=False, word="FANOUT_GT", bound=1)
    spec = FIELD_BY_KEY["anti_evict_rule"]
    assert direction(spec, three, one) is Direction.STRONGER
    assert direction(spec, one, None) is Direction.WEAKER
    assert direction(spec, one, Condition(until=True, word="DONE")) is Direction.OTHER


def test_a_schedule_names_each_of_its_phases_once() -> None:
    items = ("a", Repeat(("b", Repeat(("c", "b"))), 2), EveryNth(4, "d"), "a")
    assert scheduled(items) == ("a", "b", "c", "d")


def _typed(key: str, value: Any) -> Any:
    """Return a word as the member that the language makes of it."""
    words = getattr(FIELD_BY_KEY[key].type, "members", {})
    return words.get(value, value) if isinstance(value, str) else value
