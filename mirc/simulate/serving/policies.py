"""The name of a policy into the order in which kept blocks leave, one for each tenant."""

from mirc.controller.keeping import Keeping, Recency
from mirc.controller.kv.order import Foretold
from mirc.controller.ruled import Ruled, Tabled
from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.names import RULES

ORACLE = "belady"
_BY_HAND = ("ttl",)  # says nothing without priorities that somebody sets
_RULES = tuple(name for name, rule in RULES.items() if not rule.oracle and name not in _BY_HAND)
POLICIES = (*_RULES, "intent", ORACLE)


def policies_of(text: str) -> tuple[str, ...]:
    """Return the policies that a list names, in this table's order.

    Raises CouldNotRun for a policy that is none.
    """
    asked = [name.strip() for name in text.split(",") if name.strip()]
    if not asked or "all" in asked:
        return POLICIES
    for name in asked:
        if name not in POLICIES:
            raise CouldNotRun(
                f"there is no policy `{name}` for a trace of requests",
                f"choose from all, {', '.join(POLICIES)}",
            )
    return tuple(name for name in POLICIES if name in asked)


def hears(policy: str) -> bool:
    """Tell whether a policy listens to the signals of conversations."""
    return policy == "intent"


def keeping_of(policy: str, pages: int) -> Keeping:
    """Return the order of one tenant's pages; at most ``pages`` are near at a time.

    The oracle's is no such order: it needs the trace (``mirc.simulate.serving.next_use``).
    """
    if policy == "intent":
        return Foretold()
    return Recency() if policy == "lru" else Ruled(Tabled(policy, pages))
