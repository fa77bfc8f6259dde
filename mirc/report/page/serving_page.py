"""What policies made of a trace of requests into the document of a page."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mirc.diagnostics.words import counted
from mirc.report.page.charts import BYTES, PERCENT, PLAIN, SECONDS, areas, bars, lines
from mirc.report.page.curve_plots import misses
from mirc.report.page.model import Absent, Document, Frame, Plot, Run, Section, Table
from mirc.report.page.values import most, rounded
from mirc.report.units import percent_text, size_text
from mirc.simulate.curves import Curve
from mirc.simulate.serving.model import Row, Served, Serving
from mirc.simulate.serving.timing import Sample

_MS_PER_S = 1000.0
_RANKS = 200  # of a distribution, enough for its tail to be seen
_MOST_POINTS = 300  # over time
_NONE = "-"
_PROMPTS = ("found and used", "computed", "computed again")


def page_of(serving: Serving, curves: Mapping[str, Sequence[Curve]]) -> Document:
    """Return what a page shows; ``curves`` are of the blocks that are asked for, by machine."""
    options = serving.options
    come = "as soon as there is room" if options.closed else f"{options.speedup:g} x as recorded"
    return Document(
        title=serving.title,
        facts=(
            ("trace", serving.trace),
            ("machines", ", ".join(each.machine for each in serving.machines)),
            ("requests come", come),
            ("configuration", serving.configuration),
            (
                "good",
                (
                    f"first token within {options.objective.ttft_ms:g} ms, then one each "
                    f"{options.objective.itl_ms:g} ms"
                ),
            ),
        ),
        runs=tuple(
            Run(machine=served.machine, policy=row.policy)
            for served in serving.machines
            for row in served.rows
        ),
        tables=tuple(map(_table, serving.machines)),
        sections=tuple(_sections(serving, curves)),
        absent=(
            Absent(
                title="Bounds, stalls, claims, hints, NVMe writes",
                reason="they are of a schedule: simulate without --trace",
            ),
        ),
    )


def _sections(serving: Serving, curves: Mapping[str, Sequence[Curve]]) -> Iterator[Section]:
    yield Section(
        title="Requests",
        plots=(
            _goodput(serving),
            _prompts(serving),
            _waits(serving, "ttft", "Time to the first token", "From arrival, queue included."),
            _waits(serving, "itl", "Time between tokens", "Mean of each request of two or more."),
        ),
    )
    yield Section(title="Over time", plots=(_near(serving), _load(serving)))
    rooms = {served.machine: served.capacity_bytes for served in serving.machines}
    plots = [misses(curves, rooms)] if curves else []
    if any(any(row.links.values()) for served in serving.machines for row in served.rows):
        plots.append(_links(serving))
    if plots:
        yield Section(title="What memory is worth", plots=tuple(plots))


def _label(row: Row) -> str:
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def _goodput(serving: Serving) -> Plot:
    frames = tuple(
        Frame(
            key={"machine": served.machine},
            columns={
                "policy": [_label(row) for row in served.rows],
                "rate": rounded(row.pace.goodput_per_s for row in served.rows),
                "text": [
                    f"{row.pace.goodput_per_s:.4g} of {row.pace.requests_per_s:.4g}"
                    for row in served.rows
                ],
            },
        )
        for served in serving.machines
    )
    return Plot(
        name="goodput",
        title="Goodput",
        caption="Requests a second that met both objectives, of those that were answered.",
        chart=bars("rate", "policy", most(frames, "policy"), unit=PLAIN, label="text"),
        frames=frames,
    )


def _prompts(serving: Serving) -> Plot:
    frames = []
    for served in serving.machines:
        rows = [
            (_label(row), what, order, tokens)
            for row in served.rows
            for order, (what, tokens) in enumerate(
                zip(
                    _PROMPTS,
                    (row.total.found, row.total.computed, row.total.again),
                    strict=True,
                )
            )
        ]
        frames.append(
            Frame(
                key={"machine": served.machine},
                columns={
                    "policy": [row[0] for row in rows],
                    "what": [row[1] for row in rows],
                    "order": [row[2] for row in rows],
                    "tokens": [row[3] for row in rows],
                },
                constants={"ceiling": served.ceiling},
            )
        )
    return Plot(
        name="prompts",
        title="Tokens of prompts",
        caption="What lay in memory and could be used, and what was computed. The dashed line is "
        "what a memory without end would have found.",
        chart=bars(
            "tokens",
            "policy",
            most(frames, "policy"),
            unit=PLAIN,
            stack=("what", _PROMPTS),
            mark="ceiling",
        ),
        frames=tuple(frames),
    )


def _waits(serving: Serving, name: str, title: str, caption: str) -> Plot:
    """Return the distribution of the times that a run's timing has under ``name``."""
    frames = []
    for served in serving.machines:
        for row in served.rows:
            times = np.sort(getattr(row.timing, f"{name}_ms"))
            ranks = np.unique(np.ceil(np.linspace(0, len(times), _RANKS + 1)).astype(np.int64))
            found = times[np.maximum(ranks, 1) - 1] if len(times) else times
            frames.append(
                Frame(
                    key={"machine": served.machine, "policy": row.policy},
                    columns={
                        "seconds": rounded(np.maximum(found, 1e-3) / _MS_PER_S),
                        "share": rounded(ranks / len(times)) if len(times) else [],
                    },
                    constants={"run": f"{served.machine}: {row.policy}"},
                )
            )
    return Plot(
        name=name,
        title=title,
        caption=f"{caption} The share of requests that took no longer than so.",
        chart=lines("seconds", "share", "run", units=(SECONDS, PERCENT), scale="log"),
        frames=tuple(frames),
        overlays=True,
    )


