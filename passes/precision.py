"""A storage's role into the element types that it may be held in, and the floor below them."""

from collections.abc import Iterator

import attrs

from mirc.graph import Program, Role, Split, Storage
from mirc.ir import Field
from mirc.ir.enums import DType, Level, ObjectClass, bits_of
from mirc.ir.names import reference
from mirc.passes.coalition import block_of
from mirc.passes.seeds import Options

STRUCTURE = 0.5
"""Confidence of a sensitivity that follows from a weight's place in the model alone (a guess)."""

_RUNGS = (DType.FLOAT32, DType.BFLOAT16, DType.FLOAT8_E4M3FN, DType.INT4)
_FLOATS = (DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16)
_FLOOR = {Level.LOW: DType.INT4, Level.MEDIUM: DType.FLOAT8_E4M3FN}
_JUDGED = (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT, ObjectClass.KV_BLOCK)


@attrs.frozen
class Precisions:
    """How narrow each storage may become, by its place in the model or by the caller's word.

    ``edges`` are storages that are gathered or that make the outputs (embeddings, the head),
    ``routers`` those with a row for each expert of their block's families.
    """

    options: Options
    edges: frozenset[int]
    routers: frozenset[int]

    def fields(self, storage: Storage, klass: ObjectClass) -> Iterator[Field]:
        """Yield ladder, floor and sensitivity of a weight or cache that is held as a float.

        Vectors (norms, biases) and routers keep their type; embeddings, the head and caches stop at
        8 bits, other matrices and experts at 4. A declared floor stands instead, and then nothing
        is said of sensitivity, which nobody measured. Sources of the order: Dettmers et al.,
        LLM.int8(), NeurIPS 2022 (which parts suffer first); Fedus et al., Switch Transformers,
        JMLR 2022, 2.4 (routers in full precision); Frantar et al., GPTQ, ICLR 2023 (4-bit weights);
        Liu et al., KIVI, ICML 2024 (caches).
        """
        if klass not in _JUDGED or storage.dtype not in _FLOATS:
            return
        own = DType(storage.dtype)
        level = self._level(storage)
        declared = self.options.floor_of(storage.name)
        floor = declared or _FLOOR.get(level, own)
        if bits_of(floor) > bits_of(own):
            floor = own
        if bits_of(floor) < bits_of(own):
            between = (rung for rung in _RUNGS if bits_of(floor) < bits_of(rung) < bits_of(own))
            ladder = (own, *between, floor)
            yield Field("precision_ladder", tuple(reference(rung) for rung in ladder))
        yield Field("precision_floor", reference(floor))
        if declared is None:
            yield Field("sensitivity", reference(level), STRUCTURE)

    def _level(self, storage: Storage) -> Level:
        if storage.role is Role.CACHE or storage.index in self.edges:
            return Level.MEDIUM
        if len(storage.shape) < 2 or storage.index in self.routers:
            return Level.HIGH
        return Level.LOW


def precisions(program: Program, options: Options, edges: frozenset[int]) -> Precisions:
    """Find the routers of a program; ``edges`` are known to the caller. Cost: O(storages)."""
    experts = {
        (block_of(storage.module), len(storage.parts))
        for storage in program.storages
        if storage.split is Split.EXPERTS
    }
    routers = frozenset(
        storage.index
        for storage in program.storages
        if storage.role is Role.PARAMETER
        and storage.split is Split.NONE
        and storage.shape
        and (block_of(storage.module), storage.shape[0]) in experts
    )
    return Precisions(options, edges, routers)
