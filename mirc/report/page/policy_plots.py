"""What policies took, moved and waited for into plots of one beside the other."""

from collections.abc import Sequence

from mirc.report.page.charts import BYTES, PERCENT, SECONDS, bars, lines
from mirc.report.page.model import Frame, Plot
from mirc.report.page.values import PS_PER_S, most, rounded
from mirc.report.timeline.course import Course
from mirc.report.units import change_text
from mirc.simulate.comparison import Comparison
from mirc.simulate.metrics import Figures

_FULL = "The bound is of full precision: a run with precision may pass it."
_WAITS = ("computing", "demand", "late", "queue", "remaking")


def label(row: Figures) -> str:
    """Return how a policy is named where it stands beside others."""
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def totals(comparisons: Sequence[Comparison]) -> Plot:
    """Return the whole time under each policy, against the bound."""
    frames = []
    for comparison in comparisons:
        rows = _by_time(comparison)
        frames.append(
            Frame(
                key={"machine": comparison.machine},
                columns={
                    "policy": [label(row) for row in rows],
                    "seconds": rounded(row.total_ps / PS_PER_S for row in rows),
                    "gap": [change_text(row.gap_to_bound) for row in rows],
                },
                constants={"bound": comparison.bounds.total_ps / PS_PER_S},
            )
        )
    return Plot(
        name="total-time",
        title="Total time",
        caption="Of the whole schedule, its first fill included. The dashed line is the bound that "
        f"no policy can beat; beside each bar, by how much it is over that. {_FULL}",
        chart=bars(
            "seconds", "policy", most(frames, "policy"), unit=SECONDS, mark="bound", label="gap"
        ),
        frames=tuple(frames),
    )


def stalls(comparisons: Sequence[Comparison]) -> Plot:
    """Return that time in parts: computing, and waiting by its reason."""
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
                    "seconds": rounded(row[3] for row in rows),
                },
            )
        )
    return Plot(
        name="stalls",
        title="Where the time went",
        caption="Computing, then waiting: for what nobody had asked for (demand), for a prefetch "
        "already under way (late), behind other transfers (queue), for what was made again.",
        chart=bars(
            "seconds", "policy", most(frames, "policy"), unit=SECONDS, stack=("what", _WAITS)
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


def inflow(comparisons: Sequence[Comparison]) -> Plot:
    """Return the bytes that came into near memory, against the bound."""
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
        f"can do with. {_FULL}",
        chart=bars(
            "bytes", "policy", most(frames, "policy"), unit=BYTES, mark="bound", label="gap"
        ),
        frames=tuple(frames),
    )


def steps(courses: Sequence[Course], comparisons: Sequence[Comparison]) -> Plot:
    """Return how long iterations took under each run."""
    machines = {each.machine: each for each in comparisons}
    frames = []
    for course in courses:
        times = sorted(course.iteration_ps.tolist())
        # Nearest rank: at the k-th of n values k/n of them are no larger.
        ranks = sorted({-(-len(times) * part // 100) for part in range(101)})
        frames.append(
            Frame(
                key={"machine": course.machine, "policy": course.policy},
                columns={
                    "seconds": rounded(times[max(rank, 1) - 1] / PS_PER_S for rank in ranks),
                    "share": rounded(rank / len(times) for rank in ranks),
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
        "run, which fills the memory, is not among them. The dashed line bounds their mean. "
        f"{_FULL}",
        chart=lines(
            "seconds", "share", "run", units=(SECONDS, PERCENT), mark="bound", mark_of="run"
        ),
        frames=tuple(frames),
        overlays=True,
    )


def _by_time(comparison: Comparison) -> list[Figures]:
    return sorted(comparison.runs, key=lambda row: (row.total_ps, row.policy))
