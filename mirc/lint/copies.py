"""Rules about who may write an object's bytes, and which copy outlives which."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import Mutability, PersistenceScope, Recompute, TierKind, WritePolicy
from mirc.ir.places import Mark
from mirc.lint.context import Context
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.uses import At, uses_of

_FIXED = (Mutability.READ_ONLY, Mutability.WRITE_ONCE)


class SharedMutable(LintRule):
    """Copies of an object that may still be written would have to be kept equal.

    Nothing in the memory system does that: replicas and multicast are for bytes that stay.
    """

    code = "MIR404"
    name = "shared-mutable"
    severity = Severity.WARNING
    message = "`{key}` lets copies of `{object}` exist, but its mutability is {mutability}"
    hint = "set `mutability = READ_ONLY` or `immutable = true` if nobody writes it any more"
    bad = """
object x { class = OPTIMIZER_STATE  replication_allowed = true }
"""
    good = """
object x { class = WEIGHT_TILE  replication_allowed = true }
"""
    KEYS = ("replication_allowed", "multicast_eligible")

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike(*self.KEYS):
            mutability = scope.value("mutability")
            if mutability in _FIXED or scope.value("immutable") or scope.klass is None:
                continue
            for key in self.KEYS:
                for each in scopes if scope.affirms(key) else ():
                    yield self.at(
                        each.nearest, key, key=key, object=each.name, mutability=mutability
                    )


class WriteToReadOnly(LintRule):
    """A step writes an object that nobody may write: it is READ_ONLY, or immutable by then.

    Its copies are dropped without being saved, and the write is lost with them.
    """

    code = "MIR417"
    name = "write-to-read-only"
    severity = Severity.ERROR
    message = "`{step}` of `{phase}` writes `{object}`, which is {why}"
    hint = "write another object, or say in its `mutability` who may write it"
    bad = (
        """
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x]  writes = [x] } }
""",
        """
object x { class = KV_BLOCK }
phase p {
  step s { reads = [x]  writes = [x] }
  override x { immutable = true }
}
""",
    )
    good = """
