"""Facts into the fields of every object, and what each phase changes of them."""

from collections.abc import Iterator

import attrs

from mirc.graph import Program, Role
from mirc.ir import Field
from mirc.ir.enums import ObjectClass
from mirc.passes.base import Facts, Pass
from mirc.passes.expert_routing import Routing
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.reuse import Reuse
from mirc.passes.rules import SINKS, Rules
from mirc.passes.seeds import Options
from mirc.passes.slice_fields import changes, replaced


@attrs.frozen(slots=True)
class Intent:
    """What is declared of one storage: ``fields`` without ``size_bytes``, the class first.

    Parts of one storage share them, but ``slices`` are each its own where they were observed.
    ``template`` says that the run makes instances.
    """

    klass: ObjectClass
    fields: tuple[Field, ...]
    template: bool
    slices: tuple[tuple[Field, ...], ...] = ()


@attrs.frozen
class Annotated:
    """Intents by storage, and overrides by phase and storage.

    ``sink_bytes`` are what the caches with ``sink_tokens`` hold of one token, over all layers.
    ``slice_overrides`` are by phase, storage and part: slices that change unlike their family.
    """

    intents: dict[int, Intent]
    overrides: dict[str, dict[int, tuple[Field, ...]]]
    counts: dict[ObjectClass, int]
    sink_bytes: int
    slice_overrides: dict[str, dict[tuple[int, int], tuple[Field, ...]]]

    def sentences(self) -> Iterator[str]:
        """Yield objects by class and overrides by phase."""
        for klass in ObjectClass:
            if klass in self.counts:
                yield f"{self.counts[klass]} objects or templates of class {klass.value}"
        if self.sink_bytes:
            yield (
                f"promoting one sink token moves {self.sink_bytes:_} bytes over all layers, the "
                f"{len(SINKS)} expected ones {len(SINKS) * self.sink_bytes:_}"
            )
        for phase, changed in self.overrides.items():
            keys = sorted({field.key for fields in changed.values() for field in fields})
            if keys:
                yield f"{phase}: {len(changed)} storages change in {', '.join(keys)}"


class Annotate(Pass[Annotated]):
    """Choose the fields of every object from what the passes before it found.

    A class follows from the storage's role: parameters are WEIGHT_TILE, or EXPERT_WEIGHT where they
    are sliced by expert; caches KV_BLOCK templates of one block of tokens; outputs, and activations
    that outlive the block that made them, ACTIVATION; other activations that cross a step
    ACTIVATION_TEMP. Weights and caches that a step waits for have HARD deadlines and spill under
    severe pressure only; experts may spill; activations that are cheap to make again are dropped
    rather than spilled. Estimates (uses, windows, probabilities) carry a confidence: 1.0 where the
    schedule is static, 0.5 for the uniform routing prior; contracts carry none. A phase overrides
    only what differs in it: what it does not use may spill and has no deadline, a cache that it
    only fills has a SOFT one, and routing probabilities follow its tokens. A weight that no phase
    uses is an object all the same, with a reuse of 0. Precision ladders and
    floors follow from a weight's place (norms, biases and routers keep their type, embeddings, the
    head and caches stop at 8 bits, other matrices at 4), a guess on the safe side, or from declared
    floors. Caches that grow lie in pieces (keys, values) and expect attention sinks at their first
    positions; what backward needs lives to the update; what a collective reduces stays until it has
    completed; integer state is a METADATA_PAGE.

    reads:   Phases, Live, Routing, Reuse, Recomputation, Options
    writes:  Annotated, fields by storage and overrides by phase
    cost:    O(storages x phases)
    source:  the field table of the language; its class defaults are not repeated, with the
             exception of those that a reader looks for
    """

    name = "annotate"
    reads = (Phases, Live, Routing, Reuse, Recomputation, Options)
    writes = Annotated

    def run(self, program: Program, facts: Facts) -> Annotated:
        """Establish Annotated."""
        rules = Rules.of(program, facts)
        intents: dict[int, Intent] = {}
        counts: dict[ObjectClass, int] = {}
        for phase in facts[Phases].by_weight:
            for index in facts[Live].phases[phase.name].lives:
                if index in intents:
                    continue
                storage = program.storages[index]
                klass = rules.class_of(storage, phase)
                fields = tuple(rules.fields(storage, klass, phase))
                intents[index] = Intent(
                    klass=klass,
                    fields=fields,
                    template=storage.role in (Role.CACHE, Role.STATE),
                    slices=tuple(replaced(fields, own) for own in rules.of_slices(index, phase)),
                )
                counts[klass] = counts.get(klass, 0) + max(1, len(storage.parts))
        for storage in program.storages:  # a weight that no phase uses still has its bytes
            if storage.role is Role.PARAMETER and storage.index not in intents:
                intents[storage.index] = Intent(
                    klass=ObjectClass.WEIGHT_TILE,
                    fields=tuple(rules.unused(storage)),
                    template=False,
                )
                tiles = counts.get(ObjectClass.WEIGHT_TILE, 0)
                counts[ObjectClass.WEIGHT_TILE] = tiles + max(1, len(storage.parts))
        return Annotated(
            dict(sorted(intents.items())),
            {
                phase.name: _overrides(program, facts, phase, intents, rules)
                for phase in facts[Phases].phases
            },
            counts,
            sum(program.storages[index].per_token_bytes for index in intents if rules.sinks(index)),
            {
                phase.name: _slice_overrides(facts, phase, intents, rules)
                for phase in facts[Phases].phases
            },
        )

    def unbounded(self, facts: Facts) -> str:
        """Return that this follows from what was found, and is not chosen."""
        del facts
        return "fields follow by rules from the facts above: nothing is searched for"


def _overrides(
    program: Program,
    facts: Facts,
    phase: PhaseFact,
    intents: dict[int, Intent],
    rules: Rules,
) -> dict[int, tuple[Field, ...]]:
    changed: dict[int, list[Field]] = {}
    for index in phase.idle:
        changed[index] = list(rules.idle(intents[index].klass))
    for index in phase.filled:
        if program.storages[index].role is Role.CACHE:
            changed.setdefault(index, []).extend(rules.filled())
    for index in sorted(rules.gathered[phase.name]):
        if program.storages[index].parts:  # how many tiles rows come from follows the tokens
            changed.setdefault(index, []).extend(
                field
                for field in rules.reuse_of(index, phase)
                if field not in intents[index].fields
            )
    for name, index in facts[Routing].routed:
        if name == phase.name:
            own = rules.of_slices(index, phase)
            if own:  # observed: what most slices change; the others say it themselves
                changed.setdefault(index, []).extend(changes(intents[index].slices, own)[0])
                continue
            fields = (rules.probability(index, phase), *rules.reuse_of(index, phase))
            changed.setdefault(index, []).extend(
                field for field in fields if field not in intents[index].fields
            )
    return {index: tuple(fields) for index, fields in sorted(changed.items()) if fields}


def _slice_overrides(
    facts: Facts, phase: PhaseFact, intents: dict[int, Intent], rules: Rules
) -> dict[tuple[int, int], tuple[Field, ...]]:
    return {
        (index, part): fields
        for name, index in sorted(facts[Routing].routed)
        if name == phase.name
        for part, fields in changes(intents[index].slices, rules.of_slices(index, phase))[1].items()
    }
