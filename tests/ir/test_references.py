from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.ir.references import count_references

TEXT = """
object w { class = WEIGHT_TILE created = s }
object e[0] { class = EXPERT_WEIGHT coalition_hints = [c] }
coalition c { members = [w, e] }
phase p {
  step s { reads = [w, ROUTED(e, 1), TOUCH(w, 4KiB)] flops = 7 }
  override e { earliest_use = s }
}
phase q { step t { reads = [w] } }
plan m { machine = "x.toml" phase p { override w { residency = [HBM(s, s), DRAM] } } }
on resume { override w { reuse = LOW } }
module m { schedule = [p, REPEAT(3, q)] }
"""


def _module(text: str) -> Module:
    return load(Source("t.mir", text))


def test_every_name_in_a_value_and_of_an_override_counts_once() -> None:
    # created 1, coalition_hints 1, members 2, reads 3, override 1 with earliest_use 1, reads 1,
    # machine 1, the plan's phase 1, override 1 with residency 2, override 1, schedule 2
    assert count_references(_module(TEXT)) == 18


def test_equal_lines_count_in_each_block_that_holds_them() -> None:
    step = "  step s{} {{\n    reads = [w, w]\n  }}\n"
    steps = "".join(step.format(i) for i in range(10))
    text = f"object w {{\n  class = INPUT\n}}\nphase p {{\n{steps}}}\n"
    assert count_references(_module(text)) == 20


def test_a_module_without_references_has_none() -> None:
    assert count_references(_module("object w { class = INPUT size_bytes = 1 }")) == 0