def _near(serving: Serving) -> Plot:
    tenants = list(
        dict.fromkeys(
            tenant
            for served in serving.machines
            for row in served.rows
            for sample in row.samples
            for tenant in sample.near_bytes
        )
    )
    frames = []
    for served in serving.machines:
        for row in served.rows:
            samples = _thinned(row.samples)
            frames.append(
                Frame(
                    key={"machine": served.machine, "policy": row.policy},
                    columns={
                        "seconds": rounded(
                            each.at_ms / _MS_PER_S for _ in tenants for each in samples
                        ),
                        "tenant": [tenant or "all" for tenant in tenants for _ in samples],
                        "order": [n for n, _ in enumerate(tenants) for _ in samples],
                        "bytes": [
                            each.near_bytes.get(tenant, 0) for tenant in tenants for each in samples
                        ],
                    },
                    constants={"usable": served.capacity_bytes},
                )
            )
    names = [tenant or "all" for tenant in tenants]
    return Plot(
        name="occupancy",
        title="Near memory held by caches",
        caption="By tenant, sampled. The dashed line is what they were given.",
        chart=areas("seconds", "bytes", ("tenant", names), unit=BYTES, top="usable"),
        frames=tuple(frames),
    )


def _load(serving: Serving) -> Plot:
    kinds = ("running", "queued")
    frames = []
    for served in serving.machines:
        for row in served.rows:
            samples = _thinned(row.samples)
            frames.append(
                Frame(
                    key={"machine": served.machine, "policy": row.policy},
                    columns={
                        "seconds": rounded(
                            each.at_ms / _MS_PER_S for _ in kinds for each in samples
                        ),
                        "what": [kind for kind in kinds for _ in samples],
                        "order": [n for n, _ in enumerate(kinds) for _ in samples],
                        "requests": [getattr(each, kind) for kind in kinds for each in samples],
                    },
                )
            )
    return Plot(
        name="load",
        title="Requests in the system",
        caption="Those that run, and above them those that wait, sampled.",
        chart=areas("seconds", "requests", ("what", kinds), unit=PLAIN),
        frames=tuple(frames),
    )


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    """Return at most as many samples as can be seen, one for each moment that is told apart."""
    kept = samples[:: -(-len(samples) // _MOST_POINTS) or 1]
    moments = rounded(each.at_ms / _MS_PER_S for each in kept)
    return list(dict(zip(moments, kept, strict=True)).values())


def _links(serving: Serving) -> Plot:
    frames = []
    for served in serving.machines:
        names = list(dict.fromkeys(name for row in served.rows for name in row.links))
        rows = [
            (_label(row), name, order, row.links.get(name, 0.0) / max(row.pace.span_s, 1e-12))
            for row in served.rows
            for order, name in enumerate(names)
        ]
        frames.append(
            Frame(
                key={"machine": served.machine},
                columns={
                    "policy": [row[0] for row in rows],
                    "link": [row[1] for row in rows],
                    "order": [row[2] for row in rows],
                    "share": rounded(row[3] for row in rows),
                },
            )
        )
    return Plot(
        name="links",
        title="Use of links",
        caption="Share of the time in which blocks crossed each link.",
        chart=bars("share", "policy", most(frames, "policy"), unit=PERCENT, stack=("link", ())),
        frames=tuple(frames),
    )


def _table(served: Served) -> Table:
    caches = served.caches
    header = (
        *("policy", "usable", "of the possible", "TTFT p50", "p95", "p99"),
        *("between tokens p50", "p95", "p99", "goodput", "requests/s", "tokens/s"),
    )
    rows = []
    for row in served.rows:
        pace, total = row.pace, row.total
        waits = (pace.ttft_ms, pace.itl_ms)
        times = (time for each in waits for time in (each.p50, each.p95, each.p99))
        rows.append(
            (
                _label(row),
                percent_text(total.found / total.asked if total.asked else 0),
                percent_text(total.found / served.ceiling if served.ceiling else 0),
                *(_NONE if time is None else f"{time:.4g} ms" for time in times),
                f"{pace.goodput_per_s:.4g}",
                f"{pace.requests_per_s:.4g}",
                f"{pace.tokens_per_s:.4g}",
            )
        )
    blocks = served.capacity_bytes // caches.block_bytes
    return Table(
        title=served.machine,
        lines=(
            (
                f"{counted(served.requests, 'request')}; {served.near} has "
                f"{size_text(served.capacity_bytes)} for caches, {counted(blocks, 'block')} of "
                f"{caches.block_tokens} tokens, {size_text(caches.block_bytes)} each"
            ),
        ),
        header=header,
        rows=tuple(rows),
    )
