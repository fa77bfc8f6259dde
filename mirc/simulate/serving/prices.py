"""A file's arithmetic and weights and a machine into what serving a token costs."""

from mirc.controller.kv.groups import GroupKind
from mirc.ir import Module
from mirc.ir.enums import ObjectClass, WorkKind
from mirc.ir.meaning import PerSequence
from mirc.ir.module import Phase, Step
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.machine.roofline import compute_seconds, memory_seconds
from mirc.simulate.reading import Reader, batch_of
from mirc.simulate.serving.caches import Caches, prompt_phase
from mirc.simulate.serving.cost import ATTO, Cost, Experts

_WEIGHTS = (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT)


def cost_of(module: Module, machine: Machine, caches: Caches) -> Cost:
    """Read what a token costs off the phase that computes prompts.

    Attention that the file counts by the sequence grows with the tokens before: one pair costs what
    the captured batch declares, over its pairs. All other arithmetic is the tokens' own. Weights
    that no step reads whole (embedding tables) are not read. A file without steps has no arithmetic
    and reads all its weights.
    """
    phase = prompt_phase(module)
    byte_as = memory_seconds(machine, 1) * ATTO
    own = 0.0
    pairs = [0.0] * len(caches.groups)
    dense: int = caches.weights_bytes
    experts: tuple[Experts, ...] = ()
    if phase is not None:
        own = _arithmetic(module, machine, caches, phase, pairs)
        dense, experts = _weights(Reader(module), phase, caches, byte_as)
    grows = [group.kind is not GroupKind.RECURRENT for group in caches.groups]
    sizes = [group.size for group in caches.groups]
    bytes_as = [size / caches.block_tokens * byte_as for size in sizes]
    states = sum(size for size, more in zip(sizes, grows, strict=True) if not more)
    return Cost(
        token_as=round(own),
        pair_as=tuple(map(round, pairs)),
        cached_as=tuple(
            round(each) if more else 0 for each, more in zip(bytes_as, grows, strict=True)
        ),
        fixed_as=round(2 * states * byte_as),
        windows=caches.windows,
        dense_as=round(dense * byte_as),
        experts=experts,
    )


def _arithmetic(
    module: Module, machine: Machine, caches: Caches, phase: Phase, pairs: list[float]
) -> float:
    """Return the attoseconds of a token's own arithmetic; add those of a pair to its group."""
    batch = batch_of(phase)
    dtype = (read(module.info, "dtype") if module.info is not None else None) or "bfloat16"
    tokens = batch.sequences * batch.tokens
    own = 0.0
    for step in phase.steps:
        flops, work = read(step, "flops"), read(step, "work")
        spent = compute_seconds(machine, batch.amount(flops), work.value, dtype) * ATTO
        group = _attended(step, caches)
        if work is WorkKind.ATTENTION and isinstance(flops, PerSequence) and group is not None:
            pairs[group] += spent / (tokens * (batch.context + batch.tokens))
        else:
            own += spent / tokens
    return own


def _attended(step: Step, caches: Caches) -> int | None:
    """Return the group of the cache that a step reads; of several, the first that grows."""
    groups = (caches.layers.get(access.name) for access in read(step, "reads") or ())
    grows = (each for each in groups if each is not None)
    return next((n for n in grows if caches.groups[n].kind is not GroupKind.RECURRENT), None)


def _weights(
    reader: Reader, phase: Phase, caches: Caches, byte_as: float
) -> tuple[int, tuple[Experts, ...]]:
    """Return the bytes of weights that every batch reads, and the routed families beside."""
    dense: dict[str, int] = {}
    experts: dict[tuple[int, int], int] = {}  # bytes of the families that are routed alike
    found = False
    for step in phase.steps:
        for access in read(step, "reads") or ():
            parts = _parts(reader, access.name)
            found = found or bool(parts)
            if access.top_k is not None and parts:
                alike = len(parts), access.top_k
                experts[alike] = experts.get(alike, 0) + sum(parts.values())
            elif access.touched is None:
                dense |= parts
    routed = tuple(
        Experts(parts=parts, chosen=chosen, read_as=round(size * byte_as))
        for (parts, chosen), size in experts.items()
    )
    return sum(dense.values()) if found else caches.weights_bytes, routed


def _parts(reader: Reader, name: str) -> dict[str, int]:
    """Return the bytes of the weights that a name stands for; nothing where it is none."""
    view = reader.view
    if name not in reader.module.objects and name not in reader.families:
        return {}
    sizes = {
        part: view.value(part, "size_bytes")
        for part in reader.parts(name)
        if view.class_of(part) in _WEIGHTS
    }
    return {part: size for part, size in sizes.items() if isinstance(size, int)}
