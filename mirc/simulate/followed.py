"""A routing trace and the runs of a schedule into the experts that each routed step uses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs
import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.simulate.model import Ints
from mirc.simulate.tables import PhaseTable, Route
from mirc.traces.routing import RoutingTrace

Chooser: TypeAlias = Callable[[int, Route], Ints]
"""The experts, ascending, that a routed step uses in a run, by the run's number."""

_OF_STEPS = "megatron"  # the format whose runs of tokens are an engine's steps


@attrs.frozen(kw_only=True, eq=False)
class Followed:
    """What a trace chose for the runs of a schedule; ``sentence`` says how it was followed."""

    choose: Chooser
    sentence: str


def follow(trace: RoutingTrace, order: Sequence[PhaseTable], seed: int) -> Followed:
    """Let the runs of a schedule, in order, choose experts as the trace did.

    Each sequence follows one request after another; a trace of steps, or of fewer requests than
    sequences, is followed in the order of its tokens. ``seed`` says how many requests, or tokens,
    are left out at first; after the last comes the first again. Raises CouldNotRun for a trace of
    another model.
    """
    chosen = _bound(trace, order)
    usable = np.flatnonzero(np.all([rows[:, 0] >= 0 for rows in chosen.values()], axis=0))
    if not len(usable):
        raise CouldNotRun(
            f"no token of `{trace.name}` was routed in every layer", "record whole steps"
        )
    starts = np.unique(np.searchsorted(usable, trace.starts))
    starts = starts[starts < len(usable)]
    most = max(table.batch.sequences for table in order)
    if trace.format == _OF_STEPS:
        places, how = _in_order(order, len(usable), seed), "each run takes its next tokens"
    elif len(starts) >= most:
        places = _by_request(order, starts, len(usable), seed)
        how = "each sequence follows one request of it after another"
    else:
        places = _apart(order, len(usable), most, seed)
        how = "each sequence follows its tokens, from places that are evenly apart"
    needed = sum(len(each) for each in places)
    rest = " again and again" if needed > len(usable) else ""
    tokens = [usable[each] for each in places]
    return Followed(
        choose=lambda run, route: np.unique(chosen[route.router][tokens[run]]).astype(np.int64),
        sentence=f"experts are those that `{trace.name}` chose{rest}: {how}",
    )


def _bound(trace: RoutingTrace, order: Iterable[PhaseTable]) -> Mapping[str, Ints]:
    """Return, for each router of the phases, what each token of the trace chose; -1 for nothing."""
    # Imported here: the passes take a tenth of a second, and few runs follow a trace.
    from mirc.passes.observed_routing import Router, bind  # noqa: PLC0415

    routers: dict[str, Router] = {}
    for table in order:
        for route in table.routes:
            routers.setdefault(
                route.router,
                Router(
                    module=route.router,
                    storages=(),
                    experts=len(route.members),
                    top_k=route.chosen,
                ),
            )
    found = {}
    for observed in bind(routers, trace):
        rows = np.full((trace.tokens, observed.router.top_k), -1, dtype=np.int64)
        rows[observed.tokens] = observed.chosen
        found[observed.router.module] = rows
    return found


def _in_order(order: Sequence[PhaseTable], count: int, seed: int) -> list[Ints]:
    """Let each run take as many tokens as it computes, where the one before ended."""
    wanted = [table.batch.sequences * table.batch.tokens for table in order]
    begins = np.cumsum([seed, *wanted])
    return [
        np.arange(begin, begin + width, dtype=np.int64) % count
        for begin, width in zip(begins.tolist(), wanted, strict=False)
    ]


def _apart(order: Sequence[PhaseTable], count: int, most: int, seed: int) -> list[Ints]:
    """Let each sequence begin elsewhere, and go on from where it was."""
    lanes = seed + np.arange(most, dtype=np.int64) * count // most
    found = []
    done = 0
    for table in order:
        steps = np.arange(done, done + table.batch.tokens, dtype=np.int64)
        found.append(((lanes[: table.batch.sequences, None] + steps) % count).ravel())
        done += table.batch.tokens
    return found


def _by_request(order: Sequence[PhaseTable], starts: Ints, count: int, seed: int) -> list[Ints]:
    """Let each sequence take up the next request that none has, when its own has ended."""
    ends = np.append(starts[1:], count)
    following = seed
    lanes: list[list[int]] = []  # of each sequence: its next token, and the end of its request
    found = []
    for table in order:
        parts: list[Ints] = []
        for sequence in range(table.batch.sequences):
            if sequence == len(lanes):
                lanes.append([0, 0])
            lane, left = lanes[sequence], table.batch.tokens
            while left:
                if lane[0] == lane[1]:
                    request = following % len(starts)
                    lane[:] = [int(starts[request]), int(ends[request])]
                    following += 1
                width = min(left, lane[1] - lane[0])
                parts.append(np.arange(lane[0], lane[0] + width, dtype=np.int64))
                lane[0] += width
                left -= width
        found.append(np.concatenate(parts))
    return found
