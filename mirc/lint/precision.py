"""Rules about the element types that an object may be held in."""

from collections.abc import Iterator
from itertools import pairwise

from mirc.diagnostics import Severity
from mirc.ir.enums import DType, bits_of
from mirc.lint.context import Context
from mirc.lint.repair import OrderElements, RemoveElement
from mirc.lint.rule import Found, LintRule, seen_at


class LadderOrder(LintRule):
    """A precision ladder goes up where it should go down.

    It names the widest type first: a cold master keeps that one, and each rung below saves bytes.
    """

    code = "MIR427"
    name = "ladder-order"
    severity = Severity.WARNING
    message = "`precision_ladder` of `{object}` puts {first} before {second}, which is wider"
    hint = "write [{sorted}]"
    fixable = True
    bad = """
object x { class = WEIGHT_TILE  precision_ladder = [int8, bfloat16] }
"""
    good = """
object x { class = WEIGHT_TILE  precision_ladder = [bfloat16, int8] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("precision_ladder"):
            ladder: tuple[DType, ...] = scope.written("precision_ladder")
            pairs = ((a, b) for a, b in pairwise(ladder) if bits_of(a) < bits_of(b))
            first, second = next(pairs, (None, None))
            if first is None:
                continue
            order = sorted(range(len(ladder)), key=lambda index: -bits_of(ladder[index]))
            for each in scopes:
                yield self.at(
                    each.nearest,
                    "precision_ladder",
                    repair=OrderElements(each.nearest, "precision_ladder", tuple(order)),
                    object=each.name,
                    first=first,
                    second=second,
                    sorted=", ".join(ladder[index] for index in order),
                )


class LadderBelowFloor(LintRule):
    """A rung of the precision ladder lies below the floor.

    The floor is never crossed, whatever the pressure: the rung is never used.
    """

    code = "MIR428"
    name = "ladder-below-floor"
    severity = Severity.WARNING
    message = "`precision_ladder` of `{object}` holds {rung}, which is below its floor {floor}"
    hint = "remove {rung}, or lower the floor"
    fixable = True
    bad = """
object x { class = WEIGHT_TILE  precision_ladder = [bfloat16, int8, int4]  precision_floor = int8 }
"""
    good = """
object x { class = WEIGHT_TILE  precision_ladder = [bfloat16, int8]  precision_floor = int8 }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("precision_ladder"):
            ladder: tuple[DType, ...] = scope.written("precision_ladder")
            floor: DType | None = scope.written("precision_floor")
            if floor is None:
                continue
            below = [i for i, rung in enumerate(ladder) if bits_of(rung) < bits_of(floor)]
            for each in scopes:
                block = each.nearest
                for index in below:
                    sure = len(below) < len(ladder)
                    yield self.at(
                        block,
                        "precision_ladder",
                        path=(index,),
                        related=seen_at(each.mark("precision_floor"), "the floor is here"),
                        repair=RemoveElement(block, "precision_ladder", index) if sure else None,
                        object=each.name,
                        rung=ladder[index],
                        floor=floor,
                    )


class FloorAboveType(LintRule):
    """An object's own element type is narrower than the narrowest that it may be held in."""

    code = "MIR429"
    name = "floor-above-type"
    severity = Severity.WARNING
    message = "`{object}` is stored as {dtype}, which is below its `precision_floor` {floor}"
    hint = "lower the floor to {dtype}, or store it wider"
    bad = """
object x { class = WEIGHT_TILE  dtype = int8  precision_floor = bfloat16 }
"""
    good = """
object x { class = WEIGHT_TILE  dtype = bfloat16  precision_floor = bfloat16 }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("precision_floor"):
            floor, dtype = (scope.written(key) for key in ("precision_floor", "dtype"))
            if dtype is not None and bits_of(dtype) < bits_of(floor):
                for each in scopes:
                    yield self.at(
                        each.nearest,
                        "precision_floor",
                        related=seen_at(each.mark("dtype"), "its type is here"),
                        object=each.name,
                        dtype=dtype,
                        floor=floor,
                    )
