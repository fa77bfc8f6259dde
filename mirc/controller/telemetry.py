"""The state of the world into what the controller observed before each step, as audit rows."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from mirc.controller.ingest import PS_PER_US
from mirc.controller.observe import survey
from mirc.controller.stage import Happening
from mirc.kernels import world as k
from mirc.kernels.links import flight_of
from mirc.kernels.lists import first
from mirc.kernels.routes import queue_ps
from mirc.kernels.world import World


class Telemetry(StrEnum):
    """Whether a run notes what was observed."""

    OFF = "off"
    """It does not: rows cost time, and there is one for each step."""
    EACH_STEP = "each step"
    """Before each step."""


class TelemetryStage:
    """Notes timing, routing, concurrency and pressure before each step; it changes nothing."""

    name = "telemetry"

    def __init__(self, links: Sequence[str]) -> None:
        """Take the names of the links, in the order of their numbers."""
        self._links = links
        self._late = self._time = 0

    def due(self, step: int) -> int:
        """Return the step itself: there is a row for each."""
        return step

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Yield what is observed as the step begins."""
        seen = survey(w)
        now, late = int(w.run[k.NOW]), int(w.run[k.LATE])
        usable = int(w.mem[k.CAPACITY, k.NEAR])
        yield Happening(
            time_ps=now,
            step=step,
            actor=self.name,
            what="observed",
            detail="; ".join(
                (
                    f"the last step took {(now - self._time) / PS_PER_US:_.1f} us",
                    f"{int(seen.free_bytes):_} of {usable:_} near bytes free",
                    f"{int(seen.ahead_bytes):_} bytes ready ahead",
                    f"{self._under_way(w)} transfers under way",
                    f"{late - self._late} prefetches late",
                    *self._queues(w),
                )
            ),
        )
        self._time, self._late = now, late

    def _under_way(self, w: World) -> int:
        return int((w.obj[k.CLASS] != k.NONE).sum())

    def _queues(self, w: World) -> Iterator[str]:
        """Say how long what comes now would wait for each link that has something to do."""
        for link, name in enumerate(self._links):
            wait = int(queue_ps(w, int(w.link[k.SERVER, link]), k.DEMAND))
            flying = first(w.lists, k.QUEUE_NEXT, flight_of(w, link)) != flight_of(w, link)
            if wait or flying:
                yield f"`{name}` busy for {wait / PS_PER_US:_.1f} us"
