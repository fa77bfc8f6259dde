"""What callers say to the device, and what it answers."""

from enum import Flag, StrEnum, auto

import attrs


class Fault(StrEnum):
    """Why a command was refused; a refused command changed nothing."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    """The caller is not privileged, or speaks for another tenant."""
    ALIGN_ERROR = "ALIGN_ERROR"
    """The range does not begin and end on a line."""
    TARGET_INVALID = "TARGET_INVALID"
    """No such off-chip bytes, on-chip place or tenant; or the range overlaps what is bound."""
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    """The tenant would have bound more bytes than its quota; one without a quota has none."""
    NO_SPACE = "NO_SPACE"
    """Wiring would reach into the reserve, or leave a set without an open way."""
    INVALID_HANDLE = "INVALID_HANDLE"
    """No such binding: never made, released, or gone with its tenant's generation."""


class Trap(StrEnum):
    """What stops a write; nothing of it was done."""

    BINDING_VIOLATION = "BINDING_VIOLATION"
    """The range is bound IMMUTABLE, in part at least."""


class BindFlags(Flag):
    """What else BIND does."""

    NONE = 0
    PREFETCH = auto()
    """Load the bytes now; without it the first access of each line does."""
    IMMUTABLE = auto()
    """Write-protect the range: a write traps, and the copy takes no part in coherence."""
    SOFT_PIN = auto()
    """Hold the lines until nothing else can be evicted, and say so before one is lost."""


class ReleaseMode(StrEnum):
    """What becomes of the lines of a released binding."""

    WRITEBACK = "WRITEBACK"
    """Dirty lines are written to their backing once, and all stay as ordinary cached lines."""
    INVALIDATE = "INVALIDATE"
    """The lines are empty at once; what was dirty is lost."""


class Probe(StrEnum):
    """What another agent does to off-chip bytes that may have a copy on chip."""

    READ = "READ"
    """It reads them: a dirty copy is written back first."""
    WRITE = "WRITE"
    """It writes them: a copy is stale from then on."""


class EventKind(StrEnum):
    """What the device tells its runtime without being asked."""

    RESIDENCY_LOSS = "RESIDENCY_LOSS"
    """A line bound SOFT_PIN is about to be evicted; its bytes are still on chip."""
    EVICTED = "EVICTED"
    """That eviction is complete: the line has left its binding and its tenant's quota."""
    BINDING_VIOLATION = "BINDING_VIOLATION"
    """A write to an IMMUTABLE range was stopped."""
    GENERATION_WRAP = "GENERATION_WRAP"
    """A tenant's generation began anew, for which every set was swept."""


@attrs.frozen(kw_only=True)
class Caller:
    """Who issues a command. ``tenant`` is the only one that it may act for; None means any."""

    privileged: bool
    tenant: str | None = None

    def may_act_for(self, tenant: str) -> bool:
        """Tell whether this caller may bind and release on behalf of ``tenant``."""
        return self.privileged and self.tenant in (None, tenant)


DRIVER = Caller(privileged=True)
"""The driver: privileged, for all tenants."""


@attrs.frozen
class Range:
    """``size_bytes`` of an off-chip memory, by its name, from ``address`` on."""

    memory: str
    address: int
    size_bytes: int


@attrs.frozen
class Handle:
    """Names one binding; opaque to callers, never used twice."""

    number: int


NO_BINDING = Handle(0)
"""What is given to no binding."""


@attrs.frozen(kw_only=True)
class Quota:
    """One tenant's quota register: the most that it may bind, and what it has bound."""

    limit_bytes: int
    used_bytes: int


@attrs.frozen(kw_only=True)
class Access:
    """Lines that an access found, and lines that it did not.

    ``bypassed`` of the misses went past the array, as every way of their set is wired.
    """

    hits: int
    misses: int
    bypassed: int = 0


@attrs.frozen(kw_only=True)
class Event:
    """One event; ``number`` counts them from 0, in the order in which they happened.

    ``handle`` is the binding concerned and ``target`` the line that is lost or the range that was
    to be written; a GENERATION_WRAP concerns no binding.
    """

    number: int
    kind: EventKind
    tenant: str
    handle: Handle = NO_BINDING
    target: Range | None = None


@attrs.frozen(kw_only=True)
class Traffic:
    """Bytes that crossed between the device and its backing, in whole lines, since the start."""

    loaded_bytes: int
    written_bytes: int


@attrs.define(kw_only=True)
class Counters:
    """What the device did since the start.

    An ordinary line is evicted silently and only counted here (``evicted_lines``); the loss of a
    soft one (``lost_lines``) is an event too; a wired one has no counter, since it is never lost.
    ``bypassed_lines`` are counted among the loaded or the written ones. Coherence messages went to
    copies on chip, or were suppressed because the copy is immutable.
    """

    loaded_lines: int = 0
    written_lines: int = 0
    evicted_lines: int = 0
    lost_lines: int = 0
    bypassed_lines: int = 0
    violations: int = 0
    coherence_messages: int = 0
    suppressed_messages: int = 0
