"""A model's attention and what is promoted of a position into bytes."""

import attrs
from attrs import validators as v

from mirc.ir.enums import SinkGranularity


@attrs.frozen(kw_only=True)
class KvShape:
    """``layers`` x ``kv_heads`` x ``head_dim`` of keys and as many of values, ``element_bytes``."""

    layers: int = attrs.field(validator=v.gt(0))
    kv_heads: int = attrs.field(validator=v.gt(0))
    head_dim: int = attrs.field(validator=v.gt(0))
    element_bytes: int = attrs.field(default=2, validator=v.gt(0))

    @property
    def token_bytes(self) -> int:
        """KV bytes of one position, all layers and heads: 2 x L x H_kv x d x bytes."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.element_bytes

    def promoted_bytes(self, granularity: SinkGranularity, parts: int = 1) -> int:
        """Return the bytes of one position in ``parts`` layers, or heads of layers, or in all.

        Raises ValueError for more parts than there are.
        """
        whole = {
            SinkGranularity.ALL_LAYERS: 1,
            SinkGranularity.LAYER: self.layers,
            SinkGranularity.HEAD: self.layers * self.kv_heads,
        }[granularity]
        if not 1 <= parts <= whole:
            raise ValueError(f"a position has {whole} parts of {granularity}, not {parts}")
        return self.token_bytes // whole * parts


@attrs.frozen(kw_only=True)
class Ledger:
    """What one decode step of exact attention reads, and where from.

    Exact attention reads every key and value once a step: ``fast_bytes`` of ``total_bytes`` come
    from the fast memory, whatever ``mass`` they hold; mass saves no bytes.
    """

    total_bytes: int
    fast_bytes: int
    mass: float

    @property
    def saved_share(self) -> float:
        """Share of the bytes that near memory no longer reads."""
        return self.fast_bytes / self.total_bytes if self.total_bytes else 0.0


def ledger(shape: KvShape, context: int, positions: frozenset[int], mass: float) -> Ledger:
    """Account a step over ``context`` tokens with ``positions`` of them in the fast memory.

    ``mass`` is the share of attention that they were measured to receive. Any as many positions
    save the same bytes: that is the placebo. Raises ValueError for a position outside.
    """
    if any(not 0 <= position < context for position in positions):
        raise ValueError(f"positions lie outside of {context} tokens")
    return Ledger(
        total_bytes=context * shape.token_bytes,
        fast_bytes=len(positions) * shape.token_bytes,
        mass=mass,
    )
