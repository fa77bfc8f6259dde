"""Quotas, claims and the time of transfers, with the arithmetic beside each figure."""

import pytest

from mirc.diagnostics import Diagnostic, Source
from mirc.lint.bandwidth import inflow_bytes_per_s
from mirc.lint.check import check_source
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.simulate.limits import inflow_bytes_per_s as simulated_inflow
from tests.simulate.toy import card

MB = 1_000_000


def said(text: str, name: str, *machines: Machine) -> list[Diagnostic]:
    found = check_source(Source("a.mir", text), machines).diagnostics
    return [d for d in found if d.rule.name == name]


WIRED = """
tenant t { wired_quota_bytes = 10MiB }
object a { class = WEIGHT_TILE  size_bytes = 6MiB  tenant_id = t }
object b { class = WEIGHT_TILE  size_bytes = 6MiB  tenant_id = t }
phase p { step s { reads = [a] } step u { reads = [b] } }
"""


@pytest.mark.parametrize(
    ("declared", "count"),
    [
        ("override a { PIN } override b { PIN }", 1),  # 12 of 10 MiB
        ("override a { PIN }", 0),
        ("override a { PIN } override b { pin_level = WIRED }", 0),  # b prefers HBM
        ("phase p { override a { PIN } } override b { PIN }", 0),  # a only while p runs
    ],
)
def test_a_plan_that_wires_more_than_the_quota_is_found(declared: str, count: int) -> None:
    pin = "pin_level = WIRED  preferred_tiers = [SRAM, HBM]"
    text = f'{WIRED}plan c {{ machine = "npu-scratchpad"  {declared.replace("PIN", pin)} }}\n'
    assert len(said(text, "wired-beyond-quota")) == count


def test_a_residency_on_chip_is_wired_there_too() -> None:
    override = "{ pin_level = WIRED  residency = [SRAM] }"
    text = WIRED + f'plan c {{ machine = "npu-scratchpad"  override a {override} '
    (found,) = said(f"{text} override b {override} }}\n", "wired-beyond-quota")
    assert found.message == (
        "`t` wires 12 MiB of on-chip memory, and its quota is 10 MiB: `a` (6 MiB) and `b` (6 MiB)"
    )


def test_a_machine_without_wirable_memory_has_no_budget_to_exceed() -> None:
    text = WIRED.replace("tenant_id = t", "preferred_tiers = [SRAM, HBM]  pin_level = WIRED")
    assert said(text, "wired-beyond-budget", card()) == []
    assert len(said(text, "wired-beyond-budget", load("edge"))) == 1  # 12 MiB of 1.5


def test_both_kinds_of_quotas_are_summed_over_tenants() -> None:
    text = "".join(
        f"tenant t{i} {{ quota_bytes = 4MB  wired_quota_bytes = 1MiB }}\n"
        f"object x{i} {{ class = KV_BLOCK  tenant_id = t{i} }}\n"
        for i in range(3)
    )
    (found,) = said(text, "quotas-beyond-memory", card(11 * MB))
    assert found.message.startswith("all tenants' `quota_bytes` are 12 MB together, and toy has 11")
    assert said(text, "quotas-beyond-memory", card(12 * MB)) == []
    (found,) = said(text, "quotas-beyond-memory", load("edge"))  # 3 of 1.5 MiB
    assert "`wired_quota_bytes` are 3 MiB together, and edge has 1536 KiB" in found.message


CLAIM = """
object k {{ class = KV_BLOCK  size_bytes = 60MB }}
object w {{ class = WEIGHT_TILE  size_bytes = {active} }}
claim c {{ holder = h  objects = [k]  guarantee = {guarantee}  {more} }}
phase p {{ step s {{ reads = [w] }} step t {{ reads = [k] }} }}
"""


