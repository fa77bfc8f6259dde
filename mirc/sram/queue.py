"""Commands into the 32-byte records of a hardware queue, and such records into commands.

A record is little-endian, without gaps: operation (1 byte), flags or mode (1), tenant (2), the
caller's only tenant (2, 0xFFFF if any), whether the caller is privileged (1), memory (1), on-chip
place (4, 0xFFFF_FFFF if any), zero (4), address or handle (8), size in bytes (8). What an operation
does not use is 0. Tenants and memories are numbers, counted in the order in which the device was
told of them; a number beyond them becomes a name like ``#7``, which no device should know.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import attrs

from mirc.sram.commands import (
    Answer,
    Bind,
    Command,
    Invalidate,
    Probed,
    Read,
    Release,
    Write,
    replay,
)
from mirc.sram.device import Device
from mirc.sram.words import BindFlags, Caller, Handle, Probe, Range, ReleaseMode

_LAYOUT = struct.Struct("<BBHHBBIIQQ")
COMMAND_BYTES = _LAYOUT.size
_ANY_TENANT = 0xFFFF
_ANY_PLACE = 0xFFFF_FFFF
_MODES = tuple(ReleaseMode)
_PROBES = tuple(Probe)


class MalformedCommandError(ValueError):
    """A record that is no command, or a command that no record can hold."""


class _Operation(IntEnum):
    BIND = 1
    RELEASE = 2
    INVALIDATE = 3
    READ = 4
    WRITE = 5
    PROBE = 6


class _Record(NamedTuple):
    operation: int
    flags: int = 0
    tenant: int = 0
    only: int = 0
    privileged: int = 0
    memory: int = 0
    place: int = 0
    zero: int = 0
    address: int = 0
    size: int = 0


@attrs.frozen
class Names:
    """The tenants and memories of a device, in the order that gives them their numbers."""

    tenants: tuple[str, ...]
    memories: tuple[str, ...]

    @classmethod
    def of(cls, device: Device) -> "Names":
        """Return those of a device."""
        return cls(device.tenants, device.memories)


class Queue:
    """A queue of commands, which the device takes in order."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def submit(self, records: bytes) -> list[Answer]:
        """Issue records, and return what each was answered.

        Raises MalformedCommandError, before any is issued, if one is no command.
        """
        names = Names.of(self._device)
        size = COMMAND_BYTES
        commands = [decode(records[at : at + size], names) for at in range(0, len(records), size)]
        return replay(commands, self._device)


def encode(command: Command, names: Names) -> bytes:
    """Return a command's record; raises MalformedCommandError if a field does not fit."""
    try:
        return _LAYOUT.pack(*_record(command, names))
    except struct.error as error:
        raise MalformedCommandError(f"{command} does not fit a record: {error}") from error


def decode(record: bytes, names: Names) -> Command:
    """Return a record's command; raises MalformedCommandError if it is none.

    Each command has one record: what is not 0 though its operation does not use it is an error.
    """
    try:
        command = _command(_Record._make(_LAYOUT.unpack(record)), names)
    except (struct.error, ValueError, IndexError) as error:
        raise MalformedCommandError(f"{record.hex()} is no command: {error}") from error
    if encode(command, names) != record:
        raise MalformedCommandError(f"{record.hex()} sets what its operation does not use")
    return command


def _record(command: Command, names: Names) -> _Record:
    match command:
        case Bind(caller, target, tenant, flags, place):
            return _Record(
                _Operation.BIND,
                flags.value,
                _number(tenant, names.tenants),
                *_caller(caller, names),
                _number(target.memory, names.memories),
                _ANY_PLACE if place is None else place,
                address=target.address,
                size=target.size_bytes,
            )
        case Release(caller, handle, mode):
            only, privileged = _caller(caller, names)
            return _Record(
                _Operation.RELEASE,
                _MODES.index(mode),
                only=only,
                privileged=privileged,
                address=handle.number,
            )
        case Invalidate(caller, tenant):
            number = _number(tenant, names.tenants)
            return _Record(_Operation.INVALIDATE, 0, number, *_caller(caller, names))
        case Read(source):
            return _access(_Operation.READ, 0, source, names)
        case Write(target):
            return _access(_Operation.WRITE, 0, target, names)
        case Probed(target, probe):
            return _access(_Operation.PROBE, _PROBES.index(probe), target, names)


def _access(operation: _Operation, flags: int, target: Range, names: Names) -> _Record:
    return _Record(
        operation,
        flags,
        memory=_number(target.memory, names.memories),
        address=target.address,
        size=target.size_bytes,
    )


def _caller(caller: Caller, names: Names) -> tuple[int, int]:
    only = _ANY_TENANT if caller.tenant is None else _number(caller.tenant, names.tenants)
    return only, int(caller.privileged)


def _command(record: _Record, names: Names) -> Command:
    only = None if record.only == _ANY_TENANT else _name(record.only, names.tenants)
    caller = Caller(privileged=bool(record.privileged), tenant=only)
    tenant = _name(record.tenant, names.tenants)
    target = Range(_name(record.memory, names.memories), record.address, record.size)
    match _Operation(record.operation):
        case _Operation.BIND:
            place = None if record.place == _ANY_PLACE else record.place
            return Bind(caller, target, tenant, BindFlags(record.flags), place)
        case _Operation.RELEASE:
            return Release(caller, Handle(record.address), _MODES[record.flags])
        case _Operation.INVALIDATE:
            return Invalidate(caller, tenant)
        case _Operation.READ:
            return Read(target)
        case _Operation.WRITE:
            return Write(target)
        case _Operation.PROBE:
            return Probed(target, _PROBES[record.flags])


def _number(name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    if name.startswith("#") and name[1:].isdecimal():
        return int(name[1:])
    raise MalformedCommandError(f"`{name}` has no number")


def _name(number: int, names: Sequence[str]) -> str:
    return names[number] if number < len(names) else f"#{number}"
