"""The policies by name, what each is told, and how far its prefetcher looks."""

from difflib import get_close_matches

import attrs

from mirc.controller.own import is_own
from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.names import RULES, Rule
from mirc.kernels.world import BELADY, INTENT, LRU, LRU_PREFETCH, MRU, REGRET, RULED, STATIC


@attrs.frozen(kw_only=True)
class Policy:
    """One way to run near memory; ``oracle`` if it is given the future.

    ``rule`` chooses its victims if the engine does not itself; if it is the user's ``own``, a class
    of that name does.
    """

    name: str
    number: int
    summary: str
    oracle: bool = False
    rule: Rule | None = None
    own: bool = False


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

PLACEBO = "placebo"

MORE: dict[str, Policy] = {
    **{
        name: Policy(
            name=name,
            number=RULED,
            summary=f"{rule.summary}; fetches on demand",
            rule=rule,
        )
        for name, rule in RULES.items()
        if name not in POLICIES and not rule.oracle
    },
    PLACEBO: Policy(
        name=PLACEBO,
        number=INTENT,
        summary="intent with the hints of each class dealt out anew among its objects",
    ),
}
"""Policies that a table has where they are named, or where ``every`` policy is asked for."""

FOLLOW_INTENT = (STATIC, INTENT, REGRET)
"""Numbers of the policies that are told what is pinned and what may be dropped and made again."""
LEARN = (INTENT, REGRET)
"""Numbers of those that hold what they are told against what they see."""


def policy_of(name: str) -> Policy:
    """Return a policy by its name, ``FILE.py:CLASS`` for one of the user's.

    Raises CouldNotRun, with the nearest name, if there is none.
    """
    if is_own(name):
        return Policy(name=name, number=RULED, summary="your own", rule=RULES["fifo"], own=True)
    found = POLICIES.get(name) or MORE.get(name)
    if found is None:
        near = get_close_matches(name, (*POLICIES, *MORE), n=1)
        raise CouldNotRun(
            f"there is no policy `{name}`",
            f"did you mean `{near[0]}`?"
            if near
            else f"choose from all, every, {', '.join((*POLICIES, *MORE))}",
        )
    return found


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
