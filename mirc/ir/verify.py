"""Declarations as written into those that are right, and a finding for each that is not."""

from collections.abc import Iterator
from typing import TypeVar

import attrs

from mirc.diagnostics import Diagnostic, Related, Rule, Span
from mirc.ir import rules
from mirc.ir.check import Checker, Context, Places
from mirc.ir.enums import ObjectClass
from mirc.ir.fields import Where
from mirc.ir.index import Index
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Declaration,
    Module,
    Object,
    Override,
    Phase,
    Plan,
    Signal,
    Template,
    Tenant,
)
from mirc.ir.types import RefKind

_NOWHERE = Span(0, 0)
_Block = TypeVar("_Block", bound=Block)
_WHERE: dict[type[Block], Where] = {
    Block: Where.MODULE,
    Object: Where.OBJECT,
    Template: Where.TEMPLATE,
    Coalition: Where.COALITION,
    Tenant: Where.TENANT,
    Claim: Where.CLAIM,
    Phase: Where.PHASE,
    Signal: Where.SIGNAL,
    Plan: Where.PLAN,
}


@attrs.frozen
class Verified:
    """A module that holds only what is right, and everything that was not."""

    module: Module
    diagnostics: tuple[Diagnostic, ...]


def verify(
    blocks: tuple[Block, ...],
    *,
    machines: frozenset[str] | None = None,
    lost: frozenset[str] = frozenset(),
    places: Places | None = None,
) -> Verified:
    """Check names, references, keys, types and confidences; leave out what is wrong.

    A plain ``Block`` is the module block. ``machines`` are the known machines' names, None to
    accept any; ``lost`` are names whose declarations could not be read, which are not reported.
    Each cause is reported once, at its first place.
    """
    found: list[Diagnostic] = []
    kept = tuple(_without_duplicates(blocks, found))
    index = Index(kept, machines, lost)
    verifier = _Verifier(Checker(index, places or Places(), found))
    verified = tuple(block for block in map(verifier.block, kept) if block is not None)
    declarations = tuple(block for block in verified if isinstance(block, Declaration))
    info = next((block for block in verified if type(block) is Block), None)
    found.sort(key=lambda d: (d.span, d.rule.code, d.message))
    return Verified(Module(declarations, info), tuple(found))


def _without_duplicates(
    blocks: tuple[_Block, ...], found: list[Diagnostic], rule: Rule = rules.DUPLICATE_NAME
) -> Iterator[_Block]:
    first: dict[tuple[type[Block], str], Block] = {}
    for block in blocks:
        kind = Object if isinstance(block, Template) else type(block)
        key = (kind, "" if kind is Block else block.name)
        before = first.setdefault(key, block)
        if before is block:
            yield block
            continue
        what = "a second `module` block" if kind is Block else f"`{block.name}` is declared twice"
        if rule is rules.DUPLICATE_OVERRIDE:
            what = f"`{block.name}` is overridden twice here"
        hint = "merge the two" if rule is rules.DUPLICATE_OVERRIDE else "remove or rename one"
        found.append(
            Diagnostic(
                rule,
                block.span or _NOWHERE,
                what,
                hint,
                (Related(before.span or _NOWHERE, "first written here"),),
            )
        )


class _Verifier:
    """Walks the declarations; every method returns what is left of its block."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.index = checker.index
        self.found = checker.found

    def block(self, block: Block) -> Block | None:
        """Check one declaration on top."""
        where = _WHERE[type(block)]
        steps = self.index.steps.get(block.name) if isinstance(block, Phase) else None
        context = Context(where, self._class_of(block), block.name, steps)
        checked = self.checker.fields(block, context)
        if not (isinstance(block, Object) and block.extern):
            self.checker.required(block, context)
        if isinstance(checked, Phase):
            return self._phase(checked, steps)
        if isinstance(checked, Signal):
            self.checker.known_signal(checked)
            overrides = self._overrides(checked.overrides, Where.OVERRIDE, None)
            return _replaced(checked, overrides=overrides)
        if isinstance(checked, Plan):
            return self._plan(checked)
        return checked

    def _class_of(self, block: Block) -> ObjectClass | None:
        return self.index.classes.get(block.name) if isinstance(block, Object | Template) else None

    def _phase(self, phase: Phase, steps: frozenset[str] | None) -> Phase:
        kept = [
            self.checker.fields(step, Context(Where.STEP, None, step.name, steps))
            for step in _without_duplicates(phase.steps, self.found)
        ]
        overrides = self._overrides(phase.overrides, Where.OVERRIDE, steps)
        return _replaced(phase, steps=tuple(kept), overrides=overrides)

    def _plan(self, plan: Plan) -> Plan:
        overrides = self._overrides(plan.overrides, Where.PLAN_OVERRIDE, None)
        phases = []
        for phase in _without_duplicates(plan.phases, self.found):
            if not self.checker.refers(RefKind.PHASE, phase.name, phase.span or _NOWHERE):
                continue
            steps = self.index.steps.get(phase.name)
            checked = self.checker.fields(phase, Context(Where.PLAN_PHASE, None, phase.name, steps))
            inner = self._overrides(phase.overrides, Where.PLAN_PHASE_OVERRIDE, steps)
            phases.append(_replaced(checked, overrides=inner))
        return _replaced(plan, overrides=overrides, phases=tuple(phases))

    def _overrides(
        self, overrides: tuple[Override, ...], where: Where, steps: frozenset[str] | None
    ) -> tuple[Override, ...]:
        kept = []
        for override in _without_duplicates(overrides, self.found, rules.DUPLICATE_OVERRIDE):
            if not self.checker.refers(RefKind.DATA, override.name, override.span or _NOWHERE):
                continue
            klass = self.index.class_of(override.name)
            kept.append(self.checker.fields(override, Context(where, klass, override.name, steps)))
        return tuple(kept)


def _replaced(block: _Block, **parts: tuple[Block, ...]) -> _Block:
    same = all(
        len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))
        for new, old in ((new, getattr(block, name)) for name, new in parts.items())
    )
    return block if same else attrs.evolve(block, **parts)  # type: ignore[arg-type]
