"""Rules about the kind of value that a field is given."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import Level, ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.levels import LEVELS
from mirc.ir.module import Field
from mirc.ir.places import Mark
from mirc.ir.values import Name, Time
from mirc.lint.context import Context, Scope
from mirc.lint.rule import Found, LintRule


class MachineFact(LintRule):
    """A fact of one machine in the intent, which is meant to be true on all of them.

    Microseconds, and what is cheap, differ from machine to machine; a plan names its machine.
    """

    code = "MIR408"
    name = "machine-fact"
    severity = Severity.HINT
    message = "`{key}` is a fact of one machine"
    hint = "move it into a `plan`, which names its machine"
    bad = """
object x { class = WEIGHT_TILE }
phase p { override x { prefetch_horizon_us = 12 } }
"""
    good = """
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
plan fast {
  machine = "h100-sxm"
  phase p { override x { prefetch_horizon_us = 12 } }
}
"""
    KEYS = tuple(
        key for key, spec in FIELD_BY_KEY.items() if not spec.portable and spec.unit == "us"
    )

    def _findings(self, context: Context) -> Iterator[Found]:
        for key in self.KEYS:
            for _, scopes in context.lines(key):
                for scope in scopes:
                    if scope.plan is None:
                        yield self.at(scope.nearest, key, key=key)


class MixedLevels(LintRule):
    """One field of one class of objects is a level here and a number there.

    `HIGH` counts as three in four; beside measured numbers it ranks where nobody put it. Said once
    for a field and class, at the first of those that are fewer.
    """

    code = "MIR409"
    name = "mixed-levels"
    severity = Severity.HINT
    message = "`{key}` of `{object}` is a {this}, but {count} of the class {klass} {give} a {other}"
    hint = "use one of the two for every {klass}"
    bad = """
object x { class = WEIGHT_TILE  reuse = HIGH }
object y { class = WEIGHT_TILE  reuse = 0.7 @ 0.9 }
object z { class = WEIGHT_TILE  reuse = 0.2 @ 0.9 }
"""
    good = """
object x { class = WEIGHT_TILE  reuse = 0.9 @ 0.5 }
object y { class = WEIGHT_TILE  reuse = 0.7 @ 0.9 }
object z { class = WEIGHT_TILE  reuse = 0.2 @ 0.9 }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for key in LEVELS:
            lines = [(form, s) for f, s in context.lines(key) if (form := _form(f)) is not None]
            given: dict[ObjectClass | None, dict[str, list[Scope]]] = {}
            for form, scopes in lines if len({form for form, _ in lines}) > 1 else ():
                for scope in scopes:
                    given.setdefault(scope.klass, {}).setdefault(form, []).append(scope)
            for klass, forms in given.items():
                if klass is not None and len(forms) > 1:
                    yield self._found(key, klass, forms)

    def _found(self, key: str, klass: ObjectClass, forms: dict[str, list[Scope]]) -> Found:
        this, other = sorted(forms, key=lambda form: (len(forms[form]), form))
        here, there = (min(forms[form], key=lambda s: s.position) for form in (this, other))
        return self.at(
            here.nearest,
            key,
            related=((Mark(there.nearest, key), f"a {other} is given here"),),
            key=key,
            object=here.name,
            this=this,
            other=other,
            count=len(forms[other]),
            give="gives" if len(forms[other]) == 1 else "give",
            klass=klass,
        )


def _form(field: Field) -> str | None:
    """Return which of the two a line gives; `EVERY(...)` and `ONCE` are neither."""
    if isinstance(field.value, Name) and field.value.text in Level.__members__:
        return "level"
    return "number" if isinstance(field.value, int | float | Time) else None
