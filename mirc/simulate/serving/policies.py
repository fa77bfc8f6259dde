"""The name of a policy into the order in which kept blocks leave, one for each tenant."""

from collections.abc import Callable

import attrs

from mirc.controller.keeping import Keeping, Parent, Recency
from mirc.controller.kv.by_hand import ByHand
from mirc.controller.kv.density import Density, Fact
from mirc.controller.kv.order import Foretold
from mirc.controller.kv.retention import Declared, Retention, Wanted, expected_of
from mirc.controller.kv.signals import ALL, Signal
from mirc.controller.own import is_own, own_policy
from mirc.controller.ruled import Ruled, Tabled
from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.names import RULES

ORACLE = "belady"
INTENT = "intent"
PLACEBO = "placebo"  # intent that hears each conversation's signals about another one
TIMED = f"{INTENT}+time"  # intent, a use weighed by the time that computing the block again takes
BY_HAND = "ttl"
BELIEVED = "signals"  # what signals say and no more: nothing is learned
_RULES = tuple(name for name, rule in RULES.items() if not rule.oracle)
POLICIES = (*_RULES, INTENT, ORACLE)
ABLATIONS: dict[str, Fact | Signal | Wanted] = {
    f"{INTENT}-{word}": word for word in (*Fact, *Signal, Wanted.PRIORITY)
}
UNHEEDED = {f"{BY_HAND}-{word}": word for word in Wanted}
MORE = (TIMED, BELIEVED, PLACEBO, *ABLATIONS, *UNHEEDED)


@attrs.frozen(kw_only=True)
class Model:
    """What is known of the model that is served.

    ``again`` is how long it takes to compute a block that stands on so many (None: all alike),
    ``declared`` how long its file says that blocks are wanted.
    """

    again: Callable[[int], float] | None = None
    declared: Declared = attrs.field(factory=dict)


def policies_of(text: str) -> tuple[str, ...]:
    """Return the policies that a list names, in this table's order; ``all`` are ``POLICIES``.

    ``every`` adds what shows where intent's gains come from; ``intent-`` and a fact or a signal is
    intent without it; ``FILE.py:CLASS``, which come last, are the user's. Raises CouldNotRun for a
    policy that is none.
    """
    asked = [name.strip() for name in text.split(",") if name.strip()]
    if not asked or {"all", "every"} & {*asked}:
        asked = [*asked, *POLICIES, *((TIMED, BELIEVED, PLACEBO) if "every" in asked else ())]
    for name in asked:
        if name not in (*POLICIES, *MORE, "all", "every") and not is_own(name):
            without = f"{INTENT}-{{{', '.join(ABLATIONS.values())}}}, {', '.join(UNHEEDED)}"
            known = ", ".join(("all", "every", *POLICIES, TIMED, BELIEVED, PLACEBO, without))
            raise CouldNotRun(
                f"there is no policy `{name}` for a trace of requests", f"choose from {known}"
            )
    own = (name for name in dict.fromkeys(asked) if is_own(name))
    return (*(name for name in (*POLICIES, *MORE) if name in asked), *own)


def heard_by(policy: str) -> frozenset[Signal]:
    """Return the signals of conversations that a policy listens to."""
    if policy in {INTENT, TIMED, PLACEBO, BELIEVED, BY_HAND, *UNHEEDED}:
        return ALL
    without = ABLATIONS.get(policy)
    return frozenset() if without is None else ALL - {without}


def keeping_of(
    policy: str,
    pages: int,
    parent_of: Parent,
    groups: int,
    model: Model | None = None,
) -> Keeping:
    """Return the order of one tenant's pages; at most ``pages`` are near at a time.

    ``parent_of`` says what a block stands on, of which each of ``groups`` keeps a page. The
    oracle's is no such order: it needs the trace (``mirc.simulate.serving.next_use``).
    """
    known = model or Model()
    left_out = ABLATIONS.get(policy) or UNHEEDED.get(policy)
    if policy in {INTENT, TIMED, PLACEBO} or policy in ABLATIONS:
        return Density(
            parent_of,
            groups=groups,
            without=[fact for fact in Fact if left_out is fact],
            again=known.again if policy == TIMED else None,
            expected=expected_of(_heeded(known.declared, left_out)),
        )
    if policy == BELIEVED:
        return Foretold()
    if policy == BY_HAND or policy in UNHEEDED:
        return ByHand(pages, parent_of, groups, _heeded(known.declared, left_out))
    if is_own(policy):
        return Ruled(own_policy(policy, pages))
    return Recency() if policy == "lru" else Ruled(Tabled(policy, pages))


def _heeded(declared: Declared, left_out: str | None) -> Declared:
    """Return what a file declares but for a field."""
    return {
        where: Retention(
            None if left_out is Wanted.PRIORITY else said.priority,
            None if left_out is Wanted.TIME else said.retain_us,
        )
        for where, said in declared.items()
    }
