"""Rules about how a file is written: order, names, quotes. Most speak only when selected."""

import re
from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.grammar.locate import SourcePlaces
from mirc.ir.fields import FIELD_BY_KEY, FIELDS, Strength
from mirc.ir.module import Block, Phase, Plan, Signal
from mirc.ir.names import is_bare
from mirc.ir.places import Mark, Places
from mirc.ir.values import Text, Value
from mirc.lint.context import Context
from mirc.lint.repair import OrderFields, ReplaceName, ReplaceValue
from mirc.lint.rule import Found, LintRule

_RANK = {spec.key: rank for rank, spec in enumerate(FIELDS)}
_QUOTED = r'"([^"\\\n]*)"'


class NamesAlike(LintRule):
    """Two names differ only in upper and lower case.

    Both are right, and one of them will be written where the other was meant.
    """

    code = "MIR907"
    name = "names-alike"
    severity = Severity.HINT
    message = "`{name}` and `{other}` differ only in upper and lower case"
    hint = "rename one of them"
    bad = """
object layer.W { class = WEIGHT_TILE }
object layer.w { class = WEIGHT_TILE }
"""
    good = """
object layer.weight { class = WEIGHT_TILE }
object layer.window { class = WEIGHT_TILE }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        first: dict[str, str] = {}
        data = context.module.data
        for name, block in data.items():
            other = first.setdefault(name.casefold(), name)
            if other is not name:
                related = ((Mark(data[other]), "the other is here"),)
                yield self.at(block, related=related, name=name, other=other)


class EstimateWithoutConfidence(LintRule):
    """An estimate does not say how sure it is.

    Without a confidence it can be compared with what happened, but nobody can tell whether its
    author knew better than chance. Only what the author knows can stand there.
    """

    code = "MIR910"
    name = "estimate-without-confidence"
    severity = Severity.HINT
    default = False
    message = "the estimate `{key}` of `{object}` carries no confidence"
    hint = "append one: `@ 0.9` if it is right nine times in ten"
    bad = """
object x { class = WEIGHT_TILE  reuse = HIGH }
"""
    good = """
object x { class = WEIGHT_TILE  reuse = HIGH @ 0.9 }
"""
    KEYS = tuple(spec.key for spec in FIELDS if spec.strength is Strength.PRIOR)

    def _findings(self, context: Context) -> Iterator[Found]:
        for key in self.KEYS:
            for field, scopes in context.lines(key):
                for scope in scopes if field.confidence is None else ():
                    yield self.at(scope.nearest, key, key=key, object=scope.name)


class FieldOrder(LintRule):
    """A block's fields stand in another order than the language's page lists them.

    One order everywhere (what it is, how it lives, where, what may happen to it) lets readers find
    a field without looking for it, and keeps differences between two versions small.
    """

    code = "MIR911"
    name = "field-order"
    severity = Severity.HINT
    default = False
    fixable = True
    message = "`{key}` of `{name}` belongs before `{before}`"
    hint = "order the fields as the language's page does: {order}"
    bad = """
object x { spill_policy = ALLOW  class = KV_BLOCK }
"""
    good = """
object x { class = KV_BLOCK  spill_policy = ALLOW }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        orders: dict[tuple[int, ...], tuple[int, ...]] = {}
        for block in _blocks(context):
            ranks = tuple(_RANK[field.key] for field in block.fields)
            if ranks not in orders:
                orders[ranks] = tuple(sorted(range(len(ranks)), key=ranks.__getitem__))
            order = orders[ranks]
            wrong = next((i for i, place in enumerate(order) if i != place), None)
            if wrong is None:
                continue
            keys = [block.fields[place].key for place in order]
            yield self.at(
                block,
                keys[wrong],
                repair=OrderFields(block, order),
                key=keys[wrong],
                name=block.name,
                before=block.fields[wrong].key,
                order=", ".join(keys),
            )


class NeedlessQuotes(LintRule):
    """A name is quoted that could stand without quotes, as it does elsewhere.

    Searching for it then finds only some of the places.
    """

    code = "MIR912"
    name = "needless-quotes"
    severity = Severity.HINT
    default = False
    fixable = True
    message = "the name `{name}` needs no quotes"
    hint = "write it bare"
    bad = (
        """
object w[0:8] { class = WEIGHT_TILE }
phase p { step s { reads = ["w[0:8]"] } }
""",
        """
object "w" { class = WEIGHT_TILE }
""",
    )
    good = """
object w[0:8] { class = WEIGHT_TILE }
phase p { step s { reads = [w[0:8]] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        text = context.places.text if isinstance(context.places, SourcePlaces) else ""
        quoted = frozenset(re.findall(_QUOTED, text))
        for block in _blocks(context):
            name = block.name
            if name in quoted and is_bare(name) and _is_quoted(context.places, block):
                yield self.at(block, repair=ReplaceName(block, block.name), name=block.name)
            for field in block.fields:
                if not _has_text(field.value):
                    continue
                for reference in FIELD_BY_KEY[field.key].type.references(field.value):
                    found = _element(field.value, reference.path)
                    if isinstance(found, Text) and is_bare(found.text):
                        repair = ReplaceValue(block, field.key, found.text, reference.path)
                        yield self.at(
                            block, field.key, path=reference.path, repair=repair, name=found.text
                        )


class AwkwardName(LintRule):
    """A name has to be quoted everywhere, or begins with a number.

    The first cannot be searched for as a word; the second looks like a quantity beside one.
    """

    code = "MIR913"
    name = "awkward-name"
    severity = Severity.HINT
    default = False
    message = "the name `{name}` {fault}"
    hint = "use letters, digits and `_`, in parts joined by dots, beginning with a letter"
    bad = (
        """
object "attention weights" { class = WEIGHT_TILE }
""",
        """
object 0.weight { class = WEIGHT_TILE }
""",
    )
    good = """
object attention.weights { class = WEIGHT_TILE }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for block in context.module.declarations:
            if not is_bare(block.name):
                yield self.at(block, name=block.name, fault="has to be quoted everywhere")
            elif block.name[0].isdigit():
                yield self.at(block, name=block.name, fault="begins with a number")


def _is_quoted(places: Places, block: Block) -> bool:
    return isinstance(places, SourcePlaces) and places.text[places.name(block).start] == '"'


def _blocks(context: Context) -> Iterator[Block]:
    """Yield every block of the module, those inside others too."""
    if context.module.info is not None:
        yield context.module.info
    for block in context.module.declarations:
        yield block
        if isinstance(block, Phase):
            yield from block.steps
        if isinstance(block, Phase | Signal | Plan):
            yield from block.overrides
        if isinstance(block, Plan):
            for phase in block.phases:
                yield phase
                yield from phase.overrides


def _has_text(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_text, value))
    return isinstance(value, Text) or bool(getattr(value, "args", ()))


def _element(value: Value, path: tuple[int, ...]) -> Value:
    for index in path:
        value = value[index] if isinstance(value, tuple) else value.args[index]  # type: ignore[union-attr]
    return value
