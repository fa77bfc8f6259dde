"""The fields of one declaration against the field table, and their references against an index."""

from typing import TypeVar

import attrs

from mirc.diagnostics import Diagnostic, Related, Rule, Span
from mirc.ir import rules
from mirc.ir.enums import ObjectClass, SignalKind
from mirc.ir.fields import FIELD_BY_KEY, KEYS_WHERE, FieldSpec, Where
from mirc.ir.fields.spec import DATA, OVERRIDES
from mirc.ir.index import Index
from mirc.ir.module import Block, Field, Signal
from mirc.ir.names import is_bare
from mirc.ir.suggest import Names, closest
from mirc.ir.types import Fault, ListOf, Mismatch, Path, RefKind

_NOWHERE = Span(0, 0)
_SUGGESTED = 50  # undeclared names for which a near one is looked for
_Block = TypeVar("_Block", bound=Block)
_FAULT_RULES = {
    Fault.TYPE: rules.WRONG_TYPE,
    Fault.WORD: rules.UNKNOWN_WORD,
    Fault.UNIT: rules.WRONG_UNIT,
    Fault.RANGE: rules.OUT_OF_RANGE,
    Fault.NUMBER: rules.INEXACT_NUMBER,
}
_UNDECLARED: dict[RefKind, Rule] = {
    RefKind.DATA: rules.UNDECLARED_OBJECT,
    RefKind.STEP: rules.UNDECLARED_STEP,
    RefKind.PHASE: rules.UNDECLARED_PHASE,
    RefKind.COALITION: rules.UNDECLARED_COALITION,
    RefKind.TENANT: rules.UNDECLARED_TENANT,
    RefKind.CLAIM: rules.UNDECLARED_CLAIM,
    RefKind.MACHINE: rules.UNKNOWN_MACHINE,
}


class Places:
    """Where the parts of a field stand; a parser knows better than its whole span."""

    def key(self, field: Field) -> Span:
        """Return the span of the key."""
        return field.span or _NOWHERE

    def value(self, field: Field, path: Path = ()) -> Span:
        """Return the span of the value, or of the element that ``path`` leads to."""
        del path
        return field.span or _NOWHERE

    def confidence(self, field: Field) -> Span:
        """Return the span of the confidence."""
        return field.span or _NOWHERE


@attrs.frozen(slots=True)
class Context:
    """Where fields stand: the declaration, its object's class, the steps of the phase around."""

    where: Where
    klass: ObjectClass | None
    name: str
    steps: frozenset[str] | None


