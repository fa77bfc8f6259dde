"""The rules about ignores themselves: codes MIR93x."""

from mirc.diagnostics.model import Rule, Severity

UNUSED_IGNORE = Rule(
    "MIR930",
    "unused-ignore",
    Severity.WARNING,
    about="""An ignore names a rule that has nothing to say there (any more).

It would hide the next finding of that rule on that line, which nobody has looked at. Only rules
that ran are judged: not those that are switched off, need a machine, or wait for a syntax error to
be put right.""",
    message="the ignore of `{names}` hides nothing",
    hint="remove it",
    bad=(
        """\
object x {
  class           = WEIGHT_TILE
  preferred_tiers = [HBM, DRAM]  // mirc: ignore[tier-order] it is read once a day
}
""",
    ),
    good="""\
object x {
  class           = WEIGHT_TILE
  preferred_tiers = [DRAM, HBM]  // mirc: ignore[tier-order] it is read once a day
}
""",
    fixable=True,
)
BAD_IGNORE = Rule(
    "MIR931",
    "bad-ignore",
    Severity.WARNING,
    about="""An ignore cannot do what was meant.

It names no rule, or one that does not exist, or a syntax error, which nothing can hide; or it
speaks for the whole file and stands below the first declaration.""",
    message="{problem}",
    hint="{advice}",
    bad=(
        """\
object x { class = WEIGHT_TILE }  // mirc: ignore[teir-order] it is read once a day
""",
        """\
object x { class = WEIGHT_TILE }  // mirc: ignore
""",
        """\
object x { class = WEIGHT_TILE }
// mirc: ignore-file[tier-order] all of them are read once a day
""",
    ),
    good="""\
// mirc: ignore-file[tier-order] all of them are read once a day
object x { class = WEIGHT_TILE  preferred_tiers = [DRAM, HBM] }
""",
)
IGNORE_WITHOUT_REASON = Rule(
    "MIR932",
    "ignore-without-reason",
    Severity.WARNING,
    about="""An ignore does not say why.

Whoever reads it later cannot tell whether it may go. The reason stands behind the bracket.""",
    message="the ignore of `{names}` gives no reason",
    hint="write it behind the bracket: `ignore[{names}] because ...`",
    bad=(
        """\
object x {
  class           = WEIGHT_TILE
  preferred_tiers = [DRAM, HBM]  // mirc: ignore[tier-order]
}
""",
    ),
    good="""\
object x {
  class           = WEIGHT_TILE
  preferred_tiers = [DRAM, HBM]  // mirc: ignore[tier-order] it is read once a day
}
""",
    default=False,
)

SUPPRESSION_RULES = (UNUSED_IGNORE, BAD_IGNORE, IGNORE_WITHOUT_REASON)
