"""Router shapes into the probability that an expert is used in a step."""

from collections.abc import Iterator

import attrs

from mirc.bounds.routing import chosen_probability, distinct_experts
from mirc.graph import Access, Program
from mirc.passes.base import Facts, Pass
from mirc.passes.phase_annotator import Phases


@attrs.frozen(slots=True, kw_only=True)
class Routed:
    """One family of expert slices in one phase: ``tokens`` each choose ``top_k`` of ``experts``."""

    storage: int
    phase: str
    experts: int
    top_k: int
    tokens: int

    @property
    def probability(self) -> float:
        """The chance that a given expert is chosen by at least one token."""
        return chosen_probability(self.experts, self.top_k, self.tokens)

    @property
    def distinct(self) -> float:
        """The experts that one run of the step is expected to touch."""
        return distinct_experts(self.experts, self.top_k, self.tokens)


@attrs.frozen
class Routing:
    """Routed families by (phase, storage)."""

    routed: dict[tuple[str, int], Routed]

    def probability(self, phase: str, storage: int) -> float:
        """Return the chance that a slice of ``storage`` is used in a run of ``phase``.

        What is not routed there is 1.0: it is read whole.
        """
        family = self.routed.get((phase, storage))
        return 1.0 if family is None else family.probability

    def sentences(self) -> Iterator[str]:
        """Yield a line for each distinct router shape of each phase."""
        shapes: dict[tuple[str, int, int, int], int] = {}
        for family in self.routed.values():
            shape = (family.phase, family.experts, family.top_k, family.tokens)
            shapes[shape] = shapes.get(shape, 0) + 1
        if not shapes:
            yield "nothing is routed"
        for (phase, experts, top_k, tokens), count in shapes.items():
            share = chosen_probability(experts, top_k, tokens)
            distinct = distinct_experts(experts, top_k, tokens)
            yield (
                f"{phase}: {count} families of {experts} experts, top {top_k}, {tokens} tokens: "
                f"each used with probability {share:.4f}, {distinct:.1f} distinct "
                "(a uniform prior: no routing was observed)"
            )


class ExpertRouting(Pass[Routing]):
    """Give every expert slice the probability that a run of the phase uses it.

    Each of n tokens draws k of E experts, all sets alike: a given expert is spared by all of them
    with probability (1 - k/E)^n, so it is used with 1 - (1 - k/E)^n, and E times that many are
    distinct. The prior is uniform; real routers are skewed and correlated, so its confidence is
    low until routing is observed.

    reads:   Phases
    writes:  Routing, a probability for each (phase, routed storage)
    cost:    O(uses)
    source:  Stadje, Advances in Applied Probability 22(4), 1990: collecting coupons k at a time
    """

    name = "expert-routing"
    reads = (Phases,)
    writes = Routing

    def run(self, program: Program, facts: Facts) -> Routing:
        """Establish Routing."""
        routed: dict[tuple[str, int], Routed] = {}
        for phase in facts[Phases].phases:
            for touches in phase.table.reads:
                for touch in touches:
                    parts = program.storages[touch.storage].parts
                    if touch.access is Access.ROUTED and parts:
                        routed[phase.name, touch.storage] = Routed(
                            storage=touch.storage,
                            phase=phase.name,
                            experts=len(parts),
                            top_k=min(touch.top_k, len(parts)),
                            tokens=phase.graph.batch * phase.graph.tokens,
                        )
        return Routing(routed)
