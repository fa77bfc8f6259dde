"""What a run did too often or too late, into counters: each one an entry with a definition."""

from mirc.kernels.world import World

# Entries of ``World.counts``. Bytes end in BYTES, picoseconds in PS, the rest are numbers of times.
REFETCHES = 0  # fetches of what had been near before, in the same life
REFETCH_BYTES = 1
IDLE_IN_BYTES = 2  # avoidable copies: brought near ahead of a use, and gone again without one
IDLE_OUT_BYTES = 3  # avoidable copies: written back, and never read from there while they lived
STORMS = 4  # spill storms: steps for whose room at least STORM objects had to be written back
STEP_SPILLS = 5  # of the step that runs
REGRETTED = 6  # evictions of what was used again before what it made room for
DEFERRED = 7  # write-backs that a server let wait while it began something more urgent
DEFERRED_PS = 8  # what the transfers that were begun instead took
FORGOTTEN_COPIES = 9  # dropped to be made again, instead of being written back
FORGOTTEN_BYTES = 10
REMAKES = 11
REMAKE_BYTES = 12
REMAKE_PS_SUM = 13  # computing that went into them
REROUTED = 14  # transfers that took another way than the one that is quickest when nothing waits
DECISIONS = 15  # choices of a victim, of a prefetch, of a way
LOOKS = 16  # candidates that they looked at
MOST_LOOKS = 17  # of one decision
WITHDRAWN = 18  # prefetches taken back because what they were made for had changed
GUESSES = 19  # prefetches of what is less likely than not to be used
GUESS_BYTES = 20
GUESS_HITS = 21  # of those, used
TOGETHER = 22  # prefetches made because a member of the same coalition was asked for
COPIES = 23  # write-backs begun before room was short
COUNTS = 24

STORM = 8


def end_spills(w: World) -> None:
    """End a step's account of what had to be written back for its room."""
    if w.counts[STEP_SPILLS] >= STORM:
        w.counts[STORMS] += 1
    w.counts[STEP_SPILLS] = 0


def decided(w: World, looks: int) -> None:
    """Account for one decision that looked at ``looks`` candidates."""
    w.counts[DECISIONS] += 1
    w.counts[LOOKS] += looks
    if looks > w.counts[MOST_LOOKS]:  # noqa: PLR1730 - max() of int64 is slow uncompiled
        w.counts[MOST_LOOKS] = looks
