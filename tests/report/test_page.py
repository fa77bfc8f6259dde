"""A page as text: it needs nothing else, says what it leaves out, and is the same every time."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from mirc.report.page.document import as_html
from mirc.report.page.figures import figures
from mirc.report.page.model import Document, Plot, Section
from mirc.report.page.time_plots import held_over_time
from tests.report.recorded import recorded


@pytest.fixture(scope="module")
def page() -> str:
    return as_html(recorded().document, version="1.2.3")


def with_plots(plots: Sequence[Plot]) -> Document:
    section = Section(title="some", plots=tuple(plots))
    return attrs.evolve(recorded().document, sections=(section,))


def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


class Links(HTMLParser):
    """Collects what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.found += [v or "" for k, v in attrs if k in ("src", "srcset", "data", "action")]
        self.found += [v or "" for k, v in attrs if k == "href" and tag in ("link", "base")]


def test_the_page_loads_nothing(page: str) -> None:
    links = Links()
    links.feed(page)
    assert links.found == ["data:,"]  # an icon of no bytes, so that none is asked for
    assert links.opened.count("script") == 3  # the name of the model did not end one
    assert "@import" not in page
    assert not re.search(r"url\(\s*[\"']?https?:", page)


def test_the_page_shows_every_policy_with_the_figures_of_the_report(page: str) -> None:
    assert page.count('data-run="toy: intent"') == 1
    assert "weights &lt;/script&gt; in turn" in page
    assert recorded().study.configuration in page
    for comparison in recorded().study.comparisons:
        assert f"<h2>{comparison.machine}</h2>" in page


def test_every_plot_with_data_is_there_and_every_other_is_said(page: str) -> None:
    names = [plot["name"] for plot in data(page)["plots"]]
    assert names == [
        *("total-time", "stalls", "bytes-in", "step-time"),
        *("occupancy", "links", "miss-ratio", "hint-curve", "ablation"),
    ]
    missing = page[page.index("<h2>Not drawn</h2>") :]
    for title in ("NVMe writes", "Claims and pins", "Time to first token and goodput"):
        assert title in missing


def test_stalls_and_computing_add_up_to_the_total(page: str) -> None:
    plots = {plot["name"]: plot for plot in data(page)["plots"]}
    for total, split in zip(plots["total-time"]["frames"], plots["stalls"]["frames"], strict=True):
        columns = split["columns"]
        for policy, seconds in zip(
            total["columns"]["policy"], total["columns"]["seconds"], strict=True
        ):
            parts = [
                part
                for name, part in zip(columns["policy"], columns["seconds"], strict=True)
                if name == policy
            ]
            assert sum(parts) == pytest.approx(seconds, rel=1e-4)


def test_a_frame_of_few_values_is_as_long_as_its_rows(page: str) -> None:
    for plot in data(page)["plots"]:
        for frame in plot["frames"]:
            assert len({len(column) for column in frame["columns"].values()}) == 1


def test_figures_are_named_by_what_they_show_and_the_same_every_time() -> None:
    document = recorded().document
    few = [plot for plot in document.plots if plot.name in ("total-time", "step-time", "links")]
    found = dict(figures(with_plots(few), "svg"))
    assert {"total-time.toy.svg", "total-time.large.svg", "step-time.toy.svg"} <= set(found)
    assert "links.toy.intent.run.up.svg" in found
    assert all(content.startswith(b"<svg") for content in found.values())
    assert dict(figures(with_plots(few), "svg")) == found


def test_a_figure_may_be_a_png() -> None:
    first = recorded().document.plots[0]
    found = dict(figures(with_plots([first]), "png"))
    assert set(found) == {"total-time.toy.png", "total-time.large.png"}
    assert all(content.startswith(b"\x89PNG") for content in found.values())


def test_a_memory_that_is_almost_empty_is_drawn_without_its_end() -> None:
    (plot,) = (each for each in recorded().document.plots if each.name == "occupancy")
    ends = {
        (
            frame.key["memory"],
            "usable" in frame.constants,
            len(plot.of(list(frame.rows()))["layer"]),
        )
        for frame in plot.frames
    }
    assert ("hbm", True, 2) in ends
    assert not any(memory == "dram" and drawn for memory, drawn, _ in ends)


DIGESTS = """
import hashlib
from mirc.report.page.document import as_html
from tests.report.recorded import recorded
from tests.report.test_event_files import written as events
from tests.report.test_perfetto import written as trace
found = [as_html(recorded().document, version="1").encode(), trace(recorded())]
found += [events("x.parquet"), events("x.csv")]
digests = [hashlib.sha256(each).hexdigest() for each in found]
"""


def test_a_memory_that_is_full_all_the_time_is_drawn_beside_one_that_fills() -> None:
    moving = recorded().courses[0]
    flat = [
        attrs.evolve(
            window,
            held={key: np.full(len(mean), float(mean.max())) for key, mean in window.held.items()},
        )
        for window in moving.windows
    ]
    still = attrs.evolve(moving, policy="still", windows=tuple(flat))
    drawn = {frame.key["policy"] for frame in held_over_time([moving, still]).frames}
    assert drawn == {moving.policy, "still"}
    assert not held_over_time([still]).frames  # a memory that nobody changes


def test_another_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    here: dict[str, list[str]] = {}
    exec(DIGESTS, here)  # noqa: S102 - the text above
    there = subprocess.run(
        [sys.executable, "-c", f"{DIGESTS}print(*digests)"],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert there.stdout.split() == here["digests"]
