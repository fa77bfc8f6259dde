from mirc.machine.model import Machine
from mirc.machine.parts import (
    Compute,
    Link,
    Memory,
    Organisation,
    Replacement,
    Sharing,
    Sram,
    TierKind,
)
from mirc.machine.verify import InvalidMachineError

__all__ = [
    "Compute",
    "InvalidMachineError",
    "Link",
    "Machine",
    "Memory",
    "Organisation",
    "Replacement",
    "Sharing",
    "Sram",
    "TierKind",
]
