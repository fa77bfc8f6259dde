"""The courses of runs into plots over time."""

from collections.abc import Sequence

from mirc.report.page.charts import BYTES, PERCENT, areas
from mirc.report.page.model import Frame, Plot
from mirc.report.page.values import PS_PER_S, rounded
from mirc.report.timeline.course import BINS, WORKING_SPACE, Course, Window
from mirc.report.timeline.service import PRIORITIES
from mirc.simulate.census import CLASS_ORDER

_FULL = 0.25  # of a memory: below that its end is too far away
_MOVES = 1e-3  # of what is held: less is not seen


def held_over_time(courses: Sequence[Course]) -> Plot:
    """Return what memories hold, by class."""
    classes = (*(klass.value for klass in CLASS_ORDER), WORKING_SPACE)
    used = {klass for course in courses for w in course.windows for _, klass in w.held}
    order = [klass for klass in classes if klass in used]
    frames = [
        Frame(
            key={**_key(course, window), "memory": memory},
            columns=_stacked(
                window, "class", "bytes", [(k, window.held.get((memory, k))) for k in order]
            ),
            constants=_limit(course, memory),
        )
        for course in courses
        for memory in _moving(course.machine, courses)
        for window in course.windows
        if any(where == memory for where, _ in window.held)
    ]
    return Plot(
        name="occupancy",
        title="What memories hold",
        caption="Bytes by class of object, averaged over each of 150 parts of the time shown. The "
        "dashed line is what is usable, where a quarter of it or more was used. A memory in which "
        "no run changes anything is left out.",
        chart=areas("seconds", "bytes", ("class", order), unit=BYTES, top="usable"),
        frames=tuple(frames),
        split="memory",
    )


def busy_over_time(courses: Sequence[Course]) -> Plot:
    """Return how much of the time links were busy, by class of transfer."""
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


def written_to_flash(courses: Sequence[Course]) -> Plot:
    """Return what was written to memories of kind NVME, summed up over the run."""
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


def _moving(machine: str, courses: Sequence[Course]) -> tuple[str, ...]:
    """Return the memories of which any run there makes another use as it goes on.

    One that fills at once and stays full under one policy is to be seen beside the others.
    """
    return tuple(
        dict.fromkeys(
            memory
            for course in courses
            if course.machine == machine
            for (memory, _), held in course.windows[0].held.items()
            if held.max() - held.min() > _MOVES * max(1.0, held.max())
        )
    )


def _limit(course: Course, memory: str) -> dict[str, int]:
    """Return what is usable of a memory, unless beside it nothing else could be seen."""
    held = course.windows[0].held
    most = sum(mean.max() for (where, _), mean in held.items() if where == memory)
    usable = course.usable[memory]
    return {"usable": usable} if most > _FULL * usable else {}


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
    starts = rounded((window.start_ps + width * part) / PS_PER_S for part in range(BINS))
    found: dict[str, list[object]] = {"seconds": [], field: [], "order": [], value: []}
    for order, (name, values) in enumerate(series):
        if values is None:
            continue
        found["seconds"] += starts
        found[field] += [name] * BINS
        found["order"] += [order] * BINS
        found[value] += rounded(values)  # type: ignore[arg-type]
    return found
