"""What policies made of a schedule into the plots of a page."""

from collections.abc import Iterable, Iterator, Sequence

from mirc.report.page.charts import BYTES, PERCENT, SECONDS, areas, bars, lines, ticks
from mirc.report.page.model import Absent, Frame, Plot, Section
from mirc.report.timeline.course import BINS, WORKING_SPACE, Course, Window
from mirc.report.timeline.service import PRIORITIES
from mirc.report.units import change_text, percent_text
from mirc.simulate.census import CLASS_ORDER
from mirc.simulate.claims import ClaimStage
from mirc.simulate.comparison import Comparison
from mirc.simulate.metrics import Figures
from mirc.simulate.promises import PromiseStage

PS_PER_S = 1e12
MOST_MARKS = 1500  # of one run: a page with more is slow, and shows no more
_DIGITS = 5
_MOVES = 1e-3  # of what is held: less is not seen
_WAITS = ("computing", "demand", "late", "queue", "remaking")


def sections(comparisons: Sequence[Comparison], courses: Sequence[Course]) -> Iterator[Section]:
    """Yield the plots that there is data for."""
    machines = {comparison.machine: comparison for comparison in comparisons}
    yield Section(
        title="Policies",
        plots=(
            _totals(comparisons),
            _stalls(comparisons),
            _inflow(comparisons),
            _steps(courses, machines),
        ),
    )
    over_time = [_held(courses), _busy(courses)]
    if any(each.written for each in courses):
        over_time.append(_written(courses))
    yield Section(title="Over time", plots=tuple(over_time))
    told = [*_hints(comparisons), *_ablations(comparisons)]
    if told:
        yield Section(title="What hints are worth", plots=tuple(told))
    if marks := _marks(comparisons):
        yield Section(title="Claims and pins", plots=(marks,))


def absent(comparisons: Sequence[Comparison], courses: Sequence[Course]) -> Iterator[Absent]:
    """Yield what is not drawn, and why."""
    if not any(each.written for each in courses):
        yield Absent(title="NVMe writes", reason="nothing was written to a memory of kind NVME")
    if not any(comparison.hints for comparison in comparisons):
        yield Absent(title="Hint-accuracy curve", reason="simulate with --hint-curve")
    if not any(comparison.ablation for comparison in comparisons):
        yield Absent(title="Field ablation", reason="simulate with --ablate")
    if not _marks(comparisons):
        yield Absent(
            title="Claims and pins",
            reason="under intent no claim, soft pin or dwell timer began or was lost",
        )
    yield Absent(
        title="Time to first token and goodput", reason="they are of requests: simulate --trace"
    )


