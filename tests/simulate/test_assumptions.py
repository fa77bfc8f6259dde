"""What a run assumes of a machine is said in its report."""

from mirc.machine.load import load, parse, source
from mirc.simulate.assumptions import assumed_of


def test_a_link_that_is_shared_evenly_takes_turns_in_a_schedule_s_run_and_the_report_says_so() -> (
    None
):
    text = source("h100-sxm").replace(
        'name = "dram-to-hbm"', 'name = "dram-to-hbm"\nsharing = "fair"'
    )
    assert assumed_of(load("h100-sxm")) == ()
    (sentence,) = assumed_of(parse("fair", text))
    assert "take turns on `dram-to-hbm`" in sentence
