"""Steps that may run twice have no effects outside."""

import pytest

from mirc.diagnostics import Source
from mirc.lint.check import check_source

_MODULE = """
object x {{ class = INPUT  size_bytes = 1MiB }}
phase p {{ {phase} step s {{ reads = [x]  {step} }} }}
"""


@pytest.mark.mechanism("S2-18")
@pytest.mark.parametrize(
    ("phase", "step", "wrong"),
    [
        ("", "side_effects = true", True),
        ("", "side_effects = true  replay_safe = true", True),
        ("speculative = true", "side_effects = true  replay_safe = false", True),
        ("", "side_effects = true  replay_safe = false", False),
        ("", "side_effects = false", False),
        ("speculative = true", "replay_safe = true", False),
    ],
)
def test_a_side_effect_inside_a_replay_safe_region_is_an_error(
    phase: str, step: str, *, wrong: bool
) -> None:
    text = _MODULE.format(phase=phase, step=step)
    codes = [found.rule.code for found in check_source(Source("x.mir", text)).diagnostics]
    assert ("MIR436" in codes) == wrong
