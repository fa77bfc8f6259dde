"""Readers of shared prefixes into a fast region that holds each prefix once, while it is read.

Essay 002, primitive 5: promoted for the first reader, shared by all, released with the last. What
is promoted is chosen by meaning (the sinks at the beginning of a prompt) before the first decode
step, so nothing that happens during decoding takes it away.
"""

import attrs

from mirc.claims.admission import Admission, Pool, Reason, admit
from mirc.controller.kv.events import KvEvent, Log, What, Why

_WHY = {Reason.TOO_LARGE: Why.TOO_LARGE, Reason.MUST_HOLD: Why.BUSY}


@attrs.define(kw_only=True)
class _Prefix:
    size: int
    readers: dict[str, None]


class FastRegion:
    """Room for ``capacity`` units of promoted prefixes, with a count of readers each."""

    def __init__(self, capacity: int, log: Log) -> None:
        self.capacity = capacity
        self.used = 0
        self.promotions = 0
        self.now = 0
        self._log = log
        self._prefixes: dict[int, _Prefix] = {}

    def __contains__(self, prefix: int) -> bool:
        return prefix in self._prefixes

    def readers(self, prefix: int) -> int:
        """Return how many read a prefix: its fan-out."""
        found = self._prefixes.get(prefix)
        return 0 if found is None else len(found.readers)

    def acquire(self, prefix: int, size: int, reader: str) -> bool:
        """Let one more read a prefix (its key), promoting it for the first; say if it is there.

        A region that is full of what others read refuses by name, and the prefix is read where it
        lies: a later reader may be luckier. Raises ``ValueError`` if it reads it already.
        """
        found = self._prefixes.get(prefix)
        if found is not None:
            if reader in found.readers:
                raise ValueError(f"`{reader}` reads prefix {prefix} already")
            found.readers[reader] = None
            self._tell(What.JOINED, Why.SHARED, prefix, reader, len(found.readers))
            return True
        holding = tuple(
            (name, each.size) for each in self._prefixes.values() for name in each.readers
        )
        decision = admit(
            size,
            Pool(
                capacity=self.capacity,
                must_hold=self.used,
                free=self.capacity - self.used,
                holding=holding,
            ),
        )
        if not decision.admitted:
            self._tell(What.REFUSED, _WHY[decision.reason], prefix, reader, size, decision)
            return False
        self._prefixes[prefix] = _Prefix(size=size, readers={reader: None})
        self.used += size
        self.promotions += 1
        self._tell(What.PROMOTED, Why.ARRIVED, prefix, reader, size)
        return True

    def release(self, prefix: int, reader: str) -> None:
        """Let a reader leave; the last one frees the room. Raises ``ValueError`` for no reader."""
        found = self._prefixes.get(prefix)
        if found is None or reader not in found.readers:
            raise ValueError(f"`{reader}` does not read prefix {prefix}")
        del found.readers[reader]
        if found.readers:
            self._tell(What.LEFT, Why.FINISHED, prefix, reader, len(found.readers))
            return
        del self._prefixes[prefix]
        self.used -= found.size
        self._tell(What.FREED, Why.FINISHED, prefix, reader, found.size)

    def _tell(  # noqa: PLR0917 - the columns of a row
        self,
        what: What,
        why: Why,
        prefix: int,
        reader: str,
        amount: int,
        refused: Admission | None = None,
    ) -> None:
        self._log.append(
            KvEvent(
                tick=self.now,
                what=what,
                why=why,
                name=reader,
                block=prefix,
                amount=amount,
                blockers=() if refused is None else refused.refused_by,
            )
        )
