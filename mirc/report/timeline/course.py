"""A recorded run into what a page can show of it: averages over time, few enough to draw.

A run of a large model has millions of events. Occupancy and link use are kept as exact averages
over ``BINS`` equal stretches of the whole run, and again of the one iteration of median length,
where the stretches are short enough to see single transfers.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.ir.enums import TierKind
from mirc.kernels.events import Kind
from mirc.machine import Machine
from mirc.report.timeline.occupancy import WORKING, changes
from mirc.report.timeline.service import PRIORITIES, Slice, slices
from mirc.simulate.census import CLASS_ORDER
from mirc.simulate.metrics import steady_ps
from mirc.simulate.model import Ints, Outcome, Workload

BINS = 150
WORKING_SPACE = "working space"

Floats: TypeAlias = NDArray[np.float64]
Series: TypeAlias = Mapping[tuple[str, str], Floats]
"""What is drawn over time, by (memory, class) or (link, priority)."""


@attrs.frozen(kw_only=True, eq=False)
class Window:
    """A stretch of a run in ``BINS`` parts: mean bytes held, and the share of time links were busy.

    Series that are nothing throughout are left out.
    """

    name: str
    start_ps: int
    end_ps: int
    held: Series
    busy: Series


@attrs.frozen(kw_only=True, eq=False)
class Course:
    """One policy's run on one machine. ``iteration_ps`` are the steady iterations in order.

    ``written`` are the bytes that had come into each NVMe memory by the end of each part of the
    whole run, by (memory, class).
    """

    machine: str
    policy: str
    oracle: bool
    iteration_ps: Ints
    usable: Mapping[str, int]  # bytes, by memory
    windows: tuple[Window, ...]
    written: Series


def course(outcome: Outcome, workload: Workload, machine: Machine) -> Course:
    """Return the course of a run that was recorded. O(events)."""
    assert outcome.events is not None  # noqa: S101 - only a recorded run has a course
    held = changes(outcome.events, workload.klass)
    memories = tuple(outcome.peak_bytes)
    names = (*(klass.value for klass in CLASS_ORDER), WORKING_SPACE)  # WORKING is the last
    assert names[WORKING] == WORKING_SPACE  # noqa: S101 - the index of it
    rooms = held.memory * len(names) + held.klass % len(names)
    room_names = [(memory, name) for memory in memories for name in names]
    pieces = np.array(slices(outcome, machine), dtype=np.int64).reshape(-1, len(Slice._fields))
    lanes = pieces[:, 0] * len(PRIORITIES) + pieces[:, 3]
    lane_names = [(link.name, priority) for link in outcome.links for priority in PRIORITIES]
    ones = np.ones(len(pieces))

    def window(name: str, start: int, end: int) -> Window:
        edges = np.linspace(start, max(end, start + 1), BINS + 1)
        return Window(
            name=name,
            start_ps=start,
            end_ps=end,
            held=_means(rooms, room_names, held.time_ps, held.bytes.astype(np.float64), edges),
            busy=_means(
                np.concatenate((lanes, lanes)),
                lane_names,
                pieces[:, 1:3].T.ravel(),
                np.concatenate((ones, -ones)),
                edges,
            ),
        )

    number, first, last = _median_iteration(outcome, workload)
    return Course(
        machine=machine.name,
        policy=outcome.policy,
        oracle=outcome.oracle,
        iteration_ps=steady_ps(outcome.step_ps, workload),
        usable={name: machine.memory(name).usable_bytes for name in memories},
        windows=(
            window("the whole run", 0, outcome.end_ps),
            window(f"iteration {number}", first, last),
        ),
        written=_written(outcome, workload, machine),
    )


def _means(
    which: Ints, names: list[tuple[str, str]], times: Ints, changed: Floats, edges: Floats
) -> Series:
    """Average step functions exactly over each part between two edges.

    At ``times`` the function ``names[which]`` grows by ``changed``.
    """
    found: dict[tuple[str, str], Floats] = {}
    for place in np.unique(which).tolist():
        own = which == place
        order = np.argsort(times[own], kind="stable")
        when, more = times[own][order].astype(np.float64), changed[own][order]
        # The integral up to e of what grows by d at t is the sum of d (e - t) over all t < e.
        level = np.concatenate(([0.0], np.cumsum(more)))
        moment = np.concatenate(([0.0], np.cumsum(more * when)))
        passed = np.searchsorted(when, edges, side="right")
        integral = edges * level[passed] - moment[passed]
        mean = np.diff(integral) / np.diff(edges)
        mean[np.abs(mean) < 1e-9 * max(1.0, float(np.abs(level).max()))] = 0.0
        if mean.any():
            found[names[place]] = mean
    return found


def _median_iteration(outcome: Outcome, workload: Workload) -> tuple[int, int, int]:
    """Return number, start and end of the steady iteration that takes the median time."""
    ends = np.cumsum(outcome.step_ps)
    steps = workload.iteration_ptr
    begins = np.concatenate(([0], ends))[steps]
    lengths = np.diff(begins)
    steady = np.arange(len(lengths))[int(steps[0] == 0 and len(lengths) > 1) :]
    order = steady[np.argsort(lengths[steady], kind="stable")]
    chosen = int(order[(len(order) - 1) // 2])
    return chosen, int(begins[chosen]), int(begins[chosen + 1])


def _written(outcome: Outcome, workload: Workload, machine: Machine) -> Series:
    """Sum what landed in memories of flash, by the end of each part of the run."""
    events: Any = outcome.events
    landed = events[events["kind"] == int(Kind.LAND)]
    edges = np.linspace(0, max(1, outcome.end_ps), BINS + 1)[1:]
    found: dict[tuple[str, str], Floats] = {}
    for number, memory in enumerate(outcome.peak_bytes):
        if machine.memory(memory).kind is not TierKind.NVME:
            continue
        here = landed[landed["target"] == number]
        classes = workload.klass[here["object"]]
        for klass in np.unique(classes).tolist():
            own = here[classes == klass]
            total = np.concatenate(([0], np.cumsum(own["bytes"])))
            place = np.searchsorted(own["time_ps"], edges, side="right")
            found[memory, CLASS_ORDER[klass].value] = total[place].astype(np.float64)
    return found
