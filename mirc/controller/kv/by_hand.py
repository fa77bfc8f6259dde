"""Priorities that somebody set by hand, and for how long, into who leaves first.

As TensorRT-LLM's ``KvCacheRetentionConfig`` does it: ranges of a prompt's tokens get a priority
from 0 to 100 and a time after which it lapses to 35; the lowest leaves first, of equals the least
recently used. What a file does not declare is what one would set who knows that prompts begin with
an instruction and that tools usually answer within a minute. Nothing is learned.
"""

from mirc.controller.keeping import Hint, Parent
from mirc.controller.kv.retention import Declared, Retention
from mirc.controller.ruled import Ruled, Tabled
from mirc.kernels.replacement.state import DEFAULT_PRIORITY, NEVER

HEAD_BLOCKS = 8  # of a prompt: its instruction is there
HEAD, WAITING, OVER = 80, 60, 0  # priorities
WAITS_US = 60_000_000


class ByHand:
    """A ``Keeping`` by priorities: the head of prompts, then those who wait, for a while.

    A key is what one of ``groups`` caches keeps of a block: ``block * groups + group``; times are
    microseconds. What is ``declared`` takes the place of what is set here, but for the head of
    prompts, which has no lower priority than here and keeps it.
    """

    def __init__(
        self, pages: int, parent_of: Parent, groups: int, declared: Declared | None = None
    ) -> None:
        self._rule = Tabled("ttl", pages)
        self._order = Ruled(self._rule)
        self._parent_of = parent_of
        self._groups = groups
        self._declared = declared or {}
        self._now = 0
        self._said: dict[int, tuple[int, Hint]] = {}  # when it was used last, and what was said

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate."""
        self._now = max(self._now, used_at)
        self._rule.tell_time(self._now)
        if self._said.get(key) != (used_at, live):
            self._retain(key, used_at, live)
        self._order.offer(key, used_at, live)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        self._order.withdraw(key)

    def victim(self) -> int | None:
        """Take out the candidate of the lowest priority."""
        return self._order.victim()

    def told(self, key: int, live: Hint) -> None:
        """Set the priority that goes with what was said; to say it again changes nothing."""
        used_at, said = self._said.get(key, (self._now, None))
        if key not in self._said or said != live:
            self._retain(key, used_at, live)

    def _retain(self, key: int, used_at: int, live: Hint) -> None:
        """Set a priority, for its time from now on: from a use, or from what was said since."""
        self._said[key] = used_at, live
        priority, lasts = self._wanted(key, live)
        self._rule.retain(key, priority, NEVER if lasts is None else self._now + lasts)

    def _wanted(self, key: int, live: Hint) -> tuple[int, int | None]:
        """Return a priority, and the microseconds for which it holds if not for good."""
        group = key % self._groups
        said = self._declared.get((group, live), Retention())
        plain = self._declared.get((group, None), Retention()).priority or 0
        if self._in_head(key):
            return max(HEAD, said.priority or 0), None
        usual = {None: DEFAULT_PRIORITY, True: max(WAITING, plain), False: OVER}[live]
        priority = usual if said.priority is None else said.priority
        lasts = WAITS_US if live else None
        return priority, lasts if said.retain_us is None else round(said.retain_us)

    def found(self, key: int) -> None:
        """Count a use."""
        self._order.found(key)

    def missed(self, key: int) -> None:
        """Let a key come in."""
        self._order.missed(key)

    def ended(self, key: int) -> None:
        """Let a key be forgotten."""
        self._order.ended(key)

    def _in_head(self, key: int) -> bool:
        block: int | None = key // self._groups
        for _ in range(HEAD_BLOCKS):
            block = self._parent_of(block) if block is not None else None
            if block is None:
                return True
        return False
