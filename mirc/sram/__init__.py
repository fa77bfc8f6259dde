"""Wired SRAM: a device that is known only by BIND, RELEASE, quota and access."""

from mirc.sram.commands import (
    Answer,
    Bind,
    Command,
    Driver,
    Invalidate,
    Probed,
    Read,
    Release,
    Write,
    replay,
)
from mirc.sram.device import Device
from mirc.sram.geometry import Geometry
from mirc.sram.layout import Layout
from mirc.sram.queue import COMMAND_BYTES, MalformedCommandError, Names, Queue, decode, encode
from mirc.sram.residency import Residency
from mirc.sram.tags import Line
from mirc.sram.words import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Counters,
    Event,
    EventKind,
    Fault,
    Handle,
    Probe,
    Quota,
    Range,
    ReleaseMode,
    Traffic,
    Trap,
)

__all__ = [
    "COMMAND_BYTES",
    "DRIVER",
    "Access",
    "Answer",
    "Bind",
    "BindFlags",
    "Caller",
    "Command",
    "Counters",
    "Device",
    "Driver",
    "Event",
    "EventKind",
    "Fault",
    "Geometry",
    "Handle",
    "Invalidate",
    "Layout",
    "Line",
    "MalformedCommandError",
    "Names",
    "Probe",
    "Probed",
    "Queue",
    "Quota",
    "Range",
    "Read",
    "Release",
    "ReleaseMode",
    "Residency",
    "Traffic",
    "Trap",
    "Write",
    "decode",
    "encode",
    "replay",
]
