"""The policies by name, what each is told, and how far its prefetcher looks."""

import attrs

from mirc.kernels.world import BELADY, INTENT, LRU, LRU_PREFETCH, MRU, REGRET, STATIC


@attrs.frozen(kw_only=True)
class Policy:
    """One way to run near memory; ``oracle`` if it is given the future."""

    name: str
    number: int
    summary: str
    oracle: bool = False


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(
            name="static",
            number=STATIC,
            summary="pins what fits, evenly spread; streams the rest in plan order and drops it",
        ),
        Policy(name="lru", number=LRU, summary="evicts the least recently used; fetches on demand"),
        Policy(name="mru", number=MRU, summary="evicts the most recently used; fetches on demand"),
        Policy(
            name="lru-prefetch",
            number=LRU_PREFETCH,
            summary="evicts the least recently used; prefetches as intent does",
        ),
        Policy(
            name="regret",
            number=REGRET,
            summary="evicts what is least likely, cheapest and least often still to be used",
        ),
        Policy(
            name="belady",
            number=BELADY,
            summary="evicts what is used farthest in the true future; fetches on demand",
            oracle=True,
        ),
        Policy(
            name="intent",
            number=INTENT,
            summary="evicts and prefetches by the declared intent, its plan and telemetry",
        ),
    )
}

FOLLOW_INTENT = (STATIC, INTENT, REGRET)
"""Numbers of the policies that are told what is pinned and what may be dropped and made again."""
LEARN = (INTENT, REGRET)
"""Numbers of those that hold what they are told against what they see."""


@attrs.frozen(kw_only=True)
class Settings:
    """How all policies move bytes; lengths are in transfers of the largest planned object.

    A prefetch may displace others from ``horizon_transfers`` before its use on, while less than
    ``ring_objects`` of the largest lie ready; ``depth`` prefetches wait at a link, the rest are
    decided later. A transfer lets a more urgent one pass every ``chunk_bytes``. Of what is less
    likely than not to be used, a lap brings at most ``guess_objects`` of the largest ahead.
    """

    horizon_transfers: float = 4.0
    ring_objects: float = 2.0
    depth: int = 2
    chunk_bytes: int = 8 << 20
    guess_objects: float = 8.0