def _rounded(values: Iterable[float]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _most(frames: Iterable[Frame], column: str) -> int:
    """Return the most values that a column has in any frame."""
    return max(len({*frame.columns[column]}) for frame in frames)


def _by_time(comparison: Comparison) -> list[Figures]:
    return sorted(comparison.runs, key=lambda row: (row.total_ps, row.policy))


def label(row: Figures) -> str:
    """Return how a policy is named where it stands beside others."""
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def _totals(comparisons: Sequence[Comparison]) -> Plot:
    frames = []
    for comparison in comparisons:
        rows = _by_time(comparison)
        frames.append(
            Frame(
                key={"machine": comparison.machine},
                columns={
                    "policy": [label(row) for row in rows],
                    "seconds": _rounded(row.total_ps / PS_PER_S for row in rows),
                    "gap": [change_text(row.gap_to_bound) for row in rows],
                },
                constants={"bound": comparison.bounds.total_ps / PS_PER_S},
            )
        )
    return Plot(
        name="total-time",
        title="Total time",
        caption="Of the whole schedule, its first fill included. The dashed line is the bound that "
        "no policy can beat; beside each bar, by how much it is over that. The bound is of full "
        "precision: a run with precision may pass it.",
        chart=bars(
            "seconds", "policy", _most(frames, "policy"), unit=SECONDS, mark="bound", label="gap"
        ),
        frames=tuple(frames),
    )


def _stalls(comparisons: Sequence[Comparison]) -> Plot:
    frames = []
    for comparison in comparisons:
        rows = [
            (label(row), what, order, seconds)
            for row in _by_time(comparison)
            for order, (what, seconds) in enumerate(_split(row))
        ]
        frames.append(
            Frame(
                key={"machine": comparison.machine},
                columns={
                    "policy": [row[0] for row in rows],
                    "what": [row[1] for row in rows],
                    "order": [row[2] for row in rows],
                    "seconds": _rounded(row[3] for row in rows),
                },
            )
        )
    return Plot(
        name="stalls",
        title="Where the time went",
        caption="Computing, then waiting: for what nobody had asked for (demand), for a prefetch "
        "already under way (late), behind other transfers (queue), for what was made again.",
        chart=bars(
            "seconds", "policy", _most(frames, "policy"), unit=SECONDS, stack=("what", _WAITS)
        ),
        frames=tuple(frames),
    )


def _split(row: Figures) -> tuple[tuple[str, float], ...]:
    parts = (
        row.compute_ps,
        row.stall_demand_ps,
        row.stall_late_ps,
        row.stall_queue_ps,
        row.stall_remake_ps,
    )
    return tuple((what, part / PS_PER_S) for what, part in zip(_WAITS, parts, strict=True))


def _inflow(comparisons: Sequence[Comparison]) -> Plot:
    frames = []
    for comparison in comparisons:
        rows = _by_time(comparison)
        frames.append(
            Frame(
                key={"machine": comparison.machine},
                columns={
                    "policy": [label(row) for row in rows],
                    "bytes": [row.near_bytes for row in rows],
                    "gap": [change_text(row.excess_bytes) for row in rows],
                },
                constants={"bound": comparison.bounds.near_bytes},
            )
        )
    return Plot(
        name="bytes-in",
        title="Bytes into near memory",
        caption="In the order of the times above. The dashed line is the fewest that any policy "
        "can do with.",
        chart=bars(
            "bytes", "policy", _most(frames, "policy"), unit=BYTES, mark="bound", label="gap"
        ),
        frames=tuple(frames),
    )


def _steps(courses: Sequence[Course], machines: dict[str, Comparison]) -> Plot:
    frames = []
    for course in courses:
        times = sorted(course.iteration_ps.tolist())
        # Nearest rank: at the k-th of n values k/n of them are no larger.
        ranks = sorted({-(-len(times) * part // 100) for part in range(101)})
        frames.append(
            Frame(
                key={"machine": course.machine, "policy": course.policy},
                columns={
                    "seconds": _rounded(times[max(rank, 1) - 1] / PS_PER_S for rank in ranks),
                    "share": _rounded(rank / len(times) for rank in ranks),
                },
                constants={
                    "run": f"{course.machine}: {course.policy}",
                    "bound": machines[course.machine].bounds.iteration_ps / PS_PER_S,
                },
            )
        )
    return Plot(
        name="step-time",
        title="Step times",
        caption="The share of steady iterations that took no longer than so; the schedule's first "
        "run, which fills the memory, is not among them. The dashed line bounds their mean.",
        chart=lines("seconds", "share", "run", units=(SECONDS, PERCENT), mark="bound"),
        frames=tuple(frames),
        overlays=True,
    )


def _held(courses: Sequence[Course]) -> Plot:
    classes = (*(klass.value for klass in CLASS_ORDER), WORKING_SPACE)
    used = {klass for course in courses for w in course.windows for _, klass in w.held}
    order = [klass for klass in classes if klass in used]
    moving = _moving(courses)
    frames = [
        Frame(
            key={**_key(course, window), "memory": memory},
            columns=_stacked(
                window, "class", "bytes", [(k, window.held.get((memory, k))) for k in order]
            ),
            constants={"usable": course.usable[memory]},
        )
        for course in courses
        for window in course.windows
        for memory in dict.fromkeys(memory for memory, _ in window.held)
        if memory in moving
    ]
    return Plot(
        name="occupancy",
        title="What memories hold",
        caption="Bytes by class of object, averaged over each of 150 parts of the time shown. The "
        "dashed line is what is usable. A memory in which nothing ever changes is left out.",
        chart=areas("seconds", "bytes", ("class", order), unit=BYTES, top="usable"),
        frames=tuple(frames),
        split="memory",
    )


def _moving(courses: Sequence[Course]) -> set[str]:
    """Return the memories of which any run makes another use as it goes on."""
    return {
        memory
        for course in courses
        for (memory, _), held in course.windows[0].held.items()
        if held.max() - held.min() > _MOVES * max(1.0, held.max())
    }


def _busy(courses: Sequence[Course]) -> Plot:
    frames = [
        Frame(
            key={**_key(course, window), "link": link},
            columns=_stacked(
                window, "class", "share", [(p, window.busy.get((link, p))) for p in PRIORITIES]
            ),
        )
        for course in courses
        for window in course.windows
        for link in dict.fromkeys(link for link, _ in window.busy)
    ]
    return Plot(
        name="links",
        title="Use of links",
        caption="Share of the time in which a link carried a transfer, by class: demand passes "
        "prefetch, and prefetch write-back. Links of one root take turns.",
        chart=areas("seconds", "share", ("class", PRIORITIES), unit=PERCENT),
        frames=tuple(frames),
        split="link",
    )


def _key(course: Course, window: Window) -> dict[str, str]:
    """Return whose a window is; windows are named alike under all policies."""
    whole = window is course.windows[0]
    return {
        "machine": course.machine,
        "policy": course.policy,
        "window": "run" if whole else "iteration",
    }


def _stacked(
    window: Window, field: str, value: str, series: Sequence[tuple[str, object]]
) -> dict[str, list[object]]:
    width = (window.end_ps - window.start_ps) / BINS
    starts = _rounded((window.start_ps + width * part) / PS_PER_S for part in range(BINS))
    found: dict[str, list[object]] = {"seconds": [], field: [], "order": [], value: []}
    for order, (name, values) in enumerate(series):
        if values is None:
            continue
        found["seconds"] += starts
        found[field] += [name] * BINS
        found["order"] += [order] * BINS
        found[value] += _rounded(values)  # type: ignore[arg-type]
    return found


def _written(courses: Sequence[Course]) -> Plot:
    frames = []
    for course in courses:
        for memory in dict.fromkeys(memory for memory, _ in course.written):
            own = [(klass, v) for (where, klass), v in course.written.items() if where == memory]
            frames.append(
                Frame(
                    key={"machine": course.machine, "policy": course.policy, "memory": memory},
                    columns=_stacked(course.windows[0], "class", "bytes", own),
                )
            )
    return Plot(
        name="nvme-writes",
        title="Written to flash",
        caption="Bytes that had come into a memory of kind NVME by then, by class of object, over "
        "the whole run: what wears it.",
        chart=areas("seconds", "bytes", ("class", ()), unit=BYTES),
        frames=tuple(frames),
        split="memory",
    )


def _hints(comparisons: Sequence[Comparison]) -> Iterator[Plot]:
    frames = []
    for comparison in comparisons:
        curve = comparison.hints
        if curve is None:
            continue
        shares = [point.share for point in curve.points]
        columns: dict[str, list[object]] = {
            "share": [*shares] * 3,
            "seconds": _rounded(
                ps / PS_PER_S
                for ps in (
                    *(point.intent_ps for point in curve.points),
                    *(point.static_ps for point in curve.points),
                    *(curve.lru_ps for _ in shares),
                )
            ),
            "run": [
                name
                for name in ("intent", "static, told the same", "lru, told nothing")
                for _ in shares
            ],
        }
        frames.append(Frame(key={"machine": comparison.machine}, columns=columns))
    if frames:
        yield Plot(
            name="hint-curve",
            title="When hints are wrong",
            caption="Total time with a share of the hints corrupted: where intent's line crosses "
            "the others, hints are no longer worth having.",
            chart=lines(
                "share",
                "seconds",
                "run",
                units=(PERCENT, SECONDS),
                titles=("hints that are wrong", "total time"),
                points=True,
            ),
            frames=tuple(frames),
        )


def _ablations(comparisons: Sequence[Comparison]) -> Iterator[Plot]:
    frames = []
    for comparison in comparisons:
        if comparison.ablation is not None:
            rows = comparison.ablation.rows
            frames.append(
                Frame(
                    key={"machine": comparison.machine},
                    columns={
                        "what": [row.what for row in rows],
                        "slower": _rounded(row.slower for row in rows),
                        "text": [percent_text(row.slower) for row in rows],
                    },
                )
            )
    if frames:
        yield Plot(
            name="ablation",
            title="Without one field",
            caption="How much longer intent takes when the file does not say this; nothing, or "
            "less, where it is not worth saying.",
            chart=bars("slower", "what", _most(frames, "what"), unit=PERCENT, label="text"),
            frames=tuple(frames),
        )


def _marks(comparisons: Sequence[Comparison]) -> Plot | None:
    frames = []
    for comparison in comparisons:
        for row in comparison.rows:
            said = [
                (
                    f"claim {each.outcome}" if each.actor == ClaimStage.name else each.what,
                    each.what if each.actor == ClaimStage.name else each.outcome,
                    each.object,
                    each.time_ps / PS_PER_S,
                )
                for each in row.happenings
                if each.actor in (ClaimStage.name, PromiseStage.name)
            ]
            if row.policy != "intent" or not said:
                continue
            said = said[:: -(-len(said) // MOST_MARKS)]
            frames.append(
                Frame(
                    key={"machine": comparison.machine},
                    columns={
                        "promise": [each[0] for each in said],
                        "what": [each[1] for each in said],
                        "object": [each[2] for each in said],
                        "seconds": _rounded(each[3] for each in said),
                    },
                )
            )
    if not frames:
        return None
    return Plot(
        name="claims",
        title="Claims, soft pins and dwell timers",
        caption="What began, held and was lost under intent, and when; of more than "
        f"{MOST_MARKS:,} every so many-th.",
        chart=ticks("seconds", "promise", _most(frames, "promise"), "what"),
        frames=tuple(frames),
    )
