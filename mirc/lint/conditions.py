"""Rules about conditions that nothing in the file can bring about."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import (
    Mutability,
    ObjectClass,
    Retirement,
    SharingScope,
    SignalKind,
    WritePolicy,
)
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.meaning import Applied, Condition
from mirc.ir.module import Block, Template
from mirc.ir.resolve import read, read_field
from mirc.lint.context import Context, Scope
from mirc.lint.events import Events, events_of
from mirc.lint.rule import Found, LintRule
from mirc.lint.uses import uses_of

_SIGNALS = frozenset(kind.value for kind in SignalKind)
_TIMELESS = frozenset(
    (
        ObjectClass.WEIGHT_TILE,
        ObjectClass.EXPERT_WEIGHT,
        ObjectClass.GRADIENT_SHARD,
        ObjectClass.OPTIMIZER_STATE,
        ObjectClass.CHECKPOINT_FRAGMENT,
        ObjectClass.CONSTANT,
    )
)


class NeverRetired(LintRule):
    """What is to retire the object never happens, so its bytes are never given back.

    Where the file says what its steps do, the event must be raised by one of them (or be the end of
    a collective, an update phase or a checkpoint phase), and a last use needs a first.
    """

    code = "MIR412"
    name = "never-retired"
    severity = Severity.WARNING
    message = "`{object}` is to retire at {word}, but {reason}"
    hint = "use another `retire`, or add what brings it about"
    bad = (
        """
object x { class = GRADIENT_SHARD  retire = ALLREDUCE_COMPLETE }
phase p { step s { reads = [x] } }
""",
        """
object x { class = WEIGHT_TILE  retire = WINDOW(4096) }
phase p { step s { reads = [x] } }
""",
        """
object x { class = ACTIVATION  retire = LAST_USE }
phase p { step s { writes = [x] } }
""",
    )
    good = """
