"""Intent without one field of its file at a time."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Coalition
from mirc.simulate.case import known_of, run
from mirc.simulate.hints import ablation
from mirc.simulate.hints.ablation import without, written
from tests.simulate.hints.mended import case

RICH = """mir 1.0
tenant t { quota_bytes = 1GB priority = 3 }
object w { class = WEIGHT_TILE size_bytes = 1MB reuse = HIGH retention_priority = 3 tenant_id = t }
object x { class = WEIGHT_TILE size_bytes = 1MB reuse = LOW }
coalition both { members = [w, x] cap_bytes = 1MB }
claim c { holder = "me" objects = [w] priority = 1 }
phase decode {
  step s { reads = [w, x] raises = [GO] }
  override w { reuse = NONE }
}
on GO { override x { retention_priority = 9 } }
plan p {
  machine = "toy"
  override w { prefetch_horizon_us = 5 }
  phase decode {
    period_us = 7
    override x { first_use_us = 1 }
  }
}
"""


def test_the_plan_is_worth_what_the_run_is_slower_without_it() -> None:
    whole = case()
    found = ablation(whole)
    by_name = {row.what: row for row in found.rows}
    assert found.total_ps == run(whole, "intent").total_ps
    known = known_of(whole.packed, whole.scenario, whole.machine, None, None)
    bare = run(attrs.evolve(whole, plan=None, known=known), "intent")
    assert by_name["plan"].total_ps == bare.total_ps
    assert by_name["plan"].slower > 0.01
    assert found.rows[0].total_ps == max(row.total_ps for row in found.rows)


def test_a_field_that_the_controller_does_not_weigh_is_worth_nothing() -> None:
    # when a thing is used last says nothing that its first use does not: each is used once a round
    row = next(row for row in ablation(case()).rows if row.what == "last_use_us")
    assert row.lines == 6
    assert (row.slower, row.moved) == (0, 0)


def test_facts_and_what_a_declaration_cannot_be_without_stay() -> None:
    found = written(load(Source("r.mir", RICH)))
    assert "size_bytes" not in found
    assert "class" not in found
    assert "members" not in found
    assert found["reuse"] == 3  # two objects and an override
    assert found["retention_priority"] == 2  # an object and an override of the signal
    assert found["priority"] == 1  # the tenant's; the claim goes as a whole
    assert [found[kind] for kind in ("plan", "coalition", "claim", "on")] == [1, 1, 1, 1]


@given(st.sampled_from(sorted(written(load(Source("r.mir", RICH))))))
def test_what_is_left_out_is_gone_everywhere_and_all_else_is_there(what: str) -> None:
    whole = load(Source("r.mir", RICH))
    left = written(without(whole, what))
    assert what not in left
    if what not in ("plan", "coalition", "claim", "on"):
        expected = {key: count for key, count in written(whole).items() if key != what}
        assert left == expected


def test_half_a_coalition_is_never_left() -> None:
    whole = load(Source("r.mir", RICH))
    kept = next(d for d in without(whole, "cap_bytes").declarations if isinstance(d, Coalition))
    assert kept == whole.coalitions["both"]
