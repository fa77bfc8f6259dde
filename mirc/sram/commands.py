"""Calls of the driver API into commands, their log, and a log into the same calls again."""

from collections.abc import Iterable
from typing import TypeVar

import attrs

from mirc.sram.device import Device
from mirc.sram.words import (
    Access,
    BindFlags,
    Caller,
    Fault,
    Handle,
    Probe,
    Quota,
    Range,
    ReleaseMode,
    Trap,
)

Answer = Handle | Access | Fault | Trap | None
"""What a command may be answered; None means that it was done."""


@attrs.frozen
class Bind:
    """BIND, see ``Device.bind``."""

    caller: Caller
    target: Range
    tenant: str
    flags: BindFlags = BindFlags.NONE
    place: int | None = None

    def on(self, device: Device) -> Handle | Fault:
        """Issue it."""
        return device.bind(self.caller, self.target, self.tenant, self.flags, self.place)


@attrs.frozen
class Release:
    """RELEASE, see ``Device.release``."""

    caller: Caller
    handle: Handle
    mode: ReleaseMode

    def on(self, device: Device) -> Fault | None:
        """Issue it."""
        return device.release(self.caller, self.handle, self.mode)


@attrs.frozen
class Invalidate:
    """The end of a tenant's generation, see ``Device.invalidate``."""

    caller: Caller
    tenant: str

    def on(self, device: Device) -> Fault | None:
        """Issue it."""
        return device.invalidate(self.caller, self.tenant)


@attrs.frozen
class Read:
    """A read, see ``Device.read``."""

    source: Range

    def on(self, device: Device) -> Access | Fault:
        """Issue it."""
        return device.read(self.source)


@attrs.frozen
class Write:
    """A write, see ``Device.write``."""

    target: Range

    def on(self, device: Device) -> Access | Fault | Trap:
        """Issue it."""
        return device.write(self.target)


@attrs.frozen
class Probed:
    """An access of another agent, see ``Device.probe``."""

    target: Range
    probe: Probe

    def on(self, device: Device) -> Fault | Trap | None:
        """Issue it."""
        return device.probe(self.target, self.probe)


Command = Bind | Release | Invalidate | Read | Write | Probed
_C = TypeVar("_C", Bind, Release, Invalidate, Read, Write, Probed)


class Driver:
    """The driver API: the device's calls, each kept in ``log`` before it is issued."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.log: list[Command] = []

    def bind(
        self,
        caller: Caller,
        target: Range,
        tenant: str,
        flags: BindFlags = BindFlags.NONE,
        place: int | None = None,
    ) -> Handle | Fault:
        """See ``Device.bind``."""
        return self._kept(Bind(caller, target, tenant, flags, place)).on(self.device)

    def release(self, caller: Caller, handle: Handle, mode: ReleaseMode) -> Fault | None:
        """See ``Device.release``."""
        return self._kept(Release(caller, handle, mode)).on(self.device)

    def invalidate(self, caller: Caller, tenant: str) -> Fault | None:
        """See ``Device.invalidate``."""
        return self._kept(Invalidate(caller, tenant)).on(self.device)

    def read(self, source: Range) -> Access | Fault:
        """See ``Device.read``."""
        return self._kept(Read(source)).on(self.device)

    def write(self, target: Range) -> Access | Fault | Trap:
        """See ``Device.write``."""
        return self._kept(Write(target)).on(self.device)

    def probe(self, target: Range, probe: Probe) -> Fault | Trap | None:
        """See ``Device.probe``."""
        return self._kept(Probed(target, probe)).on(self.device)

    def quota(self, tenant: str) -> Quota:
        """See ``Device.quota``; no command."""
        return self.device.quota(tenant)

    def left_bytes(self, tenant: str) -> int:
        """See ``Device.left_bytes``; no command."""
        return self.device.left_bytes(tenant)

    def _kept(self, command: _C) -> _C:
        self.log.append(command)
        return command


def replay(log: Iterable[Command], device: Device) -> list[Answer]:
    """Issue a log's commands; a device like the one that it is of comes to the same state."""
    return [command.on(device) for command in log]
