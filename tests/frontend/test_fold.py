"""Folding: repeated blocks captured a few times and copied give the program of all of them."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import attrs
import pytest
import torch
from torch import Tensor, nn

from mirc.emit import emit
from mirc.frontend import CaptureOptions, Fold, grown, huggingface
from mirc.frontend.fold_runs import Run, runs_of
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from mirc.grammar import print_module
from mirc.grammar.memory import collection_paused
from mirc.graph import Program
from mirc.graph.model import Scale
from mirc.graph.verify import verify
from mirc.passes.pipeline import run

DEPTHS: dict[str, dict[str, int]] = {
    "llama3-8b": {"num_hidden_layers": 6},
    "mixtral-8x7b": {"num_hidden_layers": 5},
    "deepseek-v3": {"num_hidden_layers": 6, "first_k_dense_replace": 1},
    "gpt2": {"n_layer": 5},
    "bert-base": {"num_hidden_layers": 6},
    "vit-base": {"num_hidden_layers": 6},
    "whisper-large": {"encoder_layers": 5, "decoder_layers": 6},
    "t5-base": {"num_layers": 5, "num_decoder_layers": 6},
}


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    with collection_paused():  # a whole capture in a large process is mostly collection
        yield


ONE_PHASE = {
    "mixtral-8x7b": "decode_step",
    "deepseek-v3": "decode_step",
    "gpt2": "prefill",
    "t5-base": "prefill",
    "whisper-large": "decode_step",
}
"""Where one phase shows what the other would: a whole capture takes seconds."""


def captured(model: Any, fold: Fold, phases: str | None = None) -> Program:
    return capture_model(model, CaptureOptions(fold=fold, phases=phases), lambda _: None)


@cache
def hugging_face(name: str) -> huggingface.HuggingFaceModel:
    settings = json.loads((huggingface.PRESETS / f"{name}.json").read_text()) | DEPTHS[name]
    return huggingface.from_settings(name, settings)


@cache
def folded_program(name: str) -> Program:
    return captured(hugging_face(name), Fold.ALWAYS, ONE_PHASE.get(name))


def unnoted(program: Program) -> Program:
    """All of a program but how it came about."""
    captures = tuple(attrs.evolve(one, note="") for one in program.captures)
    return attrs.evolve(program, captures=captures)


def text(program: Program) -> str:
    return print_module(emit(program, run(program)))


@pytest.mark.parametrize("name", DEPTHS)
def test_a_folded_capture_is_the_whole_capture(name: str) -> None:
    model = hugging_face(name)
    before = {path: id(part) for path, part in model.model.named_modules()}
    configured = str(model.model.config)
    folded = folded_program(name)
    assert all(one.note.startswith("folded: ") for one in folded.captures)
    whole = captured(model, Fold.NEVER, ONE_PHASE.get(name))
    assert unnoted(folded) == unnoted(whole)
    assert text(folded) == text(whole)
    assert verify(folded) == ()
    assert {path: id(part) for path, part in model.model.named_modules()} == before
    assert str(model.model.config) == configured


class Block(nn.Module):
    """An attention-free block that knows its own place, as many do."""

    def __init__(self, width: int, place: int) -> None:
        super().__init__()
        self.place = place
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, cache: list[Tensor]) -> Tensor:
        made: Tensor = self.down(torch.relu(self.up(x))) + cache[self.place]
        cache[self.place] = made
        return x + made


Reach = Callable[[int, Tensor, list[Tensor]], Tensor]
Way = Callable[[Tensor, Tensor, int], Tensor]


class Net(nn.Module):
    """A plain stack; ``between`` does what a test wants between two blocks."""

    def __init__(self, depth: int, between: Reach) -> None:
        super().__init__()
        self.depth = depth
        self.first = nn.Linear(4, 8)
        self.blocks = nn.ModuleList(Block(8, place) for place in range(depth))
        self.between = between

    def forward(self, x: Tensor, states: list[Tensor]) -> Tensor:
        states = list(states)
        x = self.first(x)
        for place in range(self.depth):
            x = self.between(place, self.blocks[place](x, states), states)
        return torch.sum(x)


def plain(depth: int, between: Reach) -> UserModel:
    states = [torch.ones(3, 8) for _ in range(depth)]
    net = Net(depth, between)
    return UserModel(name="net", calls={"forward": (net, (torch.ones(3, 4), states), {})})


def blocks_of(model: UserModel) -> list[Any]:
    return list(model.calls["forward"][0].get_submodule("blocks").children())


def test_a_users_own_stack_folds_with_its_lists_of_inputs() -> None:
    model = plain(9, lambda _place, x, _states: x * 2)
    folded = captured(model, Fold.ALWAYS)
    assert folded.captures[0].note == "folded: 9 x 1 of `blocks`"
    assert unnoted(folded) == unnoted(captured(model, Fold.NEVER))


@pytest.mark.parametrize(
    "between",
    [
        lambda place, x, _states: x * 2 if place == 6 else x,
        lambda place, x, states: x + states[place // 2],
        lambda place, x, _states: x.repeat(2, 1)[:3] if place == 6 else x,
        lambda place, x, _states: torch.cat([x] * (place + 1)).sum(0).expand(3, 8),
    ],
    ids=["one block more work", "a skip that halves", "a copy late", "growing work"],
)
def test_what_is_not_the_same_at_every_depth_is_captured_whole(between: Reach) -> None:
    model = plain(9, between)
    tried = captured(model, Fold.ALWAYS)
    assert tried.captures[0].note.startswith("not folded: ")
    assert unnoted(tried) == unnoted(captured(model, Fold.NEVER))


class Told(nn.Module):
    """A block that reads what it does from a number that is not its place."""

    def __init__(self, way: Way, place: int) -> None:
        super().__init__()
        self.way, self.depth = way, float(place)
        self.weight = nn.Parameter(torch.zeros(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.way(x, self.weight, 5 <= self.depth <= 8)


def stack(way: Way) -> UserModel:
    net = nn.Sequential(*(Told(way, place) for place in range(12)))
    return UserModel(name="net", calls={"forward": (net, (torch.ones(8, 8),), {})})


def in_half(x: Tensor, weight: Tensor, other: int) -> Tensor:
    with torch.autocast("cpu", enabled=bool(other), dtype=torch.bfloat16):
        return torch.mm(x, weight).float()


@pytest.mark.parametrize(
    "way",
    [
        lambda x, w, other: torch.einsum("ij,ik->jk" if other else "ij,jk->ik", x, w),
        lambda x, w, other: x * w[[0] if other else slice(0, 1)],
        lambda x, w, other: x * w[(0, 1) if other else [0, 1]].sum(),
        lambda x, w, other: x + w.sum(**({"dim": 0} if other else {"dim": 1})),
        lambda x, w, other: x.to(torch.bfloat16 if other else torch.float16).mul(w),
        lambda x, _w, other: nn.functional.dropout(x, 0.5, training=bool(other)),
        in_half,
    ],
    ids=["a word", "a list", "a tuple", "a name", "a type", "a switch", "autocast"],
)
def test_blocks_that_call_alike_with_other_arguments_are_captured_whole(way: Way) -> None:
    model = stack(way)
    tried = captured(model, Fold.ALWAYS)
    assert tried.captures[0].note.startswith("not folded: ")
    assert unnoted(tried) == unnoted(captured(model, Fold.NEVER))


def test_a_model_that_fails_when_it_is_shortened_is_as_it_was_and_captured_whole() -> None:
    def needs_nine(place: int, x: Tensor, states: list[Tensor]) -> Tensor:
        return x + states[8] if place == 0 else x

    model = plain(9, needs_nine)
    blocks = blocks_of(model)
    tried = captured(model, Fold.ALWAYS)
    assert "the shortened model fails" in tried.captures[0].note
    assert blocks_of(model) == blocks
    assert [block.place for block in blocks] == list(range(9))
    assert model.calls["forward"][0].depth == 9
    assert tried.captures[0].fx_nodes == captured(model, Fold.NEVER).captures[0].fx_nodes


def test_blocks_that_take_turns_fold_in_pairs_and_leave_the_odd_one_whole() -> None:
    model = plain(11, lambda _place, x, _states: x)
    for place, block in enumerate(blocks_of(model)):
        block.kind = "even" if place % 2 == 0 else "odd"
    folded = captured(model, Fold.ALWAYS)
    assert folded.captures[0].note == "folded: 5 x 2 of `blocks`"
    assert unnoted(folded) == unnoted(captured(model, Fold.NEVER))


def test_a_setting_that_is_no_place_splits_a_run() -> None:
    words = [0, 0, 0, 1, 2, 2, 2, 2, 2, 2]
    assert list(runs_of(words, 5)) == [Run(start=4, period=1, count=6)]
    assert list(runs_of([1, 2] * 6 + [3], 5)) == [Run(start=0, period=2, count=6)]
    assert list(runs_of([1, 2, 3], 2)) == []


def test_amounts_grow_as_captures_at_two_sizes_show() -> None:
    program = folded_program("llama3-8b")
    scales = {storage.name: storage.scale for storage in program.storages}
    assert scales["prefill.model.layers.3.mlp.up_proj.op_0"] is Scale.PER_TOKEN
    assert scales["prefill.model.rotary_emb.op_8"] is Scale.OTHER  # one table for all sequences
    assert scales["decode_step.model.layers.2.mlp.up_proj.op_0"] is Scale.PER_TOKEN
    prefill = program.graphs[0]
    attention = {node.flops_scale for node in prefill.nodes if "scaled_dot_product" in node.op}
    assert attention == {Scale.PER_SEQUENCE}  # with the square of the tokens
    linear = {node.flops_scale for node in prefill.nodes if node.op == "aten.linear.default"}
    assert linear == {Scale.PER_TOKEN}


def test_few_repeats_are_not_folded_unless_asked() -> None:
    model = plain(9, lambda _place, x, _states: x)
    assert captured(model, Fold.AUTO).captures[0].note == ""
    assert captured(model, Fold.NEVER).captures[0].note == ""


def test_a_large_model_that_is_not_folded_takes_its_scales_from_a_folded_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = hugging_face("vit-base")
    monkeypatch.setattr(grown, "MOST_NODES", 10)
    assert unnoted(captured(model, Fold.NEVER)) == unnoted(folded_program("vit-base"))


def test_a_large_model_that_does_not_fold_says_that_its_scales_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = json.loads((huggingface.PRESETS / "vit-base.json").read_text())
    model = huggingface.from_settings("vit", settings | {"num_hidden_layers": 2})
    known = captured(model, Fold.AUTO)
    assert {one.scale for one in known.storages} > {Scale.PER_TOKEN}
    monkeypatch.setattr(grown, "MOST_NODES", 10)
    unknown = captured(model, Fold.AUTO)
    assert unknown.captures[0].note.startswith("sizes at another batch unknown: ")
    assert {one.scale for one in unknown.storages} == {Scale.UNKNOWN}
