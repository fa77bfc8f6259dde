"""Rules about names: what is declared and serves nobody, and who belongs to whom."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Object, Phase, Plan, Signal, Template
from mirc.ir.names import families_of
from mirc.ir.places import Mark
from mirc.ir.types import RefKind
from mirc.ir.values import Name, Text
from mirc.lint.context import Context
from mirc.lint.repair import RemoveBlock
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.uses import uses_of


class UnusedObject(LintRule):
    """No step reads or writes the object, and nothing else speaks of it.

    Only in files whose phases have steps: without them, nobody can tell what is used.
    """

    code = "MIR901"
    name = "unused-object"
    severity = Severity.HINT
    message = "`{object}` is declared, but nothing uses it"
    hint = "name it in a step's `reads` or `writes`, or remove it"
    bad = """
object x { class = WEIGHT_TILE }
object y { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
"""
    good = """
object x { class = WEIGHT_TILE }
object y { class = WEIGHT_TILE }
phase p { step s { reads = [x, y] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        if context.has_steps:
            for block in _unused(context):
                if not (isinstance(block, Object) and block.extern):
                    yield self.at(block, object=block.name)


class UnusedExtern(LintRule):
    """An extern object says that another file's object is used here, and it is not.

    What it stood for has probably gone; the declaration keeps a dependency alive that is none.
    """

    code = "MIR902"
    name = "unused-extern"
    severity = Severity.WARNING
    message = "`{object}` of another file is not used here"
    hint = "remove the declaration"
    fixable = True
    bad = """
extern object x
object y { class = WEIGHT_TILE }
phase p { step s { reads = [y] } }
"""
    good = """
extern object x
object y { class = WEIGHT_TILE }
phase p { step s { reads = [x, y] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        if not any(block.extern for block in context.module.objects.values()):
            return
        for block in _unused(context):
            if isinstance(block, Object) and block.extern:
                yield self.at(block, object=block.name, repair=RemoveBlock(block))


class NotAMember(LintRule):
    """An object says that it belongs to a coalition or a claim, whose own list leaves it out.

    One of the two was edited and the other forgotten; a controller cannot know which.
    """

    code = "MIR903"
    name = "not-a-member"
    severity = Severity.WARNING
    message = "`{object}` belongs to the {kind} `{group}`, which does not list it"
    hint = "add it to the `{list}` of `{group}`, or remove it here"
    bad = """
object x { class = WEIGHT_TILE  coalition_hints = [layer_0] }
object y { class = WEIGHT_TILE }
object z { class = WEIGHT_TILE }
coalition layer_0 { members = [y, z] }
"""
    good = """
object x { class = WEIGHT_TILE  coalition_hints = [layer_0] }
object y { class = WEIGHT_TILE }
object z { class = WEIGHT_TILE }
coalition layer_0 { members = [x, y, z] }
"""
    GROUPS = (("coalition_hints", "coalition", "members"), ("claimed_by", "claim", "objects"))

    def _findings(self, context: Context) -> Iterator[Found]:
        blocks = {
            "coalition_hints": dict[str, Block](context.module.coalitions),
            "claimed_by": dict[str, Block](context.module.claims),
        }
        for key, kind, listed in self.GROUPS:
            members: dict[str, frozenset[str]] = {}
            for field, scopes in context.lines(key):
                for group in texts(field.value):
                    block = blocks[key][group]
                    if group not in members:
                        members[group] = frozenset(texts(block.value(listed)))
                    if block.value(listed) is None:
                        continue
                    for scope in scopes:
                        names = (scope.name, *families_of(scope.name))
                        if not members[group].intersection(names):
                            yield self.at(
                                scope.nearest,
                                key,
                                related=seen_at(Mark(block, listed), "its list is here"),
                                object=scope.name,
                                kind=kind,
                                group=group,
                                list=listed,
                            )


class UnusedTenant(LintRule):
    """No object and no claim counts against the tenant, so its quota limits nothing."""

    code = "MIR904"
    name = "unused-tenant"
    severity = Severity.HINT
    message = "nothing counts against the tenant `{tenant}`"
    hint = "name it in the `tenant_id` of what it holds, or remove it"
    bad = """
tenant support { quota_bytes = 4GiB }
tenant research { quota_bytes = 2GiB }
object x { class = KV_BLOCK  tenant_id = support }
"""
    good = """
tenant support { quota_bytes = 4GiB }
object x { class = KV_BLOCK  tenant_id = support }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        module = context.module
        used = {text for field, _ in context.lines("tenant_id") for text in texts(field.value)}
        for claim in module.claims.values():
            used.update(texts(claim.value("tenant_id")))
        # Whose the instances of a template are is known as the run goes.
        if used and not module.templates:
            for tenant in module.tenants.values():
                if tenant.name not in used:
                    yield self.at(tenant, tenant=tenant.name)


class CoalitionOfOne(LintRule):
    """A coalition says what is used together; one object alone is used with nobody."""

    code = "MIR906"
    name = "coalition-of-one"
    severity = Severity.HINT
    message = "the coalition `{coalition}` has a single member"
    hint = "add what is used together with `{object}`, or remove the coalition"
    bad = """
object x { class = WEIGHT_TILE }
coalition layer_0 { members = [x] }
"""
    good = """
object x { class = WEIGHT_TILE }
object y { class = WEIGHT_TILE }
coalition layer_0 { members = [x, y] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        module = context.module
        for coalition in module.coalitions.values():
            members = tuple(texts(coalition.value("members")))
            if len(members) != 1 or len(module.parts(members[0])) > 1:
                continue
            alone = module.data.get(members[0])
            if isinstance(alone, Object) and not alone.extern:  # a template is many
                yield self.at(coalition, "members", coalition=coalition.name, object=members[0])


def _unused(context: Context) -> Iterator[Object | Template]:
    used = context.once(_spoken_of)
    for block in context.module.declarations:
        if isinstance(block, Object | Template) and block.name not in used:
            if block.name.endswith("]") and not used.isdisjoint(families_of(block.name)):
                continue
            yield block


def _spoken_of(context: Context) -> frozenset[str]:
    """Return every name that a reference or an override speaks of, families as they stand."""
    uses = context.once(uses_of)
    found = {*uses.reads, *uses.writes}
    for block in context.module.declarations:
        if not isinstance(block, Object | Template):
            found.update(_referenced(block))
        if isinstance(block, Phase | Signal | Plan):
            found.update(override.name for override in block.overrides)
        if isinstance(block, Plan):
            for phase in block.phases:
                found.update(override.name for override in phase.overrides)
    return frozenset(found)


def _referenced(block: Block) -> Iterator[str]:
    for field in block.fields:
        for reference in FIELD_BY_KEY[field.key].type.references(field.value):
            if reference.kind is RefKind.DATA:
                yield reference.name


def texts(value: object) -> Iterator[str]:
    """Yield the names in a value: itself, or those of a list."""
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, Name | Text):
            yield item.text
