"""Miss-ratio curves into a plot."""

from collections.abc import Mapping, Sequence

from mirc.report.page.charts import BYTES, PERCENT, lines
from mirc.report.page.model import Frame, Plot
from mirc.report.page.values import rounded
from mirc.simulate.curves import Curve


def misses(curves: Mapping[str, Sequence[Curve]], rooms: Mapping[str, int]) -> Plot:
    """Return the curves of each machine's accesses, beside the ``rooms`` of near memory in bytes.

    A class of which nothing is ever used again has no curve: all its accesses miss.
    """
    frames = []
    for machine, found in curves.items():
        rows = [
            (each.name, capacity, ratio)
            for each in found
            if each.hits and each.hits[-1]
            for capacity, ratio in zip(each.capacities_bytes, each.miss_ratios, strict=True)
        ]
        frames.append(
            Frame(
                key={"machine": machine},
                columns={
                    "class": [row[0] for row in rows],
                    "bytes": [row[1] for row in rows],
                    "misses": rounded(row[2] for row in rows),
                },
                constants={"room": rooms[machine]},
            )
        )
    return Plot(
        name="miss-ratio",
        title="Miss ratio by capacity",
        caption="Share of accesses that LRU misses with so much memory: of all objects together, "
        "and of each class as if it had that memory to itself. The dashed line is what near memory "
        "has for it here.",
        chart=lines(
            "bytes",
            "misses",
            "class",
            units=(BYTES, PERCENT),
            titles=("capacity", ""),
            scale="log",
            mark="room",
        ),
        frames=tuple(frames),
    )