@pytest.mark.parametrize(
    ("active", "guarantee", "more", "count"),
    [
        ("70MB", "HARD", "until = 5s", 1),  # 60 of the claim, 70 of the step, in 80
        ("20MB", "HARD", "until = 5s", 0),
        ("70MB", "SOFT", "until = 5s", 0),
        ("70MB", "HARD", "until = 5s  tiers = [HBM, DRAM]", 0),
        ("70MB", "HARD", "materialized = WHILE_FANOUT_GT_1", 1),
    ],
)
def test_a_pool_of_80_a_claim_of_60_and_work_of_70(
    active: str, guarantee: str, more: str, count: int
) -> None:
    text = CLAIM.format(active=active, guarantee=guarantee, more=more)
    found = said(text, "claim-beyond-room", card(80 * MB))
    assert len(found) == count
    if found:
        assert found[0].message == (
            "the hard claim `c` can never be granted: it holds 60 MB beside 70 MB of step `s` of "
            "`p`, and HBM of toy has 80 MB"
        )


def test_a_claim_from_the_first_step_on_makes_the_step_impossible_instead() -> None:
    text = CLAIM.format(active="70MB", guarantee="HARD", more="")
    found = check_source(Source("a.mir", text), (card(80 * MB),)).diagnostics
    assert [d.rule.name for d in found] == ["step-beyond-memory"]
    assert "`w` (70 MB) and `k` (60 MB)" in found[0].message


def test_a_claim_to_another_pool_is_judged_there() -> None:
    text = CLAIM.format(active="1MB", guarantee="HARD", more="tiers = [DRAM]")
    text = text.replace("60MB", "2TB")  # the toy has 1 TB of DRAM
    (found,) = said(text, "claim-beyond-room", card(4 * 10**12))
    assert "it holds 2 TB, and DRAM of toy has 1 TB" in found.message


def test_a_tenants_step_is_held_to_its_quota_without_any_machine() -> None:
    text = """
tenant t { quota_bytes = 10MB }
object a { class = WEIGHT_TILE  size_bytes = 6MB  tenant_id = t }
object b { class = WEIGHT_TILE  size_bytes = 5MB  tenant_id = t }
object c { class = WEIGHT_TILE  size_bytes = 9MB }
phase p { step s { reads = [a, c] } step u { reads = [a, b, c] } step v { reads = [b] } }
"""
    (found,) = said(text, "tenant-beyond-quota")
    # u needs 6 + 5 MB of t; c is nobody's
    assert found.message == (
        "step `u` of `p` must hold 11 MB of `t` at once, and its quota is 10 MB: "
        "`a` (6 MB) and `b` (5 MB)"
    )
    assert said(text.replace("10MB", "11MB"), "tenant-beyond-quota") == []


# ── Time ────────────────────────────────────────────────────────────────────

# The toy's link moves 1 GB/s without latency: 1 MB takes 1 ms.
FETCH = """
object x {{ class = WEIGHT_TILE  size_bytes = 1MB  {more} }}
phase p {{ step s {{ reads = [x] }} override x {{ {key} = {time} }} }}
"""


@pytest.mark.parametrize("key", ["prefetch_horizon_us", "deadline_us"])
@pytest.mark.parametrize(
    ("time", "more", "late"),
    [
        ("999_500ns", "fallback_tiers = [DRAM]", False),  # figures are written rounded
        ("990us", "fallback_tiers = [DRAM]", True),
        ("1_000", "fallback_tiers = [DRAM]", False),
        ("990us", "", True),  # a weight is backed by DRAM
        ("990us", "fallback_tiers = [CXL]", False),  # the toy has none
        ("1us", "fallback_tiers = [HBM]", False),  # it is there already
    ],
)
def test_what_takes_a_millisecond_is_late_after_less(
    key: str, time: str, more: str, *, late: bool
) -> None:
    rule = {"prefetch_horizon_us": "late-prefetch", "deadline_us": "deadline-below-transfer"}[key]
    text = FETCH.format(key=key, time=time, more=more)
    assert bool(said(text, rule, card())) is late


def test_a_soft_deadline_may_be_missed() -> None:
    text = FETCH.format(key="deadline_us", time="1us", more="deadline_class = SOFT")
    assert said(text, "deadline-below-transfer", card()) == []


PLANNED = """
object x {{ class = WEIGHT_TILE  size_bytes = 96MiB  fallback_tiers = [DRAM, NVME]  {more} }}
phase p {{ step s {{ reads = [x] }} step t {{ flops = 1 }} }}
plan h {{
  machine = "h100-sxm"
  phase p {{ {period} override x {{ prefetch_horizon_us = {time}  {residency} }} }}
}}
"""


