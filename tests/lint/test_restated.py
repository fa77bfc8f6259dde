"""What an override says again, and whether it may be left away."""

from itertools import product

from mirc.diagnostics import Source
from mirc.diagnostics.apply import applied
from mirc.grammar import load
from mirc.ir.resolve import View
from mirc.lint.fixing import fixed
from mirc.lint.project import Project
from mirc.lint.settings import Overrides

JUDGE = Project(Overrides(select=("restated-value",))).check
LEVELS = (None, "SOFT", "NONE")


def text_of(*levels: str | None) -> str:
    """Return a file in which up to five layers speak of the same field of the same object."""
    declared, plan, phase, signal, planned = (f"pin_level = {v}" if v else "" for v in levels)
    return (
        f"mir 1.0\nobject x {{ class = KV_BLOCK  {declared} }}\n"
        f"phase p {{ override x {{ {phase} }} }}\n"
        f"on MEMORY_PRESSURE {{ override x {{ {signal} }} }}\n"
        f'plan h {{\n  machine = "h100-sxm"\n  override x {{ {plan} }}\n'
        f"  phase p {{ override x {{ {planned} }} }}\n}}\n"
    )


def meaning(text: str) -> list[object]:
    module = load(Source("x.mir", text))
    asked = product((None, *module.phases), (None, *module.signals), (None, *module.plans))
    return [View(module, *query).value("x", "pin_level") for query in asked]


def test_what_is_called_restated_can_go_in_every_phase_signal_and_plan() -> None:
    fixes = 0
    for levels in product(LEVELS, repeat=5):
        source = Source("x.mir", text_of(*levels))
        for found in JUDGE(source).diagnostics:
            assert found.fix is not None
            assert meaning(applied(source.text, [found.fix])) == meaning(source.text), levels
            fixes += 1
        assert meaning(fixed(source, JUDGE).source.text) == meaning(source.text), levels
    assert fixes > 50


def test_a_signal_that_undoes_what_a_phase_says_restates_nothing() -> None:
    undone = Source("x.mir", text_of("SOFT", None, "NONE", "SOFT", None))
    assert JUDGE(undone).diagnostics == ()
    (found,) = JUDGE(Source("x.mir", text_of("SOFT", None, None, "SOFT", None))).diagnostics
    assert found.fix is not None
