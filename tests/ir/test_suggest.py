import subprocess
import sys

import pytest

from mirc.ir.suggest import Names, closest


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("model.layers.0.mpl", "model.layers.0.mlp"),
        ("model.layers.0.ml", "model.layers.0.mlp"),
        ("model.layers.0.mlpp", "model.layers.0.mlp"),
        ("model.layers.0.mlq", "model.layers.0.mlp"),
        ("MODEL_layers_0_mlp", "model.layers.0.mlp"),
        ("something.else", None),
    ],
)
def test_one_slip_of_the_pen_finds_the_name(slip: str, meant: str | None) -> None:
    assert Names({"model.layers.0.mlp", "other"}).closest(slip) == meant


def test_a_word_in_the_wrong_case_is_found() -> None:
    assert closest("weight_tile", ["WEIGHT_TILE", "KV_BLOCK"]) == "WEIGHT_TILE"
    assert closest("banana", ["WEIGHT_TILE", "KV_BLOCK"]) is None


def test_among_sixty_four_thousand_names_one_slip_is_looked_up_and_not_searched() -> None:
    names = [f"layers.{i}.mlp.experts[{j}]" for i in range(640) for j in range(100)]
    looked = 0

    class Counted(frozenset[str]):
        def __contains__(self, name: object) -> bool:
            nonlocal looked
            looked += 1
            return super().__contains__(name)

    near = Names(Counted(names)).closest("layers.7.mlp.exprts[5]")
    assert near == "layers.7.mlp.experts[5]"
    assert looked < len(names) / 10


def test_of_many_words_the_nearest_is_one_slip_off() -> None:
    words = [f"EVENT_{i}" for i in range(1000)]
    assert closest("EVENT_17x", words) == "EVENT_17"
    assert closest("banana", words) is None


def test_suggestions_cost_nothing_until_they_are_asked_for() -> None:
    code = "import sys, mirc.ir.suggest; sys.exit('difflib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
