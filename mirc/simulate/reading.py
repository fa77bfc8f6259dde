"""The steps of a phase into uses of named data, with nothing evaluated yet."""

from collections import defaultdict
from functools import cached_property

import attrs

from mirc.diagnostics import CouldNotRun, Source
from mirc.ir import Block, Module, Phase, Step
from mirc.ir.enums import PersistenceScope
from mirc.ir.meaning import Access, Amount, evaluate
from mirc.ir.names import families_of
from mirc.ir.resolve import View, read


@attrs.frozen(kw_only=True)
class Batch:
    """How much one run of a phase does: ``tokens`` new ones for each of ``sequences``.

    ``context`` tokens of each sequence were in its cache before, if nothing ran before.
    """

    sequences: int = 1
    tokens: int = 1
    context: int = 0

    def amount(self, value: Amount) -> int:
        """Evaluate ``n``, ``PER_TOKEN(n)`` or ``PER_SEQUENCE(n)`` for one run."""
        return evaluate(value, sequences=self.sequences, tokens=self.sequences * self.tokens)


@attrs.frozen(kw_only=True)
class Use:
    """One entry of a step's ``reads`` or ``writes``."""

    access: Access
    writes: bool


def batch_of(phase: Phase, sequences: int | None = None, context: int | None = None) -> Batch:
    """Read a phase's captured sizes; ``sequences`` takes the place of its ``batch``.

    ``context`` takes the place of its ``context``, if it has one: a phase that begins with empty
    caches goes on doing so.
    """
    captured = read(phase, "context")
    return Batch(
        sequences=sequences or read(phase, "batch"),
        tokens=read(phase, "tokens"),
        context=context if context is not None and captured else captured,
    )


@attrs.frozen(eq=False, slots=False)
class Reader:
    """A module with what its references mean; ``source`` tells where an object was declared."""

    module: Module
    source: Source | None = None

    @cached_property
    def view(self) -> View:
        """Objects as declared: no phase, signal or plan changes what an object is."""
        return View(self.module)

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Parts of each family, in written order."""
        parts: defaultdict[str, list[str]] = defaultdict(list)
        for name in self.module.objects:
            if name.endswith("]"):
                for family in families_of(name):
                    parts[family].append(name)
        return {family: tuple(names) for family, names in parts.items()}

    def parts(self, target: str) -> tuple[str, ...]:
        """Return the objects that ``target`` stands for: itself, or all parts of a family."""
        if target in self.module.objects:
            return (target,)
        found = self.families.get(target)
        if found is None:
            raise CouldNotRun(f"`{target}` is used by a step and declared nowhere", "declare it")
        return found

    def place(self, block: Block) -> str:
        """Return `` (file:line)`` of a declaration, or nothing where it is not known."""
        if self.source is None or block.extent is None:
            return ""
        line, _ = self.source.position(block.extent.start)
        return f" ({self.source.name}:{line})"

    def steps(self, phase: Phase) -> tuple[Step, ...]:
        """Return the phase's steps, or the one that is assumed where it has none."""
        return phase.steps or (Step(phase.name),)

    def uses(self, phase: Phase, step: Step) -> tuple[Use, ...]:
        """Return what a step reads, then what it writes.

        A phase without steps is assumed to read, at once, every object that it overrides and
        every one whose persistence scope is SESSION.
        """
        if phase.steps:
            return (
                *(Use(access=access, writes=False) for access in read(step, "reads") or ()),
                *(Use(access=access, writes=True) for access in read(step, "writes") or ()),
            )
        session = (
            name
            for name, declared in self.module.objects.items()
            if not declared.extern
            and self.view.value(name, "persistence_scope") is PersistenceScope.SESSION
        )
        names = dict.fromkeys((*(override.name for override in phase.overrides), *session))
        return tuple(Use(access=Access(name), writes=False) for name in names)
