from mirc.machine.model import Compute, Link, Machine, Memory, Sram, TierKind

__all__ = ["Compute", "Link", "Machine", "Memory", "Sram", "TierKind"]
