"""One storage and what is known of it into its fields: the rules of the annotate pass."""

from collections.abc import Iterator, Mapping
from math import ceil, prod

import attrs

from mirc.bounds.routing import chosen_probability
from mirc.graph import Access, Program, Role, Split, Storage
from mirc.ir import Call, Field, Name
from mirc.ir.enums import DType, ObjectClass, Recompute, bits_of
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.names import reference
from mirc.passes.base import Facts
from mirc.passes.coalition import block_of
from mirc.passes.expert_routing import Routing
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import PhaseFact, Phases, WindowKind
from mirc.passes.precision import STRUCTURE, Precisions, precisions
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.reuse import Reuse
from mirc.passes.scale import joint_amount, row_scale
from mirc.passes.seeds import Options
from mirc.passes.slice_fields import slice_fields

STATIC = 1.0
"""Confidence of what follows from a static schedule."""
PRIOR = 0.5
"""Confidence of a uniform routing prior: real routers are skewed, many experts by more than two."""
PORTABLE = {Recompute.CHEAP: 0.28, Recompute.MODERATE: 0.43, Recompute.EXPENSIVE: 0.99}
"""Confidence that a class found on the reference machine is that of another: how often it was on
the machines that ship, over six presets (benchmarks/calibration.py). What is dear to make again is
so everywhere; what is cheap or not turns on the link."""
SINKS = (0, 1, 2, 3)
"""Positions that attract attention whatever they hold: Xiao et al., StreamingLLM, ICLR 2024."""

_CLASS_OF = {
    Role.PARAMETER: ObjectClass.WEIGHT_TILE,
    Role.BUFFER: ObjectClass.CONSTANT,
    Role.CONSTANT: ObjectClass.CONSTANT,
    Role.INPUT: ObjectClass.INPUT,
    Role.CACHE: ObjectClass.KV_BLOCK,
    Role.STATE: ObjectClass.RECURRENT_STATE,
    Role.ACTIVATION: ObjectClass.ACTIVATION_TEMP,
    Role.OUTPUT: ObjectClass.ACTIVATION,
    Role.SAVED: ObjectClass.ACTIVATION,
    Role.CHECKPOINT: ObjectClass.CHECKPOINT_FRAGMENT,
    Role.GRADIENT: ObjectClass.GRADIENT_SHARD,
    Role.OPTIMIZER: ObjectClass.OPTIMIZER_STATE,
}
_WEIGHTS = (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT)
_DROPPABLE = (Recompute.FREE, Recompute.CHEAP)
# Class defaults that are written all the same: what a reader of the file looks for first.
_SHOWN = {
    ObjectClass.WEIGHT_TILE: ("mutability", "backing"),
    ObjectClass.EXPERT_WEIGHT: ("mutability", "backing"),
}
_TRAINED = (Field("mutability", Name("MUTABLE")), Field("write_policy", Name("WRITE_BACK")))
"""What replaces these for weights that a phase changes."""
_SHOWN_LAST = {
    ObjectClass.WEIGHT_TILE: (
        "preferred_tiers",
        "fallback_tiers",
        "spill_policy",
        "deadline_class",
    ),
    ObjectClass.EXPERT_WEIGHT: (
        "preferred_tiers",
        "fallback_tiers",
        "spill_policy",
        "deadline_class",
    ),
    ObjectClass.KV_BLOCK: ("preferred_tiers", "spill_policy", "deadline_class"),
}
_DTYPES = frozenset(FIELD_BY_KEY["dtype"].type.words)


