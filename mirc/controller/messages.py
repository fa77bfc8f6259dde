"""What the rooms of the controller hand each other: small named tuples, compiled as they stand.

observe tells score what it has Seen; score tells veto its Wish; veto tells schedule its Verdict;
schedule tells execute its Order; what execute did, observe sees.
"""

from typing import NamedTuple

# ``Order.act``.
REST, FETCH, DISPLACE, TURN_DOWN = 0, 1, 2, 3


class Seen(NamedTuple):
    """Telemetry at one moment, of near memory unless said otherwise: bytes, picoseconds."""

    clock_ps: int  # where the run is in the phase's planned time
    free_bytes: int
    streamed_bytes: int  # held by what the run did not make
    made_bytes: int  # the most that made objects and the step's own space took of late
    ahead_bytes: int  # prefetched or on the way, and not used since


class Wish(NamedTuple):
    """An object that should be near in ``wait_ps`` of planned time; NONE if nothing is wanted."""

    object: int
    wait_ps: int


class Verdict(NamedTuple):
    """A wish and whether it may be: ``why`` is NEEDED if so, else the reason against it.

    ``fits`` is 1 if there is room for it already.
    """

    object: int
    wait_ps: int
    why: int
    fits: int


class Order(NamedTuple):
    """What is to be done for an object: fetch it, let ``victim`` leave for it, turn it down."""

    act: int  # REST, FETCH, DISPLACE, TURN_DOWN
    object: int  # for whom; NONE for the step's own working space
    victim: int
    why: int


EXAMPLES = (Seen(0, 0, 0, 0, 0), Wish(0, 0), Verdict(0, 0, 0, 0), Order(0, 0, 0, 0))
"""One of each: they fix the types that compiled code gives them."""
