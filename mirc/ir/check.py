"""The fields of one declaration against the field table, and their references against an index."""

from collections.abc import Collection, Iterable
from typing import TypeVar

import attrs

from mirc.diagnostics import Diagnostic, Fix, Related, Rule, Span
from mirc.ir import rules
from mirc.ir.enums import ObjectClass, SignalKind
from mirc.ir.fields import FIELD_BY_KEY, KEYS_WHERE, FieldSpec, Where
from mirc.ir.fields.spec import DATA, OVERRIDES
from mirc.ir.fixes import (
    bracketed,
    spelt,
    spelt_key,
    unquoted,
    without_confidence,
    without_exponent,
)
from mirc.ir.index import Index
from mirc.ir.module import Block, Field, Signal
from mirc.ir.names import UNREADABLE, is_bare
from mirc.ir.places import Mark, Places
from mirc.ir.suggest import Names, closest
from mirc.ir.types import NAMELESS, Fault, ListOf, Mismatch, RefKind

_REMEMBERED = 1 << 16  # fields known to be right in one context
_STRANGE = 20  # keys of one block that are asked whether they are a required one misspelt
_SUGGESTED = 100  # words for which a near one is looked for
_Block = TypeVar("_Block", bound=Block)
_REQUIRED: dict[Where, tuple[str, ...]] = {
    where: tuple(key for key, spec in keys.items() if where in spec.required)
    for where, keys in KEYS_WHERE.items()
}
_FAULT_RULES = {
    Fault.TYPE: rules.WRONG_TYPE,
    Fault.WORD: rules.UNKNOWN_WORD,
    Fault.UNIT: rules.WRONG_UNIT,
    Fault.RANGE: rules.OUT_OF_RANGE,
    Fault.NUMBER: rules.INEXACT_NUMBER,
}
_ORDERED = (RefKind.STEP, RefKind.PHASE)
_UNDECLARED: dict[RefKind, Rule] = {
    RefKind.DATA: rules.UNDECLARED_OBJECT,
    RefKind.STEP: rules.UNDECLARED_STEP,
    RefKind.PHASE: rules.UNDECLARED_PHASE,
    RefKind.COALITION: rules.UNDECLARED_COALITION,
    RefKind.TENANT: rules.UNDECLARED_TENANT,
    RefKind.CLAIM: rules.UNDECLARED_CLAIM,
    RefKind.MACHINE: rules.UNKNOWN_MACHINE,
}


@attrs.frozen(slots=True, eq=False)
class Context:
    """Where fields stand: the kind of declaration, its object's class, the steps of the phase.

    ``right`` are the ids of fields, and of whole tuples of them, that were found right here: equal
    lines share one node, so most of a long file is looked at once.
    """

    where: Where
    klass: ObjectClass | None = None
    steps: frozenset[str] | None = None
    complete: bool = False  # whether the keys that are required must be there
    right: set[int] = attrs.field(factory=set, repr=False)


