"""Averages over time against the accounts that they are made from."""

import numpy as np
import pytest
from hypothesis import given, settings

from mirc.report.timeline.course import BINS, course
from tests.report.recorded import recorded
from tests.report.test_timeline import played
from tests.simulate.drawn import Drawn, scenes


@settings(max_examples=15)
@given(drawn=scenes())
def test_mean_use_of_a_link_times_the_run_is_its_busy_time(drawn: Drawn) -> None:
    outcome = played(drawn, "intent")
    whole = course(outcome, drawn.load, drawn.machine).windows[0]
    busy: dict[str, float] = {}
    for (name, _), shares in whole.busy.items():
        assert shares.min() >= -1e-9
        busy[name] = busy.get(name, 0.0) + float(shares.mean()) * max(1, outcome.end_ps)
    for link in outcome.links:
        # What is on a link when the run ends may go on after it.
        assert busy.get(link.name, 0.0) == pytest.approx(link.busy_ps, rel=1e-6, abs=1.0)


@settings(max_examples=15)
@given(drawn=scenes())
def test_no_average_is_above_the_peak_or_below_nothing(drawn: Drawn) -> None:
    outcome = played(drawn, "lru")
    for window in course(outcome, drawn.load, drawn.machine).windows:
        held: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        for (memory, _), mean in window.held.items():
            assert mean.min() >= -1e-6
            held[memory] = held.get(memory, np.zeros(BINS)) + mean
        for memory, mean in held.items():
            assert mean.max() <= outcome.peak_bytes[memory] * (1 + 1e-9) + 1e-6


@settings(max_examples=30)
@given(drawn=scenes())
def test_all_that_landed_in_flash_is_written_in_the_end(drawn: Drawn) -> None:
    outcome = played(drawn, "lru")
    found = course(outcome, drawn.load, drawn.machine)
    assert outcome.events is not None
    at = {name: n for n, name in enumerate(outcome.peak_bytes)}.get("nvme", -2)
    landed = outcome.events[(outcome.events["kind"] == 4) & (outcome.events["target"] == at)]
    assert sum(int(each[-1]) for each in found.written.values()) == int(landed["bytes"].sum())
    assert all((np.diff(each) >= 0).all() for each in found.written.values())


def test_the_window_of_an_iteration_lasts_as_long_as_the_median_one() -> None:
    for outcome, scenario, machine in recorded().runs:
        found = course(outcome, scenario.workload, machine)
        _, window = found.windows
        times = sorted(found.iteration_ps.tolist())
        assert window.end_ps - window.start_ps == times[(len(times) - 1) // 2]
