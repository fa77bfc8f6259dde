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