class Checker:
    """Checks fields and references, noting findings; each undeclared name is reported once."""

    def __init__(
        self,
        index: Index,
        places: Places,
        found: list[Diagnostic],
        kept: dict[tuple[Span, str], tuple[int, ...]],
    ) -> None:
        self.index = index
        self.places = places
        self.found = found
        self.kept = kept
        self._reported: set[tuple[RefKind, str, frozenset[str] | None]] = set()
        self._near: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._contexts: dict[tuple[Where, ObjectClass | None, int, bool], Context] = {}

    def context(
        self,
        where: Where,
        klass: ObjectClass | None = None,
        steps: frozenset[str] | None = None,
        *,
        complete: bool = False,
    ) -> Context:
        """Return the one context of its kind; ``steps`` must outlive it."""
        key = (where, klass, id(steps), complete)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = Context(where, klass, steps, complete)
        return context

    def note(
        self,
        rule: Rule,
        span: Span,
        message: str,
        hint: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Add a finding."""
        self.found.append(Diagnostic(rule, span, message, hint, fix=fix))

    def near(self, word: str, words: Iterable[str]) -> str | None:
        """Return the word that was probably meant; None, unseen, after many other words."""
        question = (word, tuple(words))
        if question not in self._near:
            if len(self._near) >= _SUGGESTED:
                return None
            self._near[question] = closest(*question)
        return self._near[question]

    def fields(self, block: _Block, context: Context) -> _Block:
        """Return the block with only those fields that are right; report the others."""
        right, fields = context.right, block.fields
        if id(fields) in right:
            return block
        keys = {field.key for field in fields}
        if len(keys) < len(fields):
            return self._without_repeats(block, context)
        allowed = KEYS_WHERE[context.where]
        wrong: dict[int, Field | None] = {}
        for field in fields:
            if id(field) in right:
                continue
            kept = self._field(block, field, allowed.get(field.key), context)
            if kept is field:
                right.add(id(field))
            else:
                wrong[id(field)] = kept
        missing = context.complete and self._missing(block, context, keys)
        if wrong:
            left = (wrong.get(id(field), field) for field in fields)
            return attrs.evolve(block, fields=tuple(f for f in left if f is not None))
        if not missing:
            if len(right) > _REMEMBERED:
                right.clear()
            right.add(id(fields))
        return block

    def _without_repeats(self, block: _Block, context: Context) -> _Block:
        """Check a block in which a key stands twice: the first right one holds."""
        allowed = KEYS_WHERE[context.where]
        times: dict[str, int] = {}
        kept: dict[str, Field] = {}
        for field in block.fields:
            nth = times[field.key] = times.get(field.key, -1) + 1
            if nth:
                self._duplicate(block, field, nth, seen=field.key in kept)
            elif left := self._field(block, field, allowed.get(field.key), context):
                kept[field.key] = left
        if context.complete:
            self._missing(block, context, times.keys())
        return attrs.evolve(block, fields=tuple(kept.values()))

    def _missing(self, block: Block, context: Context, written: Collection[str]) -> bool:
        """Report each key that the declaration must have and has not, right or wrong."""
        missing = [key for key in _REQUIRED[context.where] if key not in written]
        if missing:  # one that is misspelt is reported as that
            known = KEYS_WHERE[context.where]
            strange = [field.key for field in block.fields if field.key not in known]
            meant = {closest(key, known) for key in strange[:_STRANGE]}
            missing = [key for key in missing if key not in meant]
        for key in missing:
            self.note(
                rules.MISSING_KEY,
                self.places.name(block),
                f"`{block.name}` has no `{key}`",
                f"add `{key} = ...`: {FIELD_BY_KEY[key].type.describe()}",
            )
        return bool(missing)

    def known_signal(self, signal: Signal) -> None:
        """Report a signal that neither the runtime nor a step raises."""
        if signal.name.lower() in self.index.signals:
            return
        near = self.near(signal.name, sorted(self.index.signals))
        hint = f"write `{near}`" if near else f"use one of {', '.join(SignalKind)}"
        self.note(
            rules.UNKNOWN_SIGNAL,
            self.places.name(signal),
            f"`{signal.name}` is not a signal, and no step raises it",
            hint,
        )

    def refers(
        self, kind: RefKind, name: str, mark: Mark, steps: frozenset[str] | None = None
    ) -> bool:
        """Say whether a name is declared; report it the first time that it is not."""
        if self.index.knows(kind, name, steps):
            return True
        cause = (kind, name, steps if kind is RefKind.STEP else None)
        lost = name in self.index.lost or UNREADABLE in self.index.lost
        if lost or cause in self._reported:
            return False
        self._reported.add(cause)
        if kind is RefKind.MACHINE:
            message = f"`{name}` is not a known machine"
        elif kind is RefKind.STEP and steps is not None and name in self.index.all_steps:
            message = f"`{name}` is a step of another phase"
        else:
            message = f"{kind} `{name}` is not declared"
        self.note(_UNDECLARED[kind], self.places.of(mark), message, self._hint(kind, name, steps))
        return False

    def _hint(self, kind: RefKind, name: str, steps: frozenset[str] | None) -> str | None:
        near: str | None = None
        if len(self._reported) <= _SUGGESTED:
            names = self.index.data_names
            if kind is not RefKind.DATA:
                names = Names(frozenset(self.index.names(kind, steps)))
            near = names.closest(name)
        if near is not None:
            return f"did you mean `{near}`?"
        if kind is RefKind.DATA:
            shown = name if is_bare(name) else f'"{name}"'
            return f"declare it, or write `extern object {shown}` if another file does"
        return None

    def _duplicate(self, block: Block, field: Field, nth: int, *, seen: bool) -> None:
        if not seen:  # the first was reported already; this one is in its place
            return
        self.found.append(
            Diagnostic(
                rules.DUPLICATE_FIELD,
                self.places.key(block, field.key, nth),
                f"`{field.key}` is written twice here",
                "remove one",
                (Related(self.places.key(block, field.key), "first written here"),),
            )
        )

    def _field(
        self, block: Block, field: Field, spec: FieldSpec | None, context: Context
    ) -> Field | None:
        """Return the field if it is right, what is right of a list of names, or None."""
        if spec is None:
            self._no_such_key(block, field, context)
            return None
        if spec.classes and not self._fits_class(block, field, spec, context):
            return None
        try:
            spec.type.read(field.value)
        except Mismatch as mismatch:
            self._mismatch(block, field, spec, mismatch)
            return self._part(block, field, spec, context)
        right = self._known_names(block, field, spec, context)
        if field.confidence is not None and not self._confidence(block, field, spec):
            return None
        return field if right else self._part(block, field, spec, context)

    def _known_names(self, block: Block, field: Field, spec: FieldSpec, context: Context) -> bool:
        right = True
        nameless = type(field.value) in NAMELESS
        for found in () if nameless else spec.type.references(field.value):
            if not self.index.knows(found.kind, found.name, context.steps):
                mark = Mark(block, field.key, found.path)
                right = self.refers(found.kind, found.name, mark, context.steps) and right
        return right

    def _part(self, block: Block, field: Field, spec: FieldSpec, context: Context) -> Field | None:
        """Return a list without the elements that are wrong.

        Else one name misspelt would make all others look unused. Lists whose order means
        something, those of steps and phases, are not cut.
        """
        kind, value = spec.type, field.value
        if not isinstance(kind, ListOf) or not isinstance(value, tuple) or field.confidence:
            return None
        kept = []
        seen = set()
        named = False
        for place, element in enumerate(value):
            try:
                read = kind.item.read(element)
            except Mismatch:
                continue
            found = tuple(kind.item.references(element))
            if any(each.kind in _ORDERED for each in found):
                return None
            if kind.unique and read in seen:
                continue
            if kind.unique:
                seen.add(read)
            named = named or bool(found)
            if all(self.index.knows(each.kind, each.name, context.steps) for each in found):
                kept.append(place)
        if not named or len(kept) < max(kind.least, 1):
            return None
        if block.extent is not None:
            self.kept[block.extent, field.key] = tuple(kept)
        return attrs.evolve(field, value=tuple(value[place] for place in kept))

    def _fits_class(self, block: Block, field: Field, spec: FieldSpec, context: Context) -> bool:
        klass = context.klass
        if klass is None or klass in spec.classes or context.where not in DATA | OVERRIDES:
            return True
        owners = ", ".join(sorted(spec.classes))
        self.note(
            rules.WRONG_CLASS,
            self.places.key(block, field.key),
            f"`{field.key}` belongs to {owners}, but `{block.name}` is {klass}",
            "remove it, or change the class",
        )
        return False

    def _no_such_key(self, block: Block, field: Field, context: Context) -> None:
        span = self.places.key(block, field.key)
        known = FIELD_BY_KEY.get(field.key)
        if known is not None:
            homes = " or ".join(where.value for where in Where if where in known.where)
            message = f"`{field.key}` does not belong in {context.where.value}"
            self.note(rules.MISPLACED_KEY, span, message, f"write it in {homes}")
            return
        here = KEYS_WHERE[context.where]
        near = self.near(field.key, here) or self.near(field.key, FIELD_BY_KEY)
        home = _home(near, context) if near else ""
        hint = f"did you mean `{near}`{home}?" if near else None
        message = f"`{field.key}` is not a key of {context.where.value}"
        fix = None if home else spelt_key(self.places, block, field, near, here.get(near or ""))
        self.note(rules.UNKNOWN_KEY, span, message, hint, fix)

    def _mismatch(self, block: Block, field: Field, spec: FieldSpec, mismatch: Mismatch) -> None:
        hint = fix = None
        span = self.places.value(block, field.key, mismatch.path)
        if mismatch.words:
            near = self.near(mismatch.found, mismatch.words)
            shown = mismatch.words[:20]
            hint = f"did you mean `{near}`?" if near else f"use one of {', '.join(shown)}"
            fix = spelt(span, mismatch.found, near)
        elif isinstance(spec.type, ListOf) and spec.type.item.matches(field.value):
            hint = "put it in brackets, even if it is the only one"
            fix = bracketed(self.places, block, field, spec.type)
        elif mismatch.fault is Fault.TYPE:
            hint, fix = unquoted(span, spec.type, field.value, mismatch.path)
            if hint is None and "number" in mismatch.message:
                hint, fix = without_exponent(span, field.value, mismatch.path)
        self.note(
            _FAULT_RULES[mismatch.fault],
            span,
            f"`{field.key}`: {mismatch.message}",
            hint,
            fix,
        )

    def _confidence(self, block: Block, field: Field, spec: FieldSpec) -> bool:
        assert field.confidence is not None  # noqa: S101 - the caller looked
        if not spec.estimate:
            kind = "a fact" if spec.strength == "fact" else "a promise"
            self.note(
                rules.CONFIDENCE_ON_CONTRACT,
                self.places.confidence(block, field.key),
                f"`{field.key}` is {kind} ({spec.strength}) and carries no confidence",
                "remove the confidence: only estimates have one",
                without_confidence(self.places, block, field.key),
            )
            return False
        if not 0.0 <= field.confidence <= 1.0:
            self.note(
                rules.CONFIDENCE_RANGE,
                self.places.confidence(block, field.key),
                "a confidence is a number from 0 to 1",
            )
            return False
        return True


def _home(key: str, context: Context) -> str:
    """Say where a key belongs, if not here."""
    spec = FIELD_BY_KEY[key]
    if context.where not in spec.where:
        return ", which belongs in " + " or ".join(w.value for w in Where if w in spec.where)
    if spec.classes and context.klass is not None and context.klass not in spec.classes:
        return f", which belongs to {', '.join(sorted(spec.classes))}"
    return ""
