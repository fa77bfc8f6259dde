"""All that an arbiter may know of an on-chip memory: BIND, RELEASE and quota."""

from typing import Protocol

from mirc.sram.words import BindFlags, Caller, Fault, Handle, Quota, Range, ReleaseMode


class Residency(Protocol):
    """What ``Device`` and ``Driver`` are to whoever decides what is worth binding.

    Neither lines nor sets, organisation nor policy show: the same decisions work on any of them.
    """

    def bind(
        self,
        caller: Caller,
        target: Range,
        tenant: str,
        flags: BindFlags = BindFlags.NONE,
        place: int | None = None,
    ) -> Handle | Fault:
        """See ``Device.bind``."""

    def release(self, caller: Caller, handle: Handle, mode: ReleaseMode) -> Fault | None:
        """See ``Device.release``."""

    def quota(self, tenant: str) -> Quota:
        """See ``Device.quota``."""

    def left_bytes(self, tenant: str) -> int:
        """See ``Device.left_bytes``."""
