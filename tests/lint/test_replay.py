"""Steps that may run twice have no effects outside."""

import pytest

from mirc.diagnostics import Source
from mirc.lint.check import check_source

_MODULE = """
object x {{ class = INPUT  size_bytes = 1MiB }}
phase p {{ {phase} step s {{ reads = [x]  {step} }} }}
"""


def codes(phase: str, step: str) -> list[str]:
    text = _MODULE.format(phase=phase, step=step)
    return [found.rule.code for found in check_source(Source("x.mir", text)).diagnostics]


@pytest.mark.mechanism("S2-18")
@pytest.mark.parametrize(
    ("phase", "step"),
    [
        ("", "side_effects = true"),
        ("", "side_effects = true  replay_safe = true"),
        ("speculative = true", "side_effects = true  replay_safe = false"),
    ],
)
def test_a_side_effect_inside_a_replay_safe_region_is_an_error(phase: str, step: str) -> None:
    assert "MIR436" in codes(phase, step)


@pytest.mark.parametrize(
    ("phase", "step"),
    [
        ("", "side_effects = true  replay_safe = false"),
        ("", "side_effects = false"),
        ("speculative = true", "replay_safe = true"),
    ],
)
def test_outside_of_one_it_is_not(phase: str, step: str) -> None:
    assert "MIR436" not in codes(phase, step)
