"""A comparison by hand, with numbers that are easy to read in a report."""

from mirc.simulate.comparison import Comparison
from mirc.simulate.limits import Limits
from mirc.simulate.metrics import Figures, LinkFigures
from mirc.simulate.model import Prefetches
from mirc.simulate.study import Study

MS = 1_000_000_000
GB = 1_000_000_000


def row(policy: str, total_ps: int, *, oracle: bool = False) -> Figures:
    up = LinkFigures(
        name="up",
        source="dram",
        target="hbm",
        demand_bytes=GB,
        prefetch_bytes=3 * GB,
        writeback_bytes=0,
        total_bytes=4 * GB,
        bytes_per_token=2e9,
        busy_ps=4000 * MS,
    )
    return Figures(
        policy=policy,
        oracle=oracle,
        path="python",
        p50_ps=1000 * MS,
        p95_ps=1500 * MS,
        p99_ps=1500 * MS,
        first_ps=3000 * MS,
        total_ps=total_ps,
        compute_ps=80 * MS,
        stall_demand_ps=MS,
        stall_late_ps=2 * MS,
        stall_queue_ps=0,
        waiting_steps=1_234,
        near_bytes=4 * GB,
        links=(up,),
        hits={"hbm": 3, "dram": 1},
        near_hits=0.75,
        prefetches=Prefetches(issued=6, on_time=4, late=1, unused=1),
        peak_bytes={"hbm": 2 * GB},
        gap_to_bound=1 / 3,
        excess_bytes=0.0,
    )


def comparison(*rows: Figures, plan: str | None = "small") -> Comparison:
    return Comparison(
        machine="toy",
        near="hbm",
        usable_bytes=2 * GB,
        plan=plan,
        iterated="decode",
        iterations=2,
        sequences=1,
        tokens=2,
        bounds=Limits(
            near_bytes=4 * GB,
            total_ps=3000 * MS,
            iteration_bytes=GB,
            iteration_ps=1000 * MS,
            compute_ps=40 * MS,
            once_bytes=3 * GB,
            weights_bytes=3 * GB,
            room_bytes=2 * GB,
            passes=2,
            closed_form_bytes=4 * GB,
            bytes_per_s=1e9,
        ),
        rows=rows or (row("intent", 4000 * MS), row("belady", 3900 * MS, oracle=True)),
        assumptions=("the moon is round",),
    )


def study(*comparisons: Comparison, title: str = "toy model") -> Study:
    return Study(
        title=title,
        seed=7,
        configuration="sha256:" + 64 * "0",
        comparisons=comparisons or (comparison(),),
    )
