"""A compiled program into how far each decision is from its bound, and what would help."""

import attrs

from mirc.answers.idle_policies import IdlePolicy, idle_policies
from mirc.answers.shadow import ShadowPrice, shadow_prices
from mirc.answers.tier_offsets import tier_offsets
from mirc.bounds.certificate import Certificate
from mirc.graph import Program
from mirc.ir import Module
from mirc.passes.base import Facts
from mirc.passes.pipeline import PIPELINE


@attrs.frozen(kw_only=True)
class Certified:
    """Certificates by the pass that decided, policies without effect, and shadow prices."""

    certificates: tuple[tuple[str, Certificate], ...]
    idle: tuple[IdlePolicy, ...]
    prices: tuple[ShadowPrice, ...]


def certify(program: Program, facts: Facts, module: Module) -> Certified:
    """Prove what can be proven about a compilation; ``module`` is what was emitted from it.

    Bounds are computed now, and machines are planned for again to price their parts: it takes
    longer than compiling. Raises MissingFactError where a pass did not run.
    """
    return Certified(
        certificates=(
            *(
                (each.name, certificate)
                for each in PIPELINE
                for certificate in each.certify(program, facts)
            ),
            *(("offsets", certificate) for certificate in tier_offsets(program, facts)),
        ),
        idle=idle_policies(program, facts, module),
        prices=tuple(shadow_prices(program, facts)),
    )
