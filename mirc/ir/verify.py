"""Declarations as written into those that are right, and a finding for each that is not."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

import attrs

from mirc.diagnostics import Diagnostic, Related, Rule, Span
from mirc.ir import rules
from mirc.ir.check import Checker
from mirc.ir.fields import Where
from mirc.ir.index import Index, class_of
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
from mirc.ir.names import families_of, part_range
from mirc.ir.places import Mark, Places
from mirc.ir.types import RefKind

MOST_FINDINGS = 20_000
_LONG = 400  # characters of a message that quotes more than a word
_QUOTED, _SHORT = re.compile(r"`([^`]{60})[^`]{20,}`"), r"`\1...`"
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
    kept: Mapping[tuple[Span, str], tuple[int, ...]] = attrs.field(factory=dict)
    """Which elements are left of a list that holds wrong ones, by its block's extent and key."""


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
    Each cause is reported once, at its first place. After ``MOST_FINDINGS`` the rest is not looked
    at, and the module is empty.
    """
    found = _Report()
    verified: tuple[Block, ...] = ()
    try:
        verified = _verified(blocks, machines, lost, places or Places(), found)
    except _EnoughError:
        last = found[-1]
        more = f"{last.message}; what comes after {MOST_FINDINGS:,} findings is not reported"
        found[-1] = attrs.evolve(last, message=more)
    declarations = tuple(block for block in verified if isinstance(block, Declaration))
    info = next((block for block in verified if type(block) is Block), None)
    found.sort(key=lambda d: (d.span, d.rule.code, d.message))
    return Verified(Module(declarations, info), tuple(found), found.kept)


class _EnoughError(Exception):
    """More is wrong than anybody reads."""


class _Report(list[Diagnostic]):
    """Findings, up to a number; what they quote is shortened."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[Span, str], tuple[int, ...]] = {}

    def append(self, found: Diagnostic, /) -> None:
        if len(found.message) + len(found.hint or "") > _LONG:
            hint = None if found.hint is None else _QUOTED.sub(_SHORT, found.hint)
            found = attrs.evolve(found, message=_QUOTED.sub(_SHORT, found.message), hint=hint)
        super().append(found)
        if len(self) >= MOST_FINDINGS:
            raise _EnoughError


def _verified(
    blocks: tuple[Block, ...],
    machines: frozenset[str] | None,
    lost: frozenset[str],
    places: Places,
    found: _Report,
) -> tuple[Block, ...]:
    again: list[Block] = []
    kept = tuple(_without_duplicates(blocks, found, places, again=again))
    verifier = _Verifier(Checker(Index(kept, machines, lost), places, found, found.kept))
    verified = tuple(block for block in map(verifier.block, kept) if block is not None)
    for block in again:
        verifier.repeated(block)
    return verified


def _without_duplicates(
    blocks: tuple[_Block, ...],
    found: list[Diagnostic],
    places: Places,
    rule: Rule = rules.DUPLICATE_NAME,
    again: list[_Block] | None = None,
) -> Iterator[_Block]:
    """Yield the first block of each name; the others are reported and go to ``again``."""
    first: dict[type[Block], dict[str, Block]] = {}
    for block in blocks:
        if not (block.name and block.name.isprintable()) and not _nameable(block.name):
            span = places.name(block)
            found.append(Diagnostic(rules.BAD_NAME, span, *_WHY_NOT[bool(block.name)]))
        if block.name.endswith("]") and type(block) is not Override:
            _check_ranges(block, found, places)
        kind = Object if type(block) is Template else type(block)
        if kind not in first:
            first[kind] = {}
        before = first[kind].setdefault("" if kind is Block else block.name, block)
        if before is block:
            yield block
            continue
        if again is not None:
            again.append(block)
        what = "a second `module` block" if kind is Block else f"`{block.name}` is declared twice"
        if rule is rules.DUPLICATE_OVERRIDE:
            what = f"`{block.name}` is overridden twice here"
        hint = "merge the two" if rule is rules.DUPLICATE_OVERRIDE else "remove or rename one"
        found.append(
            Diagnostic(
                rule,
                places.name(block),
                what,
                hint,
                (Related(places.name(before), "first written here"),),
            )
        )


