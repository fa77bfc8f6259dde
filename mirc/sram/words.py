"""What callers say to the device, and what it answers."""

from enum import Flag, StrEnum, auto

import attrs


class Fault(StrEnum):
    """Why a command was refused; a refused command changed nothing."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    """The caller is not privileged, or speaks for another tenant."""
    ALIGN_ERROR = "ALIGN_ERROR"
    """The range is not a positive number of whole lines."""
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    """The tenant would have more wired bytes than its quota; one without a quota has none."""
    NO_SPACE = "NO_SPACE"
    """The device's wired budget would be exceeded, or a set left without an unwired way."""
    TARGET_INVALID = "TARGET_INVALID"
    """The range overlaps what is bound already; or there is no such tenant."""
    INVALID_HANDLE = "INVALID_HANDLE"
    """No such binding: never made, released, or gone with its tenant's generation."""


class BindFlags(Flag):
    """What else BIND does."""

    NONE = 0
    PREFETCH = auto()
    """Load the bytes now; without it the first access of each line does."""


class ReleaseMode(StrEnum):
    """What becomes of the lines of a released binding."""

    WRITEBACK = "WRITEBACK"
    """Dirty lines are written to their backing once, and all stay as ordinary cached lines."""
    INVALIDATE = "INVALIDATE"
    """The lines are empty at once; what was dirty is lost."""


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
class Handle:
    """Names one binding; opaque to callers, never used twice."""

    tenant: str
    number: int


@attrs.frozen(kw_only=True)
class Quota:
    """One tenant's quota register: the most that it may wire, and what it has wired."""

    limit_bytes: int
    used_bytes: int


@attrs.frozen(kw_only=True)
class Access:
    """Lines that an access found, and lines that had to be loaded."""

    hits: int
    misses: int


@attrs.frozen(kw_only=True)
class Traffic:
    """Bytes that crossed between the device and its backing, in whole lines, since the start."""

    loaded_bytes: int
    written_bytes: int
