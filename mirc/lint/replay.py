"""Rules about what may run twice: replay-safe steps, and what the world sees of them."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.rule import Found, LintRule


class SideEffectInReplay(LintRule):
    """The world sees what a step does, yet the step may run again or be undone.

    A step is replay-safe unless it says otherwise, and every step of a speculative phase may be
    undone when the drafts are rejected: such steps must have no effects outside.
    """

    code = "MIR436"
    name = "side-effect-in-replay"
    severity = Severity.ERROR
    message = "`{step}` has side effects, yet {reason}"
    hint = "{way}"
    bad = (
        """
object x { class = INPUT }
phase p { step s { reads = [x]  side_effects = true } }
""",
        """
object x { class = INPUT }
phase p { speculative = true  step s { reads = [x]  side_effects = true  replay_safe = false } }
""",
    )
    good = """
object x { class = INPUT }
phase p { step s { reads = [x]  side_effects = true  replay_safe = false } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for phase in context.module.phases.values():
            undone = read(phase, "speculative")
            for step in phase.steps:
                if step.value("side_effects") is None or not read(step, "side_effects"):
                    continue
                if undone:
                    reason = f"the speculative phase `{phase.name}` may be undone"
                    way = "move it to the phase that follows, where the drafts are accepted"
                elif read(step, "replay_safe"):
                    reason = "it is replay-safe and may run again"
                    way = "write `replay_safe = false`"
                else:
                    continue
                yield self.at(step, "side_effects", step=step.name, reason=reason, way=way)
