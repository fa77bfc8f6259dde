"""A module into the references that its values and overrides make, each to what it names."""

from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.index import Index
from mirc.ir.module import Block, Field, Module, Phase, Plan, PlanPhase, Signal
from mirc.ir.types import NAMELESS, RefKind

Steps = frozenset[str] | None


def count_references(module: Module) -> int:
    """Return how many names in values, and of overrides, are found among the declarations."""
    counter = _Counter(Index(module.declarations))
    blocks: tuple[Block, ...] = module.declarations
    if module.info is not None:
        blocks = (module.info, *blocks)
    return sum(map(counter.block, blocks))


class _Counter:
    """Looks each field up once for each phase around it: equal lines share one node."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._counted: dict[int, dict[int, int]] = {}  # by steps, then by field

    def block(self, block: Block, steps: Steps = None) -> int:
        """Count what a block and the blocks in it refer to."""
        if isinstance(block, Phase | PlanPhase):
            steps = self.index.steps.get(block.name, steps)
        count = self.fields(block.fields, steps)
        if isinstance(block, Phase | Signal | Plan | PlanPhase):
            for override in block.overrides:
                count += self.index.knows(RefKind.DATA, override.name, None)
                count += self.fields(override.fields, steps)
        if isinstance(block, PlanPhase):
            count += self.index.knows(RefKind.PHASE, block.name, None)
        if isinstance(block, Phase):
            count += sum(self.fields(step.fields, steps) for step in block.steps)
        if isinstance(block, Plan):
            count += sum(map(self.block, block.phases))
        return count

    def fields(self, fields: tuple[Field, ...], steps: Steps) -> int:
        """Count what some fields refer to."""
        counted = self._counted.setdefault(id(steps), {})
        count = 0
        for field in fields:
            if type(field.value) in NAMELESS:
                continue
            known = counted.get(id(field))
            if known is None:
                known = counted[id(field)] = self.field(field, steps)
            count += known
        return count

    def field(self, field: Field, steps: Steps) -> int:
        """Count what one field refers to."""
        found = FIELD_BY_KEY[field.key].type.references(field.value)
        return sum(self.index.knows(name.kind, name.name, steps) for name in found)
