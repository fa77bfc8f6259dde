"""A compiled program into how far each decision is from its bound, and what would help."""

import attrs

from mirc.answers.idle_policies import IdlePolicy, idle_policies
from mirc.answers.shadow import ShadowPrice, shadow_prices, unpriced
from mirc.answers.tier_offsets import tier_offsets
from mirc.bounds.certificate import Certificate
from mirc.graph import Program
from mirc.ir import Module
from mirc.passes.arbiter import Arbiter
from mirc.passes.base import Facts
from mirc.passes.pipeline import PIPELINE
from mirc.passes.seeds import Options


@attrs.frozen(kw_only=True)
class Certified:
    """Certificates by the pass that decided, policies without effect, and shadow prices.

    ``unbounded`` are the other passes, each with the reason why it has no certificate; ``unpriced``
    says which phases on which machines have no prices, and why.
    """

    certificates: tuple[tuple[str, Certificate], ...]
    idle: tuple[IdlePolicy, ...]
    prices: tuple[ShadowPrice, ...]
    unbounded: tuple[tuple[str, str], ...] = ()
    unpriced: tuple[str, ...] = ()


def certify(program: Program, facts: Facts, module: Module) -> Certified:
    """Prove what can be proven about a compilation; ``module`` is what was emitted from it.

    Bounds are computed now, and machines are planned for again to price their parts: it takes
    longer than compiling. Raises MissingFactError where a pass did not run.
    """
    asked = [each for each in PIPELINE if not isinstance(each, Arbiter) or facts[Options].wire]
    by_pass = {each.name: tuple(each.certify(program, facts)) for each in asked}
    by_pass["offsets"] = tuple(tier_offsets(program, facts))
    return Certified(
        certificates=tuple(
            (name, certificate) for name, found in by_pass.items() for certificate in found
        ),
        unbounded=tuple(
            (each.name, each.unbounded(facts)) for each in PIPELINE if not by_pass.get(each.name)
        ),
        idle=idle_policies(program, facts, module),
        prices=tuple(shadow_prices(program, facts)),
        unpriced=tuple(unpriced(facts)),
    )
