"""Rules about sizes and parts: what steps take of an object, against what there is of it."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.names import part_range
from mirc.ir.places import Mark
from mirc.ir.resolve import read, read_field
from mirc.lint.context import Context
from mirc.lint.rule import Found, LintRule
from mirc.lint.sizes import human
from mirc.lint.uses import uses_of


class EmptyObject(LintRule):
    """An object of no bytes takes no room and needs no intent: its size was probably not known."""

    code = "MIR430"
    name = "empty-object"
    severity = Severity.WARNING
    message = "`{object}` has a size of 0 bytes"
    hint = "write its size, or leave `size_bytes` out if it is not known"
    bad = """
object x { class = WEIGHT_TILE  size_bytes = 0 }
"""
    good = """
object x { class = WEIGHT_TILE  size_bytes = 1MiB }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for field, scopes in context.lines("size_bytes"):
            amount = read_field(field)
            if getattr(amount, "amount", amount) == 0:
                for scope in scopes:
                    yield self.at(scope.nearest, "size_bytes", object=scope.name)


class TouchBeyondSize(LintRule):
    """A step touches more bytes of an object than it has."""

    code = "MIR431"
    name = "touch-beyond-size"
    severity = Severity.ERROR
    message = "`{step}` touches {touched} of `{object}`, which has {size}"
    hint = "write `{object}` alone to use all of it, or put its `size_bytes` right"
    bad = """
object x { class = WEIGHT_TILE  size_bytes = 1MiB }
phase p { step s { reads = [TOUCH(x, 2MiB)] } }
"""
    good = """
object x { class = WEIGHT_TILE  size_bytes = 2MiB }
phase p { step s { reads = [TOUCH(x, 1MiB)] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        sizes: dict[str, int | None] = {}
        for use in context.once(uses_of).partial:
            access = use.access
            if not isinstance(access.touched, int):
                continue
            if access.name not in sizes:
                sizes[access.name] = _size(context, access.name)
            size = sizes[access.name]
            if size is not None and access.touched > size:
                yield self.at(
                    use.at.step,
                    use.key,
                    path=(use.place,),
                    step=use.at.step.name,
                    object=access.name,
                    touched=human(access.touched),
                    size=human(size),
                )


class RepeatedUse(LintRule):
    """A step names the same use twice in one list: the bytes are counted twice.

    Most likely another object was meant.
    """

    code = "MIR435"
    name = "repeated-use"
    severity = Severity.HINT
    message = "`{step}` names the same thing twice in `{key}`"
    hint = "remove one, or name what was meant"
    bad = """
object x { class = INPUT }
phase p { step s { reads = [x, x] } }
"""
    good = """
object x { class = INPUT }
object y { class = INPUT }
phase p { step s { reads = [x, y] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for phase in context.module.phases.values():
            for step in phase.steps:
                for field in step.fields:
                    value = field.value
                    if field.key not in ("reads", "writes") or not isinstance(value, tuple):
                        continue
                    if len(value) < 2 or len(set(value)) == len(value):
                        continue
                    second = next(i for i, v in enumerate(value) if value.index(v) < i)
                    yield self.at(step, field.key, path=(second,), step=step.name, key=field.key)


class RoutedBeyondFamily(LintRule):
    """A step routes each token to more experts than the family has."""

    code = "MIR432"
    name = "routed-beyond-family"
    severity = Severity.ERROR
    message = "`{step}` routes to {top_k} experts of `{family}`, which has {count}"
    hint = "write at most {count}, or declare the missing experts"
    bad = """
object experts[0] { class = EXPERT_WEIGHT }
object experts[1] { class = EXPERT_WEIGHT }
phase p { step s { reads = [ROUTED(experts, 4)] } }
"""
    good = """
object experts[0] { class = EXPERT_WEIGHT }
object experts[1] { class = EXPERT_WEIGHT }
phase p { step s { reads = [ROUTED(experts, 2)] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        module = context.module
        counts: dict[str, int] = {}
        for use in context.once(uses_of).partial:
            access = use.access
            if access.top_k is None:
                continue
            if access.name not in counts:
                parts = module.parts(access.name)
                experts = {part[: part.find("]", len(access.name)) + 1] for part in parts}
                unknown = access.name in parts or any(
                    getattr(module.data[part], "extern", False) for part in parts
                )
                counts[access.name] = 0 if unknown else len(experts)
            if 0 < counts[access.name] < access.top_k:
                yield self.at(
                    use.at.step,
                    use.key,
                    path=(use.place,),
                    step=use.at.step.name,
                    top_k=access.top_k,
                    family=access.name,
                    count=counts[access.name],
                )


class OverlappingParts(LintRule):
    """Two parts of a family hold the same rows, whose bytes then count twice.

    A range ends before its last number: `P[0:8]` and `P[8:16]` lie side by side.
    """

    code = "MIR433"
    name = "overlapping-parts"
    severity = Severity.WARNING
    message = "`{second}` and `{first}` hold {count} of the same rows"
    hint = "let one end where the other begins; the end of a range is not part of it"
    bad = """
object w[0:8] { class = WEIGHT_TILE }
object w[4:12] { class = WEIGHT_TILE }
"""
    good = """
object w[0:8] { class = WEIGHT_TILE }
object w[8:12] { class = WEIGHT_TILE }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        families: dict[str, list[tuple[int, int, str]]] = {}
        objects = context.module.objects
        for name in objects:
            rows = part_range(name) if name.endswith("]") else None
            if rows is not None:
                families.setdefault(name[: name.rindex("[")], []).append((*rows, name))
        for parts in families.values():
            reach, first = 0, ""  # of those before, the one that ends last
            for start, end, second in sorted(parts):
                if start < min(reach, end):
                    yield self.at(
                        objects[second],
                        related=((Mark(objects[first]), "the other is here"),),
                        first=first,
                        second=second,
                        count=min(reach, end) - start,
                    )
                if end > reach:
                    reach, first = end, second


def _size(context: Context, name: str) -> int | None:
    """Return the bytes of an object or a family, None where any is unknown or symbolic."""
    total = 0
    for part in context.module.parts(name):
        size = read(context.module.data[part], "size_bytes")
        if not isinstance(size, int):
            return None
        total += size
    return total or None
