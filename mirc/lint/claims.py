"""Rules about claims: what they cover, and what they promise."""

from collections.abc import Iterator
from itertools import pairwise

from mirc.diagnostics import Severity
from mirc.ir.enums import ClaimLoss, Guarantee
from mirc.ir.module import Claim
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.references import texts
from mirc.lint.rule import Found, LintRule, seen_at


class LossAgainstGuarantee(LintRule):
    """A claim's guarantee and what its holder gets when it is lost say opposite things.

    A HARD claim is never lost: others are refused. One that may be lost refuses nobody.
    """

    code = "MIR424"
    name = "loss-against-guarantee"
    severity = Severity.WARNING
    message = "`{claim}` is {guarantee}, which `on_loss = {loss}` contradicts"
    hint = "{advice}"
    bad = (
        """
object x { class = KV_BLOCK }
claim c { holder = gateway  objects = [x]  guarantee = HARD  on_loss = DEMOTE }
""",
        """
object x { class = KV_BLOCK }
claim c { holder = gateway  objects = [x]  on_loss = REFUSE_OTHERS }
""",
    )
    good = """
object x { class = KV_BLOCK }
claim c { holder = gateway  objects = [x]  guarantee = HARD  on_loss = REFUSE_OTHERS }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for claim in context.module.claims.values():
            if claim.value("on_loss") is None:
                continue
            guarantee, loss = read(claim, "guarantee"), read(claim, "on_loss")
            refuses = loss is ClaimLoss.REFUSE_OTHERS
            if refuses == (guarantee is Guarantee.HARD):
                continue
            said = Mark(claim, "guarantee") if claim.value("guarantee") is not None else None
            advice = "add `guarantee = HARD`, or use EVENT or DEMOTE"
            if not refuses:
                advice = "use `on_loss = REFUSE_OTHERS`, or `guarantee = SOFT`"
            yield self.at(
                claim,
                "on_loss",
                related=seen_at(said, "its guarantee is here"),
                claim=claim.name,
                guarantee=guarantee,
                loss=loss,
                advice=advice,
            )


class RisingPriorities(LintRule):
    """A claim's token ranges rise in priority, or overlap.

    Later tokens depend on earlier ones: what keeps the end and loses the beginning keeps nothing.
    """

    code = "MIR434"
    name = "rising-priorities"
    severity = Severity.WARNING
    message = "the `directives` of `{claim}` {fault} at token {token}"
    hint = "let priorities fall along the tokens, each range from the end of the one before"
    bad = (
        """
object x { class = KV_BLOCK }
claim c {
  holder     = gateway
  objects    = [x]
  directives = [RANGE(0, 512, 20), RANGE(512, 1024, 80)]
}
""",
        """
object x { class = KV_BLOCK }
claim c {
  holder     = gateway
  objects    = [x]
  directives = [RANGE(0, 512, 80), RANGE(256, 1024, 20)]
}
""",
    )
    good = """
object x { class = KV_BLOCK }
claim c {
  holder     = gateway
  objects    = [x]
  directives = [RANGE(0, 512, 80), RANGE(512, 1024, 20)]
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for claim in context.module.claims.values():
            yield from self._rising(claim)

    def _rising(self, claim: Claim) -> Iterator[Found]:
        ranges = list(enumerate(read(claim, "directives") or ()))
        ranges.sort(key=lambda each: each[1].start)
        for (_, before), (place, after) in pairwise(ranges):
            overlap = after.start < before.end
            if overlap or after.priority > before.priority:
                yield self.at(
                    claim,
                    "directives",
                    path=(place,),
                    claim=claim.name,
                    fault="overlap" if overlap else "rise in priority",
                    token=after.start,
                )


class ClaimOfNothing(LintRule):
    """A claim covers no object: it lists none, and none says that the claim covers it."""

    code = "MIR905"
    name = "claim-of-nothing"
    severity = Severity.WARNING
    message = "the claim `{claim}` covers no object"
    hint = "list its `objects`, or write `claimed_by = {claim}` where it should hold"
    bad = """
object x { class = KV_BLOCK }
claim prompt { holder = gateway  guarantee = SOFT }
"""
    good = """
object x { class = KV_BLOCK }
claim prompt { holder = gateway  guarantee = SOFT  objects = [x] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        covered = {text for field, _ in context.lines("claimed_by") for text in texts(field.value)}
        for claim in context.module.claims.values():
            said = any(claim.value(key) is not None for key in ("objects", "blocks", "directives"))
            if not said and claim.name not in covered:
                yield self.at(claim, claim=claim.name)