object x { class = WEIGHT_TILE  mutability = MUTABLE  write_policy = WRITE_BACK }
phase p { step s { reads = [x]  writes = [x] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        writes = context.once(uses_of).writes
        for name, (first, *_) in writes.items():
            for part in context.module.parts(name)[:1]:  # of a family one finding is enough
                declared = context.of(part)[0]
                if declared.value("mutability") is Mutability.READ_ONLY:
                    mark = declared.mark("mutability") or Mark(declared.declaration, "class")
                    yield self._found(name, first, "READ_ONLY", mark)
        sealed = [s for field, found in context.lines("immutable") if field.value for s in found]
        by_phase = {
            (name, phase): at
            for name, found in (writes if sealed else {}).items()
            for at in reversed(found)
            for phase in (None, at.phase.name)
        }
        for scope in sealed:
            of_phase = scope.plan is None and scope.phase is not None
            phase = scope.phase.name if of_phase and scope.phase is not None else None
            writer = by_phase.get((scope.name, phase)) if of_phase or scope.is_declared else None
            if writer is not None and scope.value("mutability") not in _FIXED:
                mark = Mark(scope.nearest, "immutable")
                yield self._found(scope.name, writer, "immutable", mark)

    def _found(self, name: str, at: At, why: str, mark: Mark) -> Found:
        return self.at(
            at.step,
            "writes",
            related=seen_at(mark, "it says so here"),
            step=at.step.name,
            phase=at.phase.name,
            object=name,
            why=why,
        )


class ImmutableYetMutable(LintRule):
    """One declaration says that nobody writes the object any more, and that steps may."""

    code = "MIR418"
    name = "immutable-yet-mutable"
    severity = Severity.WARNING
    message = "`{object}` is immutable, but its mutability is {mutability}"
    hint = "remove one of the two; what is sealed later is made immutable by an override"
    bad = """
object x { class = METADATA_PAGE  mutability = MUTABLE  immutable = true }
"""
    good = """
object x { class = METADATA_PAGE  mutability = MUTABLE }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("mutability"):
            mutability = scope.written("mutability")
            if mutability not in _FIXED and scope.affirms("immutable"):
                for each in scopes:
                    yield self.at(
                        each.nearest,
                        "immutable",
                        related=seen_at(each.mark("mutability"), "its mutability is here"),
                        object=each.name,
                        mutability=mutability,
                    )


class ExpiresYetPersistent(LintRule):
    """An object is to outlive the process, and is wanted only for a while after its last use.

    Whether it may be given up when that time is over, the two say differently.
    """

    code = "MIR419"
    name = "expires-yet-persistent"
    severity = Severity.WARNING
    message = "`{object}` is PERSISTENT, but wanted for {time} after its last use only"
    hint = "remove `retain_us`, or use `persistence_scope = SESSION`"
    bad = """
object x { class = CHECKPOINT_FRAGMENT  persistence_scope = PERSISTENT  retain_us = 60s }
"""
    good = """
object x { class = CHECKPOINT_FRAGMENT  persistence_scope = PERSISTENT }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("retain_us", "persistence_scope"):
            field = scope.own("retain_us", "persistence_scope")
            lasting = scope.value("persistence_scope") is PersistenceScope.PERSISTENT
            if field is None or not lasting or scope.field("retain_us") is None:
                continue
            time = f"{scope.written('retain_us'):,.12g} us"
            for each in scopes:
                yield self.at(each.nearest, field.key, object=each.name, time=time)


class PersistentNowhere(LintRule):
    """An object is to outlive the process, but no tier that does keeps a copy of it."""

    code = "MIR420"
    name = "persistent-nowhere"
    severity = Severity.WARNING
    message = "`{object}` is PERSISTENT, but {backing}"
    hint = "add NVME to its `backing`"
    bad = (
        """
object x { class = CHECKPOINT_FRAGMENT  backing = [DRAM] }
""",
        """
object x { class = OPTIMIZER_STATE  persistence_scope = PERSISTENT }
""",
    )
    good = """
object x { class = CHECKPOINT_FRAGMENT  backing = [DRAM, NVME] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("persistence_scope", "backing"):
            field = scope.own("persistence_scope", "backing")
            backing = scope.value("backing") or ()
            lasting = scope.value("persistence_scope") is PersistenceScope.PERSISTENT
            if field is None or not lasting or TierKind.NVME in backing or scope.klass is None:
                continue
            words = f"only {' and '.join(backing)} backs it" if backing else "nothing backs it"
            for each in scopes:
                yield self.at(each.nearest, field.key, object=each.name, backing=words)


class WrittenNeverSaved(LintRule):
    """What is written to an object is never copied down, and it cannot be made again.

    The first eviction loses it.
    """

    code = "MIR421"
    name = "written-never-saved"
    severity = Severity.WARNING
    message = "`{object}` is {mutability}, but NO_WRITE never saves it and it cannot be recomputed"
    hint = "use WRITE_BACK or WRITE_THROUGH"
    bad = """
object x { class = OPTIMIZER_STATE  write_policy = NO_WRITE }
"""
    good = """
object x { class = OPTIMIZER_STATE  write_policy = WRITE_THROUGH }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("write_policy", "mutability"):
            field = scope.own("write_policy", "mutability")
            mutability = scope.value("mutability")
            lost = scope.value("write_policy") is WritePolicy.NO_WRITE
            lost = lost and scope.value("recompute_class") is Recompute.IMPOSSIBLE
            if field is None or not lost or scope.klass is None or scope.value("immutable"):
                continue
            for each in scopes if mutability is not Mutability.READ_ONLY else ():
                yield self.at(each.nearest, field.key, object=each.name, mutability=mutability)