@attrs.frozen
class Rules:
    """The facts that rules look at."""

    program: Program
    phases: Phases
    live: Live
    routing: Routing
    reuse: Reuse
    recomputation: Recomputation
    options: Options
    gathered: dict[str, frozenset[int]]
    precisions: Precisions
    reduced: frozenset[int]

    @classmethod
    def of(cls, program: Program, facts: Facts) -> "Rules":
        """Collect them."""
        phases = facts[Phases].phases
        gathered = {phase.name: _gathered(phase) for phase in phases}
        edges = frozenset().union(*gathered.values(), *map(_heads, phases))
        return cls(
            program,
            facts[Phases],
            facts[Live],
            facts[Routing],
            facts[Reuse],
            facts[Recomputation],
            facts[Options],
            gathered,
            precisions(program, facts[Options], edges),
            frozenset(index for phase in phases for index in phase.reduced),
        )

    def class_of(self, storage: Storage, phase: PhaseFact) -> ObjectClass:
        """Return the class of a storage that is first seen in ``phase``; a declared one stands."""
        if storage.name in self.options.classes:
            return self.options.classes[storage.name]
        if storage.role is Role.PARAMETER and storage.split is Split.EXPERTS:
            return ObjectClass.EXPERT_WEIGHT
        if storage.role in (Role.BUFFER, Role.STATE) and storage.mutated:
            counts = storage.dtype.startswith(("int", "uint"))  # positions, page numbers
            return ObjectClass.METADATA_PAGE if counts else ObjectClass.RECURRENT_STATE
        if storage.role is Role.ACTIVATION:
            life = self.live.phases[phase.name].lives[storage.index]
            if _block(phase, life.first) != _block(phase, life.last):
                return ObjectClass.ACTIVATION
        return _CLASS_OF[storage.role]

    def fields(self, storage: Storage, klass: ObjectClass, phase: PhaseFact) -> Iterator[Field]:
        """Yield all fields but the size, the class first; ``phase`` is the one that runs most."""
        yield Field("class", Name(klass.value))
        if storage.dtype in _DTYPES:
            yield Field("dtype", reference(storage.dtype))
        yield from self.precisions.fields(storage, klass)
        yield from _TRAINED if storage.mutated and klass in _WEIGHTS else _shown(klass, _SHOWN)
        if storage.role is Role.CACHE:
            yield from self._cache(storage)
        elif storage.role is Role.STATE:
            yield Field("instance", (Name("SEQUENCE"),))
        elif storage.role is Role.SAVED:
            yield Field("persistence_scope", Name("UPDATE_WINDOW"))
        elif storage.role in (Role.ACTIVATION, Role.OUTPUT):
            yield from self._made(storage, klass, phase)
        elif storage.index in self.reduced:
            bucket = reference(storage.name)
            yield Field("anti_evict_rule", Call("UNTIL_ALLREDUCE_COMPLETE", (bucket,)))
        if klass in (*_WEIGHTS, ObjectClass.KV_BLOCK):
            yield from self.reuse_of(storage.index, phase)
        if klass is ObjectClass.EXPERT_WEIGHT and (phase.name, storage.index) in (
            self.routing.routed
        ):
            yield self.probability(storage.index, phase)
        yield from _shown(klass, _SHOWN_LAST)

    def sinks(self, index: int) -> bool:
        """Say whether a storage is a cache that keeps its first tokens: attention sinks."""
        storage = self.program.storages[index]
        grows = storage.role is Role.CACHE and storage.per_token_bytes > 0
        return grows and not storage.window_tokens

    def probability(self, storage: int, phase: PhaseFact) -> Field:
        """Return the routing prior of a family in a phase."""
        share = self.routing.probability(phase.name, storage)
        return Field("route_probability", float(f"{share:.4g}"), PRIOR)

    def of_slices(self, index: int, phase: PhaseFact) -> tuple[tuple[Field, ...], ...]:
        """Return what was observed of each slice of a family in a phase, if anything was."""
        family = self.routing.routed.get((phase.name, index))
        if family is None or not family.shares:
            return ()
        steps = len(phase.table.used_in[index])
        return slice_fields(family, steps, len(phase.graph.steps) if phase.repeats else 0)

    def idle(self, klass: ObjectClass) -> Iterator[Field]:
        """Yield what changes for a storage that a phase does not use."""
        for key, word in (("spill_policy", "ALLOW"), ("deadline_class", "NONE")):
            if FIELD_BY_KEY[key].default_for(klass) != Name(word):
                yield Field(key, Name(word))

    def unused(self, storage: Storage) -> Iterator[Field]:
        """Yield all fields but the size of a parameter that no phase uses."""
        klass = ObjectClass.WEIGHT_TILE
        yield Field("class", Name(klass.value))
        if storage.dtype in _DTYPES:
            yield Field("dtype", reference(storage.dtype))
        yield from _shown(klass, _SHOWN)
        yield Field("reuse", 0.0, STATIC)
        yield from self.idle(klass)

    def filled(self) -> Iterator[Field]:
        """Yield what changes for a cache in a phase that only fills it: nothing waits for it."""
        yield Field("deadline_class", Name("SOFT"))

    def _cache(self, storage: Storage) -> Iterator[Field]:
        if not storage.per_token_bytes:  # what a decoder reads of its encoder: it does not grow
            yield Field("mutability", Name("WRITE_ONCE"))
            yield Field("instance", (Name("SEQUENCE"),))
            return
        yield Field("mutability", Name("APPEND"))
        yield Field("instance", (Name("SEQUENCE"), Name("BLOCK")))
        yield Field("block_tokens", self.options.block_tokens)
        pieces = _fragments(storage, self.phases)
        if pieces > 1:
            each = storage.per_token_bytes * self.options.block_tokens // pieces
            yield Field("layout", Call("PAGED", (pieces, each)))
        if self.sinks(storage.index):
            yield Field("sink_tokens", SINKS, STRUCTURE)
        if storage.window_tokens:
            yield Field("retire", Call("WINDOW", (storage.window_tokens,)))
        yield Field("sharing_scope", Name("PREFIX"))
        yield Field("anti_evict_rule", Name("WHILE_FANOUT_GT_1"))
        flops = self.recomputation.of(storage.index).flops
        if flops is not None:
            yield Field("recompute_flops", Call("PER_TOKEN", (flops,)), STATIC)

    def _made(self, storage: Storage, klass: ObjectClass, phase: PhaseFact) -> Iterator[Field]:
        life = self.live.phases[phase.name].lives[storage.index]
        names = [step.name for step in phase.graph.steps]
        reads = [s for s in phase.table.used_in[storage.index] if s != life.first]
        yield Field("created", reference(names[life.first]), STATIC)
        if reads:
            first = phase.table.first_read.get(storage.index, reads[0])  # or the step that makes it
            yield Field("earliest_use", reference(names[max(first, life.first)]), STATIC)
            yield Field("latest_use", reference(names[reads[-1]]), STATIC)
        yield Field("reuse", float(len(reads)), STATIC)
        cost = self.recomputation.of(storage.index)
        if Name(cost.portable.value) != FIELD_BY_KEY["recompute_class"].default_for(klass):
            confidence = PORTABLE.get(cost.portable, STATIC)
            yield Field("recompute_class", Name(cost.portable.value), confidence)
        if cost.flops is not None:
            scales = {row_scale(storage, phase.graph)}
            flops = joint_amount(cost.flops, scales, phase.graph)
            yield Field("recompute_flops", flops, STATIC)
        if cost.portable in _DROPPABLE and reads:
            yield Field("spill_policy", Name("DROP_RECOMPUTE"))

    def reuse_of(self, index: int, phase: PhaseFact) -> Iterator[Field]:
        """Yield how often a phase's run uses a storage, and how many steps lie between uses."""
        storage = self.program.storages[index]
        used = self.reuse.phases[phase.name].reused.get(storage.index)
        if used is None:
            return
        routed = (phase.name, storage.index) in self.routing.routed
        uses = used.uses_per_run
        gathered = storage.index in self.gathered[phase.name] and bool(storage.parts)
        if gathered:  # a token's row lies in one of the tiles, all alike
            tokens = phase.graph.batch * phase.graph.tokens
            uses = chosen_probability(len(storage.parts), 1, tokens)
        confidence = PRIOR if routed or gathered else STATIC
        if uses == 1:
            yield Field("reuse", Call("EVERY", (Name("ITERATION"),)), confidence)
        else:
            yield Field("reuse", float(f"{uses:.4g}"), confidence)
        if phase.repeats and uses:
            window = len(phase.graph.steps) / uses
            yield Field("reuse_window", float(f"{window:.4g}"), confidence)


