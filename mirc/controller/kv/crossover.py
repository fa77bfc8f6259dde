"""Loading a block's keys and values against computing them again: which costs less, and where."""

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class Recompute:
    """What bringing a token's keys and values back costs either way.

    ``kv_bytes`` a token, of all layers; ``parameters`` are those that a token passes (of a mixture
    of experts, the active ones); ``flops_per_s`` and ``load_bytes_per_s`` are what is reached, not
    what a datasheet says.
    """

    kv_bytes: float = attrs.field(validator=v.gt(0))
    parameters: float = attrs.field(validator=v.gt(0))
    flops_per_s: float = attrs.field(validator=v.gt(0))
    load_bytes_per_s: float = attrs.field(validator=v.ge(0))

    @property
    def recompute_s(self) -> float:
        """Seconds to compute a token again: 2 operations a parameter, attention left out."""
        return 2 * self.parameters / self.flops_per_s

    @property
    def load_s(self) -> float:
        """Seconds to load what it left; infinite without a link."""
        return self.kv_bytes / self.load_bytes_per_s if self.load_bytes_per_s else float("inf")

    @property
    def crossover_bytes_per_s(self) -> float:
        """The rate above which loading wins: kv_bytes x FLOP/s / 2 P.

        Long prompts cost attention besides, which grows with the square of their length: there
        loading wins earlier than this says.
        """
        return self.kv_bytes * self.flops_per_s / (2 * self.parameters)

    @property
    def loads(self) -> bool:
        """Whether loading is worth it; equal costs are computed, which takes no room below."""
        return self.load_s < self.recompute_s
