"""Points and a pool into all their results: those that are stored are not run again."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from mirc.sweep.points import Point
from mirc.sweep.pools import Pool
from mirc.sweep.store import Store
from mirc.sweep.work import answer, faulted


@attrs.frozen(kw_only=True)
class Swept:
    """The result of every point by its key; ``kept`` of them stood in the store before."""

    results: dict[str, dict[str, Any]]
    kept: int

    @property
    def failed(self) -> int:
        """How many points have no figures."""
        return sum("figures" not in result for result in self.results.values())


def sweep(
    points: Sequence[Point],
    pool: Pool,
    store: Store,
    told: Callable[[str], None] = lambda _: None,
) -> Swept:
    """Run the points that the store has no result of, and keep each as soon as it is there.

    ``told`` hears of each. A fault (a crash, a lack of memory) stands in the results and not in the
    store: the next sweep tries it again.
    """
    results: dict[str, dict[str, Any]] = {}
    left: dict[str, str] = {}
    for point in points:
        found = store.get(point.key)
        if found is None:
            left[point.key] = point.as_task()
        else:
            results[point.key] = found
    kept, total = len(results), len(results) + len(left)
    told(_progress(results, total, kept))
    try:
        for said in pool(answer, faulted, left.values()):
            found = json.loads(said)
            if "fault" not in found:
                store.put(found["key"], said)
            results[found["key"]] = found
            told(_progress(results, total, kept))
    finally:
        told("")
    return Swept(results=results, kept=kept)


def _progress(results: dict[str, dict[str, Any]], total: int, kept: int) -> str:
    return f"{len(results):,} of {total:,} points, {kept:,} of them from before"
