"""A module and an observation into declared facts that were seen otherwise: nobody changes them."""

from collections import Counter

import attrs

from mirc.ir import Module
from mirc.ir.resolve import View
from mirc.observe.observation import Observation

ROUNDING = 512
"""CUDA's caching allocator hands out multiples of so many bytes."""


@attrs.frozen(kw_only=True)
class OtherSize:
    """An object whose bytes were seen to be others than the file says."""

    object: str
    declared_bytes: int
    observed_bytes: int


@attrs.frozen(kw_only=True)
class Facts:
    """``other_sizes`` of ``sizes`` objects whose size was seen; names that the file lacks."""

    sizes: int
    other_sizes: tuple[OtherSize, ...]
    undeclared: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Memory:
    """Blocks of memory that nobody named, beside declared objects of fixed size.

    ``peak_bytes`` is the most that was taken at once; ``found`` of ``declared`` objects have a
    block of their size (to the allocator's rounding), each its own.
    """

    peak_bytes: int
    declared: int
    found: int
    found_bytes: int


def facts(module: Module, observation: Observation) -> Facts:
    """Compare sizes, and list what the file does not declare."""
    view = View(module)
    known = {name: view.value(name, "size_bytes") for name in observation.sizes}
    fixed = {name: size for name, size in known.items() if isinstance(size, int)}
    return Facts(
        sizes=len(fixed),
        other_sizes=tuple(
            OtherSize(object=name, declared_bytes=size, observed_bytes=observation.sizes[name])
            for name, size in fixed.items()
            if size != observation.sizes[name]
        ),
        undeclared=observation.unknown,
    )


def memory(module: Module, observation: Observation) -> Memory | None:
    """Look for a block for each declared object; None where no blocks were seen."""
    if observation.blocks is None:
        return None
    view = View(module)
    sizes = [view.value(name, "size_bytes") for name in module.objects]
    wanted = Counter(_rounded(size) for size in sizes if isinstance(size, int))
    there: Counter[int] = Counter()
    for size, count in observation.blocks.most.items():
        there[_rounded(size)] += count
    found = {size: min(count, there[size]) for size, count in wanted.items()}
    return Memory(
        peak_bytes=observation.blocks.peak_bytes,
        declared=wanted.total(),
        found=sum(found.values()),
        found_bytes=sum(size * count for size, count in found.items()),
    )


def _rounded(size: int) -> int:
    return -(-size // ROUNDING) * ROUNDING