def _check_ranges(block: Block, found: list[Diagnostic], places: Places) -> None:
    """Report a part that is of no index."""
    for part in (block.name, *families_of(block.name)):
        indices = part_range(part)
        if indices is not None and indices[0] >= indices[1]:
            first, last = indices
            how = "is empty" if first == last else "ends before it begins"
            message = f"the range `[{first}:{last}]` of `{block.name}` {how}"
            span = places.name(block)
            hint = "write the first index, and the one behind the last"
            found.append(Diagnostic(rules.BAD_NAME, span, message, hint))


_WHY_NOT = {
    False: ("a name cannot be empty", "write at least one character"),
    True: ("half of a surrogate pair is no character", "write the character itself"),
}


def _nameable(name: str) -> bool:
    """Whether a name can be written into a file: there is one, and it encodes."""
    return bool(name) and not any("\ud800" <= letter <= "\udfff" for letter in name)


class _Verifier:
    """Walks the declarations; every method returns what is left of its block."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self._outlived: list[frozenset[str]] = []  # contexts know them by their ids
        self.index = checker.index
        self.found = checker.found
        self.places = checker.places

    def block(self, block: Block) -> Block | None:
        """Check one declaration on top."""
        kind = type(block)
        if kind is Object or kind is Template:
            complete = not (isinstance(block, Object) and block.extern)
            klass = self.index.classes[block.name]
            return self.checker.fields(
                block, self.checker.context(_WHERE[kind], klass, complete=complete)
            )
        steps = self.index.steps.get(block.name) if kind is Phase else None
        checked = self.checker.fields(
            block, self.checker.context(_WHERE[kind], None, steps, complete=True)
        )
        if isinstance(checked, Phase):
            return self._phase(checked, steps)
        if isinstance(checked, Signal):
            self.checker.known_signal(checked)
            overrides = self._overrides(checked.overrides, Where.OVERRIDE, None)
            return _replaced(checked, overrides=overrides)
        if isinstance(checked, Plan):
            return self._plan(checked)
        return checked

    def repeated(self, block: Block) -> None:
        """Check what stands in a declaration of a name that another has already."""
        kind = type(block)
        if kind is Object or kind is Template:
            klass = class_of(block)
            self.checker.fields(block, self.checker.context(_WHERE[kind], klass))
        elif isinstance(block, Phase):
            own = frozenset(step.name for step in block.steps)
            steps = own | self.index.steps.get(block.name, frozenset())
            self._outlived.append(steps)
            context = self.checker.context(Where.PHASE, None, steps)
            self._phase(self.checker.fields(block, context), steps)
        elif kind in _WHERE and kind is not Plan:
            self.checker.fields(block, self.checker.context(_WHERE[kind]))

    def _phase(self, phase: Phase, steps: frozenset[str] | None) -> Phase:
        context = self.checker.context(Where.STEP, None, steps)
        kept = [
            self.checker.fields(step, context)
            for step in _without_duplicates(phase.steps, self.found, self.places)
        ]
        overrides = self._overrides(phase.overrides, Where.OVERRIDE, steps)
        return _replaced(phase, steps=tuple(kept), overrides=overrides)

    def _plan(self, plan: Plan) -> Plan:
        overrides = self._overrides(plan.overrides, Where.PLAN_OVERRIDE, None)
        phases = []
        for phase in _without_duplicates(plan.phases, self.found, self.places):
            if not self.checker.refers(RefKind.PHASE, phase.name, Mark(phase)):
                continue
            steps = self.index.steps.get(phase.name)
            context = self.checker.context(Where.PLAN_PHASE, None, steps)
            checked = self.checker.fields(phase, context)
            inner = self._overrides(phase.overrides, Where.PLAN_PHASE_OVERRIDE, steps)
            phases.append(_replaced(checked, overrides=inner))
        return _replaced(plan, overrides=overrides, phases=tuple(phases))

    def _overrides(
        self, overrides: tuple[Override, ...], where: Where, steps: frozenset[str] | None
    ) -> tuple[Override, ...]:
        kept = []
        for override in _without_duplicates(
            overrides, self.found, self.places, rules.DUPLICATE_OVERRIDE
        ):
            name = override.name
            if not self.index.knows(RefKind.DATA, name, None):
                self.checker.refers(RefKind.DATA, name, Mark(override))
                continue
            klass = self.index.class_of(name)
            kept.append(self.checker.fields(override, self.checker.context(where, klass, steps)))
        return tuple(kept)


def _replaced(block: _Block, **parts: tuple[Block, ...]) -> _Block:
    same = all(
        len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))
        for new, old in ((new, getattr(block, name)) for name, new in parts.items())
    )
    return block if same else attrs.evolve(block, **parts)  # type: ignore[arg-type]