object x { class = GRADIENT_SHARD  retire = ALLREDUCE_COMPLETE }
phase p { step s { reads = [x]  raises = [ALLREDUCE_COMPLETE] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for field, scopes in context.lines("retire"):
            retire = read_field(field)
            for scope in scopes:
                reason = self._reason(context, scope, retire.word)
                if reason is not None:
                    yield self.at(
                        scope.nearest, "retire", object=scope.name, word=retire.word, reason=reason
                    )

    def _reason(self, context: Context, scope: Scope, word: str) -> str | None:
        if word == "WINDOW":
            return "it holds no tokens that grow old" if scope.klass in _TIMELESS else None
        if word in (Retirement.ALLREDUCE_COMPLETE, Retirement.UPDATE_COMPLETE):
            happens = context.once(events_of).happens(word)
            return None if happens else "no step of the file brings that about"
        uses = context.once(uses_of)
        if word == Retirement.LAST_USE and uses.writers(scope.name):
            return None if uses.readers(scope.name) else "no step reads it"
        return None


class EventNeverRaised(LintRule):
    """Something lasts until an event that no step raises and the runtime does not know.

    The protection or the claim then never ends: bytes are held for good.
    """

    code = "MIR413"
    name = "event-never-raised"
    severity = Severity.WARNING
    message = "`{key}` of `{name}` waits for {event}, which no step raises"
    hint = "add `raises = [{event}]` to the step that ends it"
    bad = (
        """
object x { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE }
phase p { step s { reads = [x] } }
""",
        """
object x { class = KV_BLOCK }
claim c { holder = gateway  objects = [x]  until = SHIFT_OVER }
""",
    )
    good = """
object x { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE }
phase p { step s { reads = [x]  raises = [ALLREDUCE_COMPLETE] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        events = context.once(events_of)
        for field, scopes in context.lines("anti_evict_rule"):
            event = _missed(read_field(field), events)
            if event is not None:
                for scope in scopes:
                    yield self._found(scope.nearest, field.key, event)
        for claim in context.module.claims.values():
            for key in ("until", "materialized"):
                event = _missed(read(claim, key), events)
                if event is not None:
                    yield self._found(claim, key, event)

    def _found(self, block: Block, key: str, event: str) -> Found:
        return self.at(block, key, key=key, name=block.name, event=event)


class ConditionNeverTrue(LintRule):
    """A protection holds while something is so that never is: it protects nothing.

    Fan-out is the number of sequences that read the same bytes: only what sequences may share
    has one. Bytes that nobody writes, or that are written through, are never dirty; and nothing is
    speculative without a speculative phase. (A template's sharing is known as the run goes.)
    """

    code = "MIR414"
    name = "condition-never-true"
    severity = Severity.WARNING
    message = "`{rule}` never holds for `{object}`: {reason}"
    hint = "{advice}"
    bad = (
        """
object x { class = KV_BLOCK  anti_evict_rule = WHILE_FANOUT_GT_1 }
""",
        """
object x {
  class           = KV_BLOCK
  sharing_scope   = SEQUENCE_GROUP(17, 18)
  anti_evict_rule = WHILE_FANOUT_GT_2
}
""",
        """
object x { class = WEIGHT_TILE  anti_evict_rule = WHILE_DIRTY }
""",
        """
object x { class = KV_BLOCK  anti_evict_rule = WHILE_SPECULATIVE }
phase p { step s { reads = [x] } }
""",
    )
    good = """
object x { class = KV_BLOCK  sharing_scope = PREFIX  anti_evict_rule = WHILE_FANOUT_GT_1 }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        phases = context.module.phases.values()
        drafts = not phases or any(read(phase, "speculative") for phase in phases)
        for scope, scopes in context.alike("anti_evict_rule"):
            rule: Condition = scope.value("anti_evict_rule")
            if rule.until or scope.klass is None:
                continue
            reason = advice = None
            if rule.word.startswith("FANOUT"):
                reason, advice = _never_shared(scope, rule), "add `sharing_scope = PREFIX`"
            elif rule.word == "DIRTY":
                reason, advice = _never_dirty(scope), "remove it, or protect it by a pin"
            elif rule.word == "SPECULATIVE" and not drafts:
                reason, advice = "no phase is speculative", "mark the phase that drafts"
            for each in scopes if reason is not None else ():
                bound = "" if rule.bound is None else f"_{rule.bound}"
                yield self.at(
                    each.nearest,
                    "anti_evict_rule",
                    rule=f"WHILE_{rule.word}{bound}",
                    object=each.name,
                    reason=reason,
                    advice=advice,
                )


def _never_shared(scope: Scope, rule: Condition) -> str | None:
    if scope.klass not in FIELD_BY_KEY["sharing_scope"].classes:
        return f"sequences do not share a {scope.klass}"
    sharing: Applied | None = scope.written("sharing_scope")
    if sharing is None:
        if isinstance(scope.declaration, Template):
            return None
        return "it has no `sharing_scope`, so one sequence reads it"
    least = (rule.bound or 0) + (rule.word == "FANOUT_GT")
    if sharing.word == SharingScope.SEQUENCE and least > 1:
        return "its `sharing_scope` is one sequence"
    if sharing.word == SharingScope.SEQUENCE_GROUP and sharing.args and len(sharing.args) < least:
        return f"its group has {len(sharing.args)} sequences"
    return None


def _never_dirty(scope: Scope) -> str | None:
    if scope.value("mutability") is Mutability.READ_ONLY or scope.value("immutable"):
        return "nobody writes it"
    if scope.value("write_policy") is WritePolicy.WRITE_THROUGH:
        return "every write goes through to the tier below"
    return None


def _missed(value: object, events: Events) -> str | None:
    """Return the event that a condition waits for, if it never happens."""
    if isinstance(value, Condition) and value.until:
        return None if events.happens(value.word, value.args) else value.word
    if isinstance(value, Applied):
        word = value.word.removeprefix("UNTIL_")
        known = events.happens(word, value.args) or word.lower() in _SIGNALS
        return None if known else word
    return None
