"""What has no bound, no gap or no price, and how a price is worded."""

import pytest

from mirc.answers.certified_forms import as_object, as_text
from mirc.answers.certify import Certified, certify
from mirc.answers.shadow import ShadowPrice
from mirc.emit import emit
from mirc.graph import Program
from mirc.machine import Machine
from mirc.passes.pipeline import PIPELINE, run
from tests.passes.programs import Builder, decoder, machine

GB = 10**9


def certified(program: Program, *machines: Machine) -> Certified:
    facts = run(program, machines=machines)
    return certify(program, facts, emit(program, facts))


def test_a_plan_that_does_not_fit_has_neither_gap_nor_price_and_says_why() -> None:
    build = Builder()
    for layer in range(3):
        build.node(f"l.{layer}", [build.store(f"l.{layer}.w", 100_000)])
    build.phase("decode_step")
    found = certified(build.program(), machine(50_000))
    unfit = [c for _, c in found.certificates if not c.feasible]
    assert [c.decision for c in unfit] == [
        "which pieces stay near in a run of decode_step on toy",
        "which tier keeps the masters on toy",
        "offsets in HBM of toy during decode_step",
    ]
    assert all(c.gap is None and c.note for c in unfit)
    assert found.prices == ()
    text = as_text(found)
    assert text.count("DOES NOT FIT") == 3
    assert "no shadow prices: decode_step on toy does not fit: no run of it can be timed" in text
    assert len(as_object(found)["no_shadow_prices"]) == 1


def test_every_pass_has_a_certificate_or_says_why_not() -> None:
    found = certified(decoder(layers=2), machine(60 * GB))
    certain = {name for name, _ in found.certificates}
    without = dict(found.unbounded)
    assert certain.isdisjoint(without)
    assert certain | set(without) == {each.name for each in PIPELINE} | {"offsets"}
    assert "two prices" in without["recompute-classifier"]
    assert "counted exactly" in without["reuse"]
    assert without["expert-routing"] == "nothing is routed"
    assert "  coalition: no bound: groups are those of the modules' structure" in as_text(found)
    alone = dict(certified(decoder(layers=2)).unbounded)
    assert "no machine" in alone["tier-liveness"]


@pytest.mark.parametrize(
    ("step", "saved", "said"),
    [
        (1.0, 20.0, "1 GB more saves 20.000 ms a run of decode (of 46.000)"),
        (0.1, 2.0, "100 MB more saves 2.000 ms a run of decode (of 46.000), 20.000 ms per GB at "),
        (0.0625, 20.0, "62.5 MB more saves 20.000 ms a run of decode (of 46.000); too small a "),
        (0.1, -2.0, "100 MB more cost 2.000 ms a run of decode (of 46.000): the planner is a "),
    ],
)
def test_a_price_says_what_was_tried_and_no_rate_above_the_whole_run(
    step: float, saved: float, said: str
) -> None:
    price = ShadowPrice(
        machine="toy",
        part="hbm",
        kind="memory",
        phase="decode",
        unit="GB",
        step=step,
        step_saved_ms=saved,
        saved_ms=saved / step,
        weighted_ms=saved / step,
        run_ms=46.0,
    )
    assert f"  toy hbm: {said}" in as_text(Certified(certificates=(), idle=(), prices=(price,)))
