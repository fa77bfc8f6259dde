"""A case into what intent makes of it when a growing share of its hints is wrong."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from mirc.simulate.case import Case, run
from mirc.simulate.corrupt import SHARES, redrawn
from mirc.simulate.metrics import Figures

_TOLD = ("intent", "static")
_UNTOLD = "lru"


@attrs.frozen(kw_only=True)
class HintPoint:
    """Intent, and a static placement that believes the same, with a ``share`` of hints wrong.

    Times are of the whole run, in picoseconds; stalls what compute waited in it.
    """

    share: float
    intent_ps: int
    intent_stall_ps: int
    intent_bytes: int
    static_ps: int
    static_stall_ps: int


@attrs.frozen(kw_only=True)
class HintCurve:
    """Points in the order of the shares, and what no hint changes: ``lru_ps`` and ``bound_ps``.

    ``seed`` decides whose hints are wrong, and whose they bear instead.
    """

    seed: int
    points: tuple[HintPoint, ...]
    lru_ps: int
    lru_stall_ps: int
    bound_ps: int

    @property
    def worth_until(self) -> float | None:
        """The greatest share up to which intent takes no more than ``lru``; None if never."""
        found = None
        for point in self.points:
            if point.intent_ps > self.lru_ps:
                break
            found = point.share
        return found


def hint_curve(
    case: Case,
    seed: int,
    shares: Sequence[float] = SHARES,
    told: Callable[[str], None] = lambda _: None,
) -> HintCurve:
    """Run intent and static once for each of ``shares`` of corrupted hints, and LRU once.

    Contracts, sizes and what really happens stay as they are: only what is believed is wrong.
    Raises CouldNotRun where a run cannot go on.
    """
    told(_UNTOLD)
    untold = run(case, _UNTOLD)
    points = []
    for share in shares:
        told(f"{share:.0%} of hints wrong")
        intent, static = (run(corrupted(case, share, seed), policy) for policy in _TOLD)
        points.append(
            HintPoint(
                share=share,
                intent_ps=intent.total_ps,
                intent_stall_ps=waited_ps(intent),
                intent_bytes=intent.near_bytes,
                static_ps=static.total_ps,
                static_stall_ps=waited_ps(static),
            )
        )
    return HintCurve(
        seed=seed,
        points=tuple(points),
        lru_ps=untold.total_ps,
        lru_stall_ps=waited_ps(untold),
        bound_ps=case.bounds.total_ps,
    )


def corrupted(case: Case, share: float, seed: int) -> Case:
    """Return the case in which a share of the objects of each class bear another one's hints."""
    classes = case.scenario.workload.klass.astype(np.int64)
    return attrs.evolve(case, known=redrawn(case.known, classes, share, seed))


def waited_ps(row: Figures) -> int:
    """Return for how long compute waited in a run."""
    return row.total_ps - row.compute_ps
