"""Structural groups of captured models: a block's own modules, and each expert's matrices."""

import pytest

from mirc.graph import Role, Split
from mirc.passes.coalition import Coalitions, GroupKind
from mirc.passes.pipeline import run
from tests.frontend import tiny


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("gpt2", "transformer.h."),
        ("llama3-8b", "model.layers."),
        ("qwen3-moe-30b-a3b", "model.layers."),
    ],
)
def test_the_groups_of_a_real_model_are_its_blocks_own_weights(name: str, block: str) -> None:
    program = tiny.program(name)
    groups = run(program, only=("coalition",))[Coalitions].groups
    weights = [each for each in program.storages if each.role is Role.PARAMETER]
    blocks = {each.name: each for each in groups if each.kind is GroupKind.BLOCK}
    assert list(blocks) == [f"block.{block}{layer}" for layer in range(2)]
    for layer in range(2):
        members = blocks[f"block.{block}{layer}"].members
        assert members == tuple(
            each.index
            for each in weights
            if each.name.startswith(f"{block}{layer}.") and each.split is not Split.EXPERTS
        )
    experts = [each for each in groups if each.kind is GroupKind.EXPERTS]
    sliced = {each.module for each in weights if each.split is Split.EXPERTS}
    assert {each.name.removeprefix("experts.") for each in experts} == sliced
    for group in experts:
        assert len({program.storages[index].module for index in group.members}) == 1
        assert len(group.members) == 2  # gate and up in one, down in the other
    assert len(blocks) + len(experts) == len(groups)
