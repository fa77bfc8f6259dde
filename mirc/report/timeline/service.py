"""The starts and landings of an event log into the times at which each link was busy.

A log says when a transfer began to cross a link and when its last byte was there; between the two
something more urgent may have passed it. Links of one root are one server: it carries one transfer
at a time, so what begins while another is on it has cut that one, and what was cut goes on as soon
as the server is free (``mirc.kernels.links``).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import attrs
import numpy as np

from mirc.kernels.events import FAIL, LAND, NEEDED, PLANNED, START
from mirc.machine import Link, Machine
from mirc.machine.transfers import PS_PER_NS
from mirc.simulate.model import Outcome

PRIORITIES = ("demand", "prefetch", "write-back")
_NEVER = 1 << 62


class Slice(NamedTuple):
    """A stretch of a link's time: transfer ``number`` of ``object`` is crossing it.

    ``link`` is the index into the links of the run, ``priority`` into ``PRIORITIES``; ``bytes`` are
    those of the whole transfer in its first slice, and 0 in those after it was cut.
    """

    link: int
    start_ps: int
    end_ps: int
    priority: int
    object: int
    bytes: int
    number: int


@attrs.define
class _Hop:
    """One transfer over one link; ``end_ps`` is when the link was done with it.

    ``left_ps`` is what it still needs of the link: where the log does not tell the end.
    """

    number: int
    link: int
    start_ps: int
    priority: int
    object: int
    bytes: int
    left_ps: int
    end_ps: int = _NEVER
    begun: bool = False

    def ends(self, since: int) -> int:
        """Return when it is done if nothing cuts it, being on the link since then."""
        return self.end_ps if self.end_ps < _NEVER else since + self.left_ps

    def slice(self, since: int, until: int) -> Slice:
        """Take it off the link."""
        size, self.begun = 0 if self.begun else self.bytes, True
        self.left_ps -= until - since
        return Slice(self.link, since, until, self.priority, self.object, size, self.number)


def slices(outcome: Outcome, machine: Machine) -> list[Slice]:
    """Return what was on which link when, by start, of a run that was recorded.

    The stretches of a link add up to its ``busy_ps``; what is still on a link when the run ends is
    in both up to where it was cut last. Where a link was made to stand still, what it carried is
    drawn as if it had gone on.
    """
    hops = _hops(outcome, machine)
    declared = {link.name: link for link in machine.links}
    servers = [_server(declared[link.name]) for link in outcome.links]
    found: list[Slice] = []
    for server in dict.fromkeys(servers):
        own = [hop for hop in hops if servers[hop.link] == server]
        found += _served(own, outcome.end_ps)
    return sorted(found, key=lambda piece: (piece.start_ps, piece.link, piece.number))


def _hops(outcome: Outcome, machine: Machine) -> list[_Hop]:
    """Return every transfer over every link in the order in which they began."""
    events, carriage = outcome.events, outcome.carriage
    if events is None or carriage is None:
        raise ValueError("the run was not recorded")
    moved = events[np.isin(events["kind"], (START, LAND, FAIL))]
    declared = {link.name: link for link in machine.links}
    latency = [round(declared[link.name].latency_ns * PS_PER_NS) for link in outcome.links]
    memories = tuple(outcome.peak_bytes)
    number = {(link.source, link.target): place for place, link in enumerate(outcome.links)}
    columns = ("time_ps", "kind", "object", "source", "target", "bytes", "reason")
    begun: dict[tuple[int, int, int], _Hop] = {}  # object and ends
    landed: dict[int, int] = {}  # by link, when something came last
    hops: list[_Hop] = []
    for time, kind, thing, source, target, size, reason in zip(
        *(moved[name].tolist() for name in columns), strict=True
    ):
        if kind == START:
            link = number[memories[source], memories[target]]
            priority = 0 if reason == NEEDED else 1 if reason == PLANNED else 2
            left = int(carriage.service_ps[link, thing])
            hop = _Hop(len(hops), link, time, priority, thing, size, left)
            begun[thing, source, target] = hop
            hops.append(hop)
            continue
        hop = begun.pop((thing, source, target))
        behind, landed[hop.link] = landed.get(hop.link) == time, time
        if behind:
            continue  # it was there before, and waited for another to be widened
        unpack = int(carriage.unpack_ps[thing]) if target == 0 else 0
        hop.end_ps = max(hop.start_ps, time - latency[hop.link] - unpack)
    return hops


def _server(link: Link) -> str:
    return f"link {link.name}" if link.root is None else f"root {link.root}"


def _served(hops: Sequence[_Hop], end_ps: int) -> Iterator[Slice]:
    """Yield what one server did: the newest is served, then what that has cut."""
    cut: list[_Hop] = []
    active: _Hop | None = None
    since = 0
    for hop in (*hops, None):
        now = end_ps if hop is None else hop.start_ps
        while active is not None and active.ends(since) <= now:
            end = active.ends(since)
            yield active.slice(since, end)
            since, active = end, None
            if cut:
                # Of several that were cut, the one that is done first went on first.
                active = min(cut, key=lambda each: (each.end_ps, each.priority))
                cut.remove(active)
        if hop is None:
            if active is not None and not active.begun:
                yield active.slice(
                    since, since
                )  # its bytes count from the start, its time does not
            return
        if active is not None:
            yield active.slice(since, now)
            cut.append(active)
        active, since = hop, now
