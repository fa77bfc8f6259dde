"""A machine's roofline clocks and uses into how long a storage waits between two of them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from mirc.machine.transfers import PS_PER_S
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.reuse import Clock


class Slack:
    """The compute beside which a storage could go out and come back."""

    def __init__(
        self, phases: Sequence[PhaseFact], clocks: Mapping[tuple[str, str], Clock]
    ) -> None:
        self._phases = phases
        self._clocks = clocks

    def seconds(self, machine: str, phase: str, storage: int) -> float:
        """Return the longest wait between two uses from ``phase`` on, by the roofline.

        It runs from the end of one step that uses the storage to the begin of the next, through
        the phases between if a later one uses it first. 0 where ``machine`` has no clock.
        """
        if (machine, phase) not in self._clocks:
            return 0.0
        uses: list[tuple[int, int]] = []
        offset = 0
        reached = False
        for each in self._phases:
            reached = reached or each.name == phase
            if not reached:
                continue
            start = self._clocks[machine, each.name].start_ps
            steps = each.table.used_in.get(storage, ())
            uses += [(offset + start[step], offset + start[step + 1]) for step in steps]
            offset += start[-1]
        waits = (begin - end for (_, end), (begin, _) in pairwise(uses))
        return max(waits, default=0) / PS_PER_S