class Checker:
    """Checks fields and references, noting findings; each undeclared name is reported once."""

    def __init__(self, index: Index, places: Places, found: list[Diagnostic]) -> None:
        self.index = index
        self.places = places
        self.found = found
        self._reported: set[tuple[RefKind, str, frozenset[str] | None]] = set()

    def note(self, rule: Rule, span: Span, message: str, hint: str | None = None) -> None:
        """Add a finding."""
        self.found.append(Diagnostic(rule, span, message, hint))

    def fields(self, block: _Block, context: Context) -> _Block:
        """Return the block with only those fields that are right."""
        allowed = KEYS_WHERE[context.where]
        first: dict[str, Field] = {}
        wrong = 0
        for field in block.fields:
            if first.setdefault(field.key, field) is not field:
                wrong += 1
                self._duplicate(field, first[field.key])
            elif not self._field(field, allowed.get(field.key), context):
                wrong += 1
                first[field.key] = _WRONG
        if not wrong:
            return block
        kept = tuple(field for field in block.fields if first[field.key] is field)
        return attrs.evolve(block, fields=kept)

    def required(self, block: Block, context: Context) -> None:
        """Report each key that the declaration must have and has not, right or wrong."""
        written = {field.key for field in block.fields}
        for key, spec in KEYS_WHERE[context.where].items():
            if context.where in spec.required and key not in written:
                self.note(
                    rules.MISSING_KEY,
                    block.span or _NOWHERE,
                    f"`{block.name}` has no `{key}`",
                    f"add `{key} = ...`: {spec.type.describe()}",
                )

    def known_signal(self, signal: Signal) -> None:
        """Report a signal that neither the runtime nor a step raises."""
        if signal.name.lower() in self.index.signals:
            return
        near = closest(signal.name, sorted(self.index.signals))
        hint = f"write `{near}`" if near else f"use one of {', '.join(SignalKind)}"
        self.note(
            rules.UNKNOWN_SIGNAL,
            signal.span or _NOWHERE,
            f"`{signal.name}` is not a signal, and no step raises it",
            hint,
        )

    def refers(
        self, kind: RefKind, name: str, span: Span, steps: frozenset[str] | None = None
    ) -> bool:
        """Say whether a name is declared; report it the first time that it is not."""
        if self.index.knows(kind, name, steps):
            return True
        cause = (kind, name, steps if kind is RefKind.STEP else None)
        if name in self.index.lost or cause in self._reported:
            return False
        self._reported.add(cause)
        if kind is RefKind.MACHINE:
            message = f"`{name}` is not a known machine"
        elif kind is RefKind.STEP and steps is not None and name in self.index.all_steps:
            message = f"`{name}` is a step of another phase"
        else:
            message = f"{kind} `{name}` is not declared"
        self.note(_UNDECLARED[kind], span, message, self._hint(kind, name, steps))
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

    def _duplicate(self, field: Field, first: Field) -> None:
        if first is _WRONG:  # the first was reported already; this one is in its place
            return
        self.found.append(
            Diagnostic(
                rules.DUPLICATE_FIELD,
                self.places.key(field),
                f"`{field.key}` is written twice here",
                "remove one",
                (Related(self.places.key(first), "first written here"),),
            )
        )

    def _field(self, field: Field, spec: FieldSpec | None, context: Context) -> bool:
        if spec is None:
            self._no_such_key(field, context)
            return False
        if spec.classes and not self._fits_class(field, spec, context):
            return False
        try:
            spec.type.read(field.value)
        except Mismatch as mismatch:
            self._mismatch(field, spec, mismatch)
            return False
        right = True
        for found in spec.type.references(field.value):
            if not self.index.knows(found.kind, found.name, context.steps):
                span = self.places.value(field, found.path)
                right = self.refers(found.kind, found.name, span, context.steps) and right
        if field.confidence is not None:
            right = self._confidence(field, spec) and right
        return right

    def _fits_class(self, field: Field, spec: FieldSpec, context: Context) -> bool:
        klass = context.klass
        if klass is None or klass in spec.classes or context.where not in DATA | OVERRIDES:
            return True
        owners = ", ".join(sorted(spec.classes))
        self.note(
            rules.WRONG_CLASS,
            self.places.key(field),
            f"`{field.key}` belongs to {owners}, but `{context.name}` is {klass}",
            "remove it, or change the class",
        )
        return False

    def _no_such_key(self, field: Field, context: Context) -> None:
        span = self.places.key(field)
        known = FIELD_BY_KEY.get(field.key)
        if known is not None:
            homes = " or ".join(where.value for where in Where if where in known.where)
            message = f"`{field.key}` does not belong in {context.where.value}"
            self.note(rules.MISPLACED_KEY, span, message, f"write it in {homes}")
            return
        near = closest(field.key, KEYS_WHERE[context.where]) or closest(field.key, FIELD_BY_KEY)
        hint = f"did you mean `{near}`?" if near else None
        message = f"`{field.key}` is not a key of {context.where.value}"
        self.note(rules.UNKNOWN_KEY, span, message, hint)

    def _mismatch(self, field: Field, spec: FieldSpec, mismatch: Mismatch) -> None:
        hint = None
        if mismatch.words:
            near = closest(mismatch.found, mismatch.words)
            shown = mismatch.words[:20]
            hint = f"did you mean `{near}`?" if near else f"use one of {', '.join(shown)}"
        elif isinstance(spec.type, ListOf) and spec.type.item.matches(field.value):
            hint = "put it in brackets, even if it is the only one"
        self.note(
            _FAULT_RULES[mismatch.fault],
            self.places.value(field, mismatch.path),
            f"`{field.key}`: {mismatch.message}",
            hint,
        )

    def _confidence(self, field: Field, spec: FieldSpec) -> bool:
        assert field.confidence is not None  # noqa: S101 - the caller looked
        if not spec.estimate:
            kind = "a fact" if spec.strength == "fact" else "a promise"
            self.note(
                rules.CONFIDENCE_ON_CONTRACT,
                self.places.confidence(field),
                f"`{field.key}` is {kind} ({spec.strength}) and carries no confidence",
                "remove the confidence: only estimates have one",
            )
            return False
        if not 0.0 <= field.confidence <= 1.0:
            self.note(
                rules.CONFIDENCE_RANGE,
                self.places.confidence(field),
                "a confidence is a number from 0 to 1",
            )
            return False
        return True


_WRONG = Field("", False)  # noqa: FBT003 - a sentinel in place of a field that was left out
