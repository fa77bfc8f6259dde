"""Wired SRAM: a device that is known only by BIND, RELEASE, quota and access.

Not built: SOFT_PIN and IMMUTABLE flags, write protection (MPU), replacement other than LRU,
direct-mapped and software-managed organisations, a generation of limited width.
"""

from mirc.sram.device import Device
from mirc.sram.geometry import Geometry
from mirc.sram.layout import Layout, Range
from mirc.sram.tags import Line
from mirc.sram.words import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Fault,
    Handle,
    Quota,
    ReleaseMode,
    Traffic,
)

__all__ = [
    "DRIVER",
    "Access",
    "BindFlags",
    "Caller",
    "Device",
    "Fault",
    "Geometry",
    "Handle",
    "Layout",
    "Line",
    "Quota",
    "Range",
    "ReleaseMode",
    "Traffic",
]
