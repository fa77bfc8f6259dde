"""The page of a trace of requests: the figures of the report, and always the same bytes."""

import json
from functools import cache

import pytest

from mirc.report.page.document import as_html
from mirc.report.page.figures import figures
from mirc.report.page.model import Document, Plot
from mirc.report.page.serving_page import page_of
from mirc.simulate.curves import curve_of_requests
from mirc.simulate.serving.model import Options, Serving
from mirc.simulate.serving.prefix_trace import asked_by
from mirc.simulate.serving.serve import serve
from mirc.traces.requests import Request
from tests.simulate.test_serving import module


def asks(at_ms: int, *blocks: int) -> Request:
    return Request(at_ms=at_ms, input_tokens=16 * len(blocks), output_tokens=20, blocks=blocks)


ASKED = [asks(3 * n, 0, 1, 2 + n % 5, 10 + n) for n in range(40)]


@cache
def served() -> Serving:
    options = Options(
        machines=("h100-sxm",), policies="lru,belady", kv_gb=0.05, block_tokens=16, speedup=2.0
    )
    return serve(module(), "asks.jsonl", ASKED, options)


@cache
def page() -> Document:
    curve = curve_of_requests(asked_by(ASKED), served().machines[0].caches.block_bytes)
    return page_of(served(), {"h100-sxm": (curve,)})


def plot(name: str) -> Plot:
    return next(each for each in page().plots if each.name == name)


def test_goodput_and_latencies_are_those_of_the_report() -> None:
    rows = {row.policy: row for row in served().machines[0].rows}
    (frame,) = plot("goodput").frames
    rates = dict(zip(frame.columns["policy"], frame.columns["rate"], strict=True))
    assert rates["lru"] == pytest.approx(rows["lru"].pace.goodput_per_s, rel=1e-4)
    for each in plot("ttft").frames:
        worst = rows[each.key["policy"]].timing.ttft_ms.max() / 1000
        assert each.columns["seconds"][-1] == pytest.approx(worst, rel=1e-4)
        assert each.columns["share"][-1] == 1.0
        assert list(each.columns["seconds"]) == sorted(each.columns["seconds"])


def test_no_moment_is_drawn_twice() -> None:
    for name in ("occupancy", "load"):
        for frame in plot(name).frames:
            rows = list(zip(frame.columns["seconds"], frame.columns["order"], strict=True))
            assert len(set(rows)) == len(rows)


def test_what_is_of_schedules_is_said_to_be_missing() -> None:
    (absent,) = page().absent
    assert "simulate without --trace" in absent.reason


def test_the_page_and_its_figures_have_the_same_bytes_every_time() -> None:
    text = as_html(page(), version="1.2.3")
    assert text == as_html(page(), version="1.2.3")
    assert '<option value="1" selected>h100-sxm: belady</option>' in text
    assert "asks.jsonl" in text
    names = [name for name, _ in figures(page(), "svg")]
    assert "ttft.h100-sxm.svg" in names
    assert "load.h100-sxm.lru.svg" in names
    assert json.dumps(names)
