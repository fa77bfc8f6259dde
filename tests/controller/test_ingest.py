import pytest

from mirc.controller.descriptors import (
    DROPPABLE,
    ELSEWHERE,
    GUARDED,
    HELD_FAST,
    RELUCTANT,
    SPENT,
    SPILLABLE,
    UNSAID,
)
from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.machine.load import load as load_machine
from mirc.packed.pack import seal

TEXT = """mir 1.0

object w[0] { class = WEIGHT_TILE  size_bytes = 1MiB  mutability = READ_ONLY }
object w[1] { class = WEIGHT_TILE  size_bytes = 1MiB  mutability = READ_ONLY  pin_level = SOFT }
object e[0] { class = EXPERT_WEIGHT  size_bytes = 1MiB  route_probability = 0.25 }
object table { class = WEIGHT_TILE  size_bytes = 8MiB  mutability = READ_ONLY }
object state { class = RECURRENT_STATE  size_bytes = 1KiB  spill_policy = NEVER }
template kv {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(4)
  spill_policy = SEVERE_PRESSURE_ONLY  layout = PAGED(4, 64KiB)
}
object act { class = ACTIVATION_TEMP  size_bytes = 1KiB  spill_policy = ALLOW }

phase decode {
  step a { reads = [w, TOUCH(table, PER_TOKEN(16))]  writes = [act, kv] }
  step b { reads = [act, e, state] }
}

plan small {
  machine = "h100-sxm"
  phase decode {
    period_us = 40
    override w[0] {
      residency = [HBM]  first_use_us = 3.5  last_use_us = 9  prefetch_horizon_us = 2
    }
    override w[1] { residency = [HBM(b, a), DRAM]  first_use_us = 4 }
    override table { first_use_us = 1 }
    override kv { first_use_us = 5  spill_policy = ALLOW }
  }
}
"""
NAMES = ("w[0]", "w[1]", "e[0]", "table(decode)", "state", "kv(0,0)", "kv(0,1)", "act")


@pytest.fixture(scope="module")
def module() -> Module:
    return load(Source("test.mir", TEXT))


def test_rows_hold_strength_probability_and_fragments(module: Module) -> None:
    known = ingest(seal(module), load_machine("h100-sxm"), "small", NAMES)
    assert known.strength.tolist() == [
        DROPPABLE,
        GUARDED,
        DROPPABLE,
        DROPPABLE,
        HELD_FAST,
        RELUCTANT,
        RELUCTANT,
        SPILLABLE,
    ]
    assert known.probability.tolist() == [1, 1, 0.25, 1, 1, 1, 1, 1]
    assert known.fragment_bytes.tolist() == [0, 0, 0, 0, 0, 65536, 65536, 0]
    assert known.backing[0] == ("DRAM",)


def test_a_plan_adds_times_and_places_in_its_phase(module: Module) -> None:
    rows = ingest(seal(module), load_machine("h100-sxm"), "small", NAMES).phase("decode")
    assert rows is not None
    assert rows.period_ps == 40_000_000
    assert rows.first_ps[:2].tolist() == [3_500_000, 4_000_000]
    assert rows.last_ps[:2].tolist() == [9_000_000, 4_000_000]
    assert rows.horizon_ps[:2].tolist() == [2_000_000, UNSAID]
    assert rows.stays.tolist()[:2] == [True, False]


def test_instances_inherit_their_template_and_rows_have_no_planned_use(module: Module) -> None:
    rows = ingest(seal(module), load_machine("h100-sxm"), "small", NAMES).phase("decode")
    assert rows is not None
    assert rows.first_ps[5:7].tolist() == [5_000_000, 5_000_000]
    assert rows.strength[5] == SPILLABLE
    assert rows.first_ps[3] == UNSAID


def test_without_a_plan_no_use_has_a_time(module: Module) -> None:
    rows = ingest(seal(module), load_machine("h100-sxm"), None, NAMES).phase("decode")
    assert rows is not None
    assert (rows.first_ps == UNSAID).all()
    assert rows.period_ps == 0


def test_what_prefers_lower_tiers_leaves_before_weights_and_what_is_spent_before_that() -> None:
    text = (
        "mir 1.0\n"
        "object w { class = WEIGHT_TILE size_bytes = 1KiB }\n"
        "object m { class = OPTIMIZER_STATE size_bytes = 1KiB }\n"
        "object near { class = OPTIMIZER_STATE size_bytes = 1KiB preferred_tiers = [HBM] }\n"
        "object c { class = CHECKPOINT_FRAGMENT size_bytes = 1KiB }\n"
        "phase p { step s { reads = [w, m, near] writes = [c] } }\n"
    )
    names = ("w", "m", "near", "c")
    known = ingest(seal(load(Source("t.mir", text))), load_machine("h100-sxm"), None, names)
    assert known.strength.tolist() == [DROPPABLE, ELSEWHERE, SPILLABLE, SPENT]
    assert SPENT < ELSEWHERE < DROPPABLE
