"""The counters of a run and its waits into what went wrong, by name."""

from itertools import groupby

from mirc.kernels import counts as c
from mirc.simulate.model import Ints, Troubles

CASCADE = 4
"""Consecutive steps that wait, from which on their waiting is called a cascade."""


def troubles_of(counts: Ints, step_ps: Ints, compute_ps: Ints) -> Troubles:
    """Name the counters of a run; ``step_ps`` above ``compute_ps`` is a step that waited."""
    waits = [len(list(run)) for late, run in groupby((step_ps > compute_ps).tolist()) if late]
    return Troubles(
        avoidable_bytes=int(counts[c.IDLE_IN_BYTES] + counts[c.IDLE_OUT_BYTES]),
        idle_prefetch_bytes=int(counts[c.IDLE_IN_BYTES]),
        idle_write_bytes=int(counts[c.IDLE_OUT_BYTES]),
        refetches=int(counts[c.REFETCHES]),
        refetch_bytes=int(counts[c.REFETCH_BYTES]),
        spill_storms=int(counts[c.STORMS]),
        eviction_regret=int(counts[c.REGRETTED]),
        stall_cascades=sum(length >= CASCADE for length in waits),
        longest_cascade=max(waits, default=0),
        deferred_spills=int(counts[c.DEFERRED]),
        deferred_spill_ps=int(counts[c.DEFERRED_PS]),
        early_copies=int(counts[c.COPIES]),
        forgotten=int(counts[c.FORGOTTEN_COPIES]),
        forgotten_bytes=int(counts[c.FORGOTTEN_BYTES]),
        remade=int(counts[c.REMAKES]),
        remade_bytes=int(counts[c.REMAKE_BYTES]),
        remade_ps=int(counts[c.REMAKE_PS_SUM]),
        rerouted=int(counts[c.REROUTED]),
        cancelled=int(counts[c.WITHDRAWN]),
        guesses=int(counts[c.GUESSES]),
        guess_bytes=int(counts[c.GUESS_BYTES]),
        guesses_used=int(counts[c.GUESS_HITS]),
        together=int(counts[c.TOGETHER]),
        decisions=int(counts[c.DECISIONS]),
        candidates=int(counts[c.LOOKS]),
        most_candidates=int(counts[c.MOST_LOOKS]),
    )
