"""Router shapes, and a trace where there is one, into the chance that an expert is used."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise

import attrs

from mirc.bounds.posterior import Seen, step_chance
from mirc.bounds.routing import chosen_probability, distinct_experts
from mirc.graph import Access, Program
from mirc.ir.enums import PhaseKind
from mirc.passes.base import Facts, Pass
from mirc.passes.observed_routing import ObservedRouter, Router, bind
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.routing_chances import beliefs, chances, likeness
from mirc.passes.routing_order import Follows, follows
from mirc.passes.seeds import Observed


@attrs.frozen(slots=True, kw_only=True)
class Routed:
    """One family of expert slices in one phase: ``tokens`` each choose ``top_k`` of ``experts``.

    ``shares`` are the chances that a run uses each slice, and ``confidences`` how likely each is to
    come out within a factor of 2, as observed; both are empty without a trace.
    """

    storage: int
    phase: str
    experts: int
    top_k: int
    tokens: int
    shares: tuple[float, ...] = ()
    confidences: tuple[float, ...] = ()

    @property
    def probability(self) -> float:
        """The chance that a slice is chosen by at least one token, over all slices alike."""
        if self.shares:
            return sum(self.shares) / len(self.shares)
        return chosen_probability(self.experts, self.top_k, self.tokens)

    @property
    def distinct(self) -> float:
        """The experts that one run of the step is expected to touch."""
        return self.experts * self.probability


@attrs.frozen
class Routing:
    """Routed families by (phase, storage); where a trace was given, what each router did in it.

    ``effect`` is how many tokens of the trace are worth one independent token.
    """

    routed: dict[tuple[str, int], Routed]
    observed: tuple[ObservedRouter, ...] = ()
    follows: tuple[Follows, ...] = ()
    effect: float = 1.0

    def probability(self, phase: str, storage: int) -> float:
        """Return the chance that a slice of ``storage`` is used in a run of ``phase``.

        What is not routed there is 1.0: it is read whole. Times the family's bytes, it is what a
        run is expected to read of it.
        """
        family = self.routed.get((phase, storage))
        return 1.0 if family is None else family.probability

    def shares(self, phase: str, storage: int) -> tuple[float, ...]:
        """Return the chances of each slice where they were observed, else nothing."""
        family = self.routed.get((phase, storage))
        return () if family is None else family.shares

    def share(self, phase: str, storage: int, part: int) -> float:
        """Return the chance that one slice is used: its own where it was observed."""
        family = self.routed.get((phase, storage))
        if family is None or not family.shares:
            return self.probability(phase, storage)
        return family.shares[part]

    @cached_property
    def distinct_by_batch(self) -> dict[int, float]:
        """The mean experts of a router that a batch of so many tokens touches, as observed."""
        believed = beliefs(self.observed, self.effect)
        return {
            batch: sum(float(step_chance(*each, batch).sum()) for each in believed) / len(believed)
            for batch in _BATCHES
            if believed
        }

    def sentences(self) -> Iterator[str]:
        """Yield a line for each distinct router shape of each phase, then what was observed."""
        shapes: dict[tuple[str, int, int, int], list[Routed]] = {}
        for family in self.routed.values():
            shape = (family.phase, family.experts, family.top_k, family.tokens)
            shapes.setdefault(shape, []).append(family)
        if not shapes:
            yield "nothing is routed"
        for (phase, experts, top_k, tokens), families in shapes.items():
            head = f"{phase}: {len(families)} families of {experts} experts, top {top_k}, {tokens}"
            prior = distinct_experts(experts, top_k, tokens)
            if self.observed:
                shares = [share for family in families for share in family.shares]
                yield (
                    f"{head} tokens: used with probability {min(shares):.4f} to {max(shares):.4f}, "
                    f"{sum(shares) / len(families):.1f} distinct (a uniform router: {prior:.1f})"
                )
            else:
                share = chosen_probability(experts, top_k, tokens)
                yield (
                    f"{head} tokens: each used with probability {share:.4f}, {prior:.1f} distinct "
                    "(a uniform prior: no routing was observed)"
                )
        yield from self._observed_sentences()

    def _observed_sentences(self) -> Iterator[str]:
        if not self.observed:
            return
        tokens = min(len(router.chosen) for router in self.observed)
        yield (
            f"observed: {tokens} tokens in {len(self.observed)} routers, {self.effect:.2f} of them "
            "worth one independent token"
        )
        counts = (f"{found:.1f} at {batch}" for batch, found in self.distinct_by_batch.items())
        yield f"distinct experts of a router by tokens in the batch: {', '.join(counts)}"
        if self.follows:
            helps = [each for each in self.follows if each.helps]
            gain = sum(each.gain_nats for each in self.follows) / len(self.follows)
            yield (
                f"the layer before tells of the next in {len(helps)} of {len(self.follows)} pairs: "
                f"held-out tokens are {gain:+.3f} nats likelier"
            )


_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class ExpertRouting(Pass[Routing]):
    """Give every expert slice the probability that a run of the phase uses it.

    Without a trace: each of n tokens draws k of E experts, all sets alike; a given expert is spared
    by all of them with probability (1 - k/E)^n, so it is used with 1 - (1 - k/E)^n, and E times
    that many are distinct. The prior is uniform; real routers are skewed and correlated, so its
    confidence is low. With one: each expert's chance has a beta posterior, whose prior is the
    uniform router, worth as many tokens as makes all counts of the layer likeliest; tokens count by
    the trace's design effect, since those of a request resemble each other, and n consecutive
    tokens as the independent ones that choose as many distinct experts. The confidence is the
    chance, by that posterior and over requests as alike as the trace's, that the share of the
    phase's runs that use the expert lies within a factor of 2 of the probability. Whether the
    choice of the layer before makes held-out tokens likelier is tested for each pair of layers;
    where it does, the coalition pass has the chances.

    reads:   Phases, Observed
    writes:  Routing, a probability for each (phase, routed storage), of each slice with a trace
    cost:    O(uses); with a trace O(layers x (tokens x k^2 + experts^2))
    source:  Stadje, Advances in Applied Probability 22(4), 1990: collecting coupons k at a time;
             Griffiths, Biometrics 29(4), 1973: the beta-binomial; Kish, Survey Sampling, 1965:
             the design effect
    """

    name = "expert-routing"
    reads = (Phases, Observed)
    writes = Routing

    def run(self, program: Program, facts: Facts) -> Routing:
        """Establish Routing; raises CouldNotRun where the trace is of another model."""
        phases = facts[Phases].phases
        routed = {
            (phase.name, family.storage): family
            for phase in phases
            for family in _families(program, phase)
        }
        trace = facts[Observed].routing
        if trace is None:
            return Routing(routed)
        observed = bind(_routers(program, routed), trace)
        effect, correlation = likeness(observed)
        of_storage = {index: each for each in observed for index in each.router.storages}
        by_name = {phase.name: phase for phase in phases}
        seen: dict[tuple[str, str], tuple[tuple[float, ...], tuple[float, ...]]] = {}
        for (name, storage), family in routed.items():
            each, phase = of_storage[storage], by_name[name]
            key = (name, each.router.module)
            if key not in seen:
                seen[key] = chances(
                    each,
                    effect,
                    batch=phase.graph.batch,
                    tokens=phase.graph.tokens,
                    seen=Seen(
                        runs=phase.runs,
                        draws=phase.graph.batch,
                        lasting=phase.kind is PhaseKind.DECODE,
                        correlation=correlation,
                    ),
                )
            shares, confidences = seen[key]
            routed[name, storage] = attrs.evolve(family, shares=shares, confidences=confidences)
        pairs = (follows(a, b, effect) for a, b in pairwise(observed))
        return Routing(routed, observed, tuple(pair for pair in pairs if pair is not None), effect)

    def unbounded(self, facts: Facts) -> str:
        """Return what chances were held against, there being none that is the best."""
        routing = facts[Routing]
        if not routing.routed:
            return "nothing is routed"
        if not routing.observed:
            return "chances are those of a uniform router: no routing was observed to test them"
        if not routing.follows:
            return "chances are estimates, and too little was observed to hold any of it out"
        gain = sum(each.gain_nats for each in routing.follows) / len(routing.follows)
        return (
            f"chances are estimates: by the choice of the layer before, held-out tokens are "
            f"{gain:+.3f} nats likelier in the mean of {len(routing.follows)} pairs of layers"
        )


def _families(program: Program, phase: PhaseFact) -> Iterator[Routed]:
    for touches in phase.table.reads:
        for touch in touches:
            parts = program.storages[touch.storage].parts
            if touch.access is Access.ROUTED and parts:
                yield Routed(
                    storage=touch.storage,
                    phase=phase.name,
                    experts=len(parts),
                    top_k=min(touch.top_k, len(parts)),
                    tokens=phase.graph.batch * phase.graph.tokens,
                )


def _routers(program: Program, routed: Mapping[tuple[str, int], Routed]) -> dict[str, Router]:
    """Return the routers in the order of their storages: one for all families of a module."""
    by_storage = {storage: family for (_, storage), family in routed.items()}
    found: dict[str, Router] = {}
    for index, family in sorted(by_storage.items()):
        module = program.storages[index].module
        before = found.get(module)
        found[module] = Router(
            module=module,
            storages=(*(before.storages if before else ()), index),
            experts=family.experts,
            top_k=family.top_k,
        )
    return found
