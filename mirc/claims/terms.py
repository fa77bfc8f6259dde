"""What a holder asks for into one frozen value: which blocks, how firmly, and for how long."""

from typing import NamedTuple

import attrs
from attrs import validators as v

from mirc.ir.enums import ClaimLoss, Guarantee

Key = int | str
FOREVER = 1 << 62  # later than anything
USUAL_PRIORITY = 35  # as in the field table
HIGHEST_PRIORITY = 100


class Block(NamedTuple):
    """A piece of resident data, by a key that its pool knows, and its size in the pool's unit."""

    key: Key
    size: int = 1


@attrs.frozen(kw_only=True)
class Directive:
    """Other terms for the blocks of a claim from ``start`` up to ``end``, counted from 0."""

    start: int = attrs.field(validator=v.ge(0))
    end: int
    priority: int = attrs.field(validator=[v.ge(0), v.le(HIGHEST_PRIORITY)])
    lasts: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))

    def __attrs_post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a directive over blocks {self.start} to {self.end} covers none")


@attrs.frozen(kw_only=True)
class Terms:
    """One edition of a claim.

    ``blocks`` stand in token order: a block is worth nothing without those before it. ``lasts`` is
    a time from the grant, in the unit of the ledger's clock; ``until`` and ``binds_on`` are events:
    the one ends the claim, the other must come before it binds. ``least`` is the fewest blocks that
    are worth having (all, if None), ``patience`` how long the holder waits to be granted. A claim
    names the ``tiers`` in which it promises (any, if it names none). Raises ``ValueError``.
    """

    name: str
    holder: str
    blocks: tuple[Block, ...] = attrs.field(validator=v.min_len(1))
    guarantee: Guarantee = Guarantee.SOFT
    on_loss: ClaimLoss = ClaimLoss.EVENT
    tenant: str | None = None
    priority: int = attrs.field(default=USUAL_PRIORITY, validator=[v.ge(0), v.le(HIGHEST_PRIORITY)])
    lasts: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))
    until: str | None = None
    binds_on: str | None = None
    least: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))
    patience: int = attrs.field(default=0, validator=v.ge(0))
    revision: int = attrs.field(default=0, validator=v.ge(0))
    tiers: tuple[str, ...] = ()
    directives: tuple[Directive, ...] = ()

    def __attrs_post_init__(self) -> None:
        if len({block.key for block in self.blocks}) < len(self.blocks):
            raise ValueError(f"the claim `{self.name}` covers a block twice")
        if any(block.size <= 0 for block in self.blocks):
            raise ValueError(f"the claim `{self.name}` covers a block without a size")
        if self.least is not None and self.least > len(self.blocks):
            raise ValueError(f"the claim `{self.name}` wants more blocks than it covers")

    @property
    def hard(self) -> bool:
        """Whether others are refused rather than a block of it lost."""
        return self.guarantee is Guarantee.HARD

    def priority_of(self, place: int) -> int:
        """Return the priority of the block at ``place``: of the last directive that covers it."""
        said = [each.priority for each in self.directives if each.start <= place < each.end]
        return said[-1] if said else self.priority

    def lasts_of(self, place: int) -> int:
        """Return how long the block at ``place`` is promised: by its directive, else the claim."""
        said = [each.lasts for each in self.directives if each.start <= place < each.end]
        lasts = said[-1] if said and said[-1] is not None else self.lasts
        return FOREVER if lasts is None else lasts


def dwell(name: str, holder: str, keys: tuple[Key, ...], steps: int) -> Terms:
    """Return the claim that keeps blocks for ``steps`` decode steps, on a clock that counts them.

    A dwell timer is a soft claim: not evicted in silence before its end, and free at it.
    Source: essay 002, primitive 1.
    """
    return Terms(name=name, holder=holder, blocks=tuple(map(Block, keys)), lasts=steps)