def _fragments(storage: Storage, phases: Phases) -> int:
    """Return in how many pieces a block lies: keys and values, a latent and its rotary part.

    A cache has the shape of its first part, at the first capture's tokens.
    """
    for phase in phases.phases:
        if storage.index in phase.table.used_in:
            graph = phase.graph
            whole = storage.per_token_bytes * graph.batch * (graph.past or graph.tokens)
            first = prod(storage.shape) * bits_of(DType(storage.dtype)) // 8
            return max(1, ceil(whole / first - 0.01)) if first else 1
    return 1


def _heads(phase: PhaseFact) -> frozenset[int]:
    """Return what the steps that make the phase's outputs read."""
    spans = [w for w in phase.windows if w.kind is WindowKind.HEAD]
    return frozenset(
        touch.storage
        for window in spans
        for reads in phase.table.reads[window.first : window.last + 1]
        for touch in reads
    )


def _shown(klass: ObjectClass, table: Mapping[ObjectClass, tuple[str, ...]]) -> Iterator[Field]:
    for key in table.get(klass, ()):
        default = FIELD_BY_KEY[key].default_for(klass)
        if default is not None:
            yield Field(key, default)


def _gathered(phase: PhaseFact) -> frozenset[int]:
    """Return the storages of which the phase only ever gathers rows."""
    touches = [touch for step in phase.table.reads for touch in step]
    whole = {touch.storage for touch in touches if touch.access is not Access.TOUCH}
    return frozenset(touch.storage for touch in touches) - whole


def _block(phase: PhaseFact, step: int) -> str:
    return block_of(phase.graph.nodes[phase.graph.steps[step].first].module)