@pytest.mark.parametrize(
    ("time", "more", "residency", "period", "late"),
    [
        # 100,663,296 B: 14.80 ms at NVMe's 6.8 GB/s, then 1.83 ms at the link's 55 GB/s
        ("16ms", "", "", "", True),
        ("17ms", "", "", "", False),
        ("2ms", "", "residency = [HBM(s, s), DRAM]", "", False),
        ("1ms", "", "residency = [HBM(s, s), DRAM]", "", True),
        ("1ms", "", "residency = [HBM]", "", False),
        ("1ms", "", "residency = [HBM(s, s), DRAM]", "period_us = 1_000", False),
        # in 24,576 pieces of 4 KiB at 4 GB/s: 25.2 ms on the last hop, 24.6 ms at 4.1 on the first
        ("17ms", "layout = PAGED(24_576, 4KiB)", "", "", True),
        ("50ms", "layout = PAGED(24_576, 4KiB)", "", "", False),
    ],
)
def test_the_farthest_place_in_which_it_may_be_decides(
    time: str, more: str, residency: str, period: str, *, late: bool
) -> None:
    text = PLANNED.format(time=time, more=more, residency=residency, period=period)
    found = said(text, "late-prefetch")
    assert bool(found) is late
    assert all("on h100-sxm" in d.message for d in found)


def test_an_override_of_a_family_is_judged_for_each_of_its_parts() -> None:
    text = """
object e[0] { class = EXPERT_WEIGHT  size_bytes = 1MB }
object e[1] { class = EXPERT_WEIGHT  size_bytes = 3MB }
phase p { step s { reads = [ROUTED(e, 1)] } override e { prefetch_horizon_us = 2_000 } }
"""
    (found,) = said(text, "late-prefetch", card())
    assert "`e[1]` is to be fetched 2 ms before its use" in found.message
    assert "takes 3 ms on toy" in found.message
    assert found.hint == "write at least `prefetch_horizon_us = 3_000`, or keep it nearer"


BOUND = """
object a {{ class = WEIGHT_TILE  size_bytes = 6MB }}
object b {{ class = WEIGHT_TILE  size_bytes = 6MB  {more} }}
phase p {{
  step s {{ reads = [a]  flops = {flops}  work = MATMUL }}
  step t {{ reads = [b] }}
}}
"""


@pytest.mark.parametrize(
    ("near", "flops", "more", "found"),
    [
        # 12 MB in 10: 2 MB cross in 2 ms, and a run takes 0.06 ms (12 MB at 100 GB/s, 0.06 + 0.06)
        (10 * MB, 1, "", True),
        (12 * MB, 1, "", False),
        # at 1 TFLOP/s 3 * 10^9 operations take 3 ms: there is time
        (10 * MB, 3_000_000_000, "", False),
        (10 * MB, 1, "deadline_class = SOFT", False),
        (10 * MB, 1, "precision_ladder = [bfloat16, int4]  dtype = bfloat16", False),  # 1.5 MB
    ],
)
def test_what_must_cross_in_a_run_is_held_against_the_time_of_the_run(
    near: int, flops: int, more: str, *, found: bool
) -> None:
    text = BOUND.format(flops=flops, more=more)
    assert bool(said(text, "deadlines-beyond-links", card(near))) is found


def test_a_plans_period_takes_the_place_of_the_roofline() -> None:
    text = BOUND.format(flops=1, more="").replace("6MB", "12GB")
    plan = 'plan c {{ machine = "card-24g"  phase p {{ period_us = {} }} }}\n'
    # 24 GB in 21.6, and on-chip memory: 2.32 GB at 25 GB/s take 93 ms
    (found,) = said(text + plan.format("90ms"), "deadlines-beyond-links")
    assert "that takes 92.98 ms on card-24g, and a run takes 90 ms" in found.message
    assert said(text + plan.format("95ms"), "deadlines-beyond-links") == []


@pytest.mark.parametrize("name", ["h100-sxm", "gh200", "cxl-node", "edge", "npu-scratchpad"])
def test_links_bring_in_at_least_what_the_simulation_takes_them_for(name: str) -> None:
    machine = load(name)
    assert inflow_bytes_per_s(machine) >= simulated_inflow(machine)
