"""Profiles of PyTorch as observations of the steps that they mark."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.observe.compare import Compared, against
from mirc.observe.marks import marked
from mirc.observe.sources import parts_in

MIR = """mir 1.0
object a { class = WEIGHT_TILE reuse = NONE }
object b { class = WEIGHT_TILE }
phase forward { step first { reads = [a] } step second { reads = [b] } }
phase other { step first { reads = [a] } step third { reads = [b] } }
plan card {
  machine = "h100-sxm"
  phase forward { period_us = 30 override b { first_use_us = 10 last_use_us = 10 } }
}
"""


def compared(data: bytes, phase: str | None = None, mir: str = MIR) -> Compared:
    module = load(Source("toy.mir", mir))
    parts = parts_in(io.BytesIO(data), "trace", module, phase)
    (log,) = against(module, parts, "trace", "card").logs
    return log


def mark(name: str, start: float, length: float, category: str = "user_annotation") -> Any:
    return {"ph": "X", "cat": category, "name": name, "ts": start, "dur": length}


def traced(*events: Any, **more: Any) -> bytes:
    return json.dumps({"schemaVersion": 1, **more, "traceEvents": list(events)}).encode()


RUNS = [
    mark(name, begin + start, 5.0)
    for begin in (100.5, 130.5)
    for name, start in (("first", 0.0), ("second", 11.0))
]


def test_marks_of_steps_are_times_of_what_they_read_and_no_more() -> None:
    # b is used 11 us after each begin, said 10; the first run took 30 us, and of the second the
    # last mark ends after 16: a factor of 1.9
    log = compared(traced(*RUNS, {"ph": "M", "name": "process_name"}))
    assert (log.source, log.machine) == ("profile", "cpu")
    assert log.runs == (("forward", 2),)
    first, last, period = log.timed
    assert (first.held, last.held) == (2, 2)
    assert (period.chances, period.held) == (2, 2)
    # a profile does not show what is read: nothing is said of it
    assert log.scored[0].total is None
    assert log.never_read == ()


def test_times_of_the_device_come_before_those_of_the_host() -> None:
    late = [
        mark(each["name"], each["ts"] + 50 * n, 5, "gpu_user_annotation")
        for n, each in enumerate(RUNS[:2])
    ]
    log = compared(traced(*RUNS, *late, deviceProperties=[{"name": "NVIDIA H100"}]))
    assert log.machine == "NVIDIA H100"
    assert log.runs == (("forward", 1),)
    assert log.timed[0].later == 1  # 61 us


def test_a_phase_that_is_marked_or_asked_for_has_the_steps() -> None:
    alike = MIR.replace("third", "second")
    with pytest.raises(CouldNotRun, match="does not tell which phase ran: forward, other"):
        compared(traced(*RUNS), mir=alike)
    assert compared(traced(*RUNS), "other", alike).runs == (("other", 2),)
    named = traced(mark("other", 100, 40), *RUNS[:2], mark("ProfilerStep#1", 141, 40))
    assert compared(named, mir=alike).runs == (("other", 1),)
    with pytest.raises(CouldNotRun, match="this file has no phase `prefill`"):
        compared(traced(*RUNS), "prefill")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"traceEvents": [', "`trace` is not JSON"),
        (b'{"traceEvents": 5}', "has no list of `traceEvents`"),
        (b'{"schemaVersion": 1}', "has no list of `traceEvents`"),
        (traced(), "`trace` has no annotations"),
        (traced({"ph": "X", "cat": {}}), "`trace` has no annotations"),
        (traced(mark("third thing", 1, 1)), "`trace` marks no step of this file"),
        (traced(mark("first", -1, 1)), "an annotation without name, `ts` and `dur`"),
        (traced(mark("first", 1e300, 1)), "an annotation without name, `ts` and `dur`"),
        (gzip.compress(traced(*RUNS), mtime=0)[:60], "`trace` is a broken gzip file"),
    ],
)
def test_what_is_no_profile_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        compared(data)


def test_a_real_profile_of_a_marked_model_is_read(tmp_path: Path) -> None:
    model = nn.Sequential()
    model.add_module("first", nn.Linear(8, 8))
    model.add_module("act", nn.ReLU())
    model.add_module("second", nn.Linear(8, 8))
    with profile(activities=[ProfilerActivity.CPU]) as recorded, marked(model), torch.no_grad():
        for _ in range(3):
            with record_function("forward"):
                model(torch.ones(1, 8))
    path = tmp_path / "trace.json.gz"
    recorded.export_chrome_trace(str(path))
    log = compared(path.read_bytes())
    assert log.runs == (("forward", 3),)
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        model(torch.ones(1, 8))
    assert "first" not in {event.name for event in recorded.events()}
