"""Plans lowered to torch's checkpoints and hooks: what small models then take, to the byte."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
import transformers
from torch import nn

from mirc.bounds.remat_regions import Lowering, Step, lower, repeatable
from mirc.diagnostics import CouldNotRun
from mirc.frontend.remat_lowering import files, lowered, to_host
from mirc.frontend.remat_trace import LiveBytes, record
from mirc.passes.remat_edits import BOTH, Means
from mirc.passes.remat_regions import plan_regions

WITHIN = 0.02
RECOMPUTE = frozenset({Means.RECOMPUTE})
SPILL = frozenset({Means.SPILL})


class Block(nn.Module):
    """A transformer's block with dropout: what draws must draw the same again."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        heads = (batch, tokens, 2, width // 2)
        q, k, v = (y.view(heads).transpose(1, 2) for y in self.qkv(self.norm(x)).chunk(3, -1))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.drop(self.out(mixed.transpose(1, 2).reshape(x.shape)))
        fed: torch.Tensor = self.drop(self.down(nn.functional.gelu(self.up(x))))
        return x + fed


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.blocks = nn.ModuleList(Block(32) for _ in range(3))
        self.head = nn.Linear(32, 50)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        logits: torch.Tensor = self.head(x)
        return logits


class Convolutions(nn.Module):
    """Residual blocks with batch norm, whose running statistics must be counted once."""

    def __init__(self, *, in_place: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(8, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(inplace=in_place),
                nn.Conv2d(8, 8, 3, padding=1),
            )
            for _ in range(3)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.stem(image)
        for block in self.blocks:
            x = torch.relu(x + block(x))
        pooled: torch.Tensor = x.mean((2, 3))
        return pooled


class Transformers(nn.Module):
    """GPT-2 of transformers, which asks its positions whether a row packs several sequences."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        config = transformers.GPT2Config(
            n_layer=3,
            n_embd=32,
            n_head=2,
            vocab_size=50,
            n_positions=32,
            bos_token_id=0,
            eos_token_id=0,
            attn_pdrop=dropout,
            embd_pdrop=dropout,
            resid_pdrop=dropout,
        )
        kind: Any = transformers.GPT2LMHeadModel
        self.inner = kind(config)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.inner(input_ids=tokens, use_cache=False).logits
        return logits


class Case(NamedTuple):
    """A model, what it is given, its loss and the submodules that may be checkpointed."""

    model: nn.Module
    inputs: tuple[torch.Tensor, ...]
    loss: Callable[[Any], torch.Tensor]
    regions: tuple[str, ...]


def case(name: str) -> Case:
    torch.manual_seed(0)
    tokens = torch.randint(0, 50, (2, 32))
    blocks = tuple(f"blocks.{i}" for i in range(3))

    def next_token(logits: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())

    if name == "decoder":
        return Case(Decoder(), (tokens,), next_token, blocks)
    if name.startswith("gpt2"):
        model = Transformers(0.1 if name.endswith("dropout") else 0.0).train()
        return Case(
            model, (tokens,), next_token, tuple(f"inner.transformer.h.{i}" for i in range(3))
        )
    if name == "convolutions":
        image = torch.randn(2, 3, 16, 16)
        return Case(Convolutions(), (image,), lambda out: out.square().mean(), blocks)
    stack = nn.Sequential(
        *(
            nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64), nn.Tanh())
            for _ in range(4)
        )
    )
    names = tuple(str(i) for i in range(4))
    return Case(stack, (torch.randn(128, 64),), lambda out: out.square().mean(), names)


class Measured(NamedTuple):
    """What one training step took and left."""

    peak_bytes: int
    gradients: dict[str, torch.Tensor]
    state: dict[str, torch.Tensor]


def trained(given: Case) -> Measured:
    """Run one step on real numbers, from the same state and the same draws each time."""
    before = copy.deepcopy(given.model.state_dict())
    given.model.zero_grad(set_to_none=True)
    torch.manual_seed(1)
    with LiveBytes() as live:
        loss = given.loss(given.model(*given.inputs))
        loss.backward()  # type: ignore[no-untyped-call]
        del loss
    gradients = {
        name: weight.grad.clone()
        for name, weight in given.model.named_parameters()
        if weight.grad is not None
    }
    after = copy.deepcopy(given.model.state_dict())
    given.model.load_state_dict(before)
    return Measured(live.peak_bytes, gradients, after)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def recorded(given: Case) -> Step:
    return record(given.model, given.inputs, given.loss, given.regions)


@pytest.mark.parametrize("name", ["decoder", "convolutions", "perceptron", "gpt2", "gpt2-dropout"])
def test_a_lowered_plan_s_peak_is_predicted_and_its_gradients_are_equal(name: str) -> None:
    given = case(name)
    step = recorded(given)
    plain = trained(given)
    assert lower(step, Lowering()).peak_bytes == pytest.approx(plain.peak_bytes, rel=WITHIN)
    for share in (0.8, 0.6):
        for means in (RECOMPUTE, SPILL, BOTH):
            found = plan_regions(step, round(share * plain.peak_bytes), means=means)
            with files() as far, lowered(given.model, step, found.choice, far):
                measured = trained(given)
            assert found.lowered.peak_bytes == pytest.approx(measured.peak_bytes, rel=WITHIN)
            assert measured.peak_bytes < plain.peak_bytes
            assert equal(measured.gradients, plain.gradients)
            assert equal(measured.state, plain.state)


def test_the_model_is_as_it_was_after_a_lowered_step() -> None:
    given = case("decoder")
    step = recorded(given)
    everything = Lowering(
        regions=frozenset(given.regions), spilled=frozenset(each.value for each in step.savings)
    )
    plain = trained(given)
    with files() as far, lowered(given.model, step, everything, far):
        trained(given)
        trained(given)  # any number of steps
    again = trained(given)
    assert again.peak_bytes == plain.peak_bytes
    assert equal(again.gradients, plain.gradients)
    assert all("forward" not in vars(each) for each in given.model.modules())


def test_kept_results_of_a_checkpointed_region_are_not_made_again() -> None:
    given = case("perceptron")
    step = recorded(given)
    whole = Lowering(regions=frozenset(given.regions))
    gelus = frozenset(at for at, op in enumerate(step.ops) if op.name == "aten.gelu.default")
    some = Lowering(regions=whole.regions, kept=gelus)
    assert not gelus & set(lower(step, some).again)
    with files() as far, lowered(given.model, step, some, far):
        measured = trained(given)
    assert lower(step, some).peak_bytes == pytest.approx(measured.peak_bytes, rel=WITHIN)
    assert lower(step, some).peak_bytes > lower(step, whole).peak_bytes


def test_a_region_that_overwrites_what_runs_only_once_is_not_checkpointed() -> None:
    given = case("convolutions")._replace(model=Convolutions(in_place=True))
    step = recorded(given)
    assert not any(repeatable(step, name) for name in given.regions)
    assert plan_regions(step, 1, means=RECOMPUTE).choice.regions == frozenset()
    forced = Lowering(regions=frozenset(given.regions))
    with (
        pytest.raises(CouldNotRun, match="cannot run again"),
        files() as far,
        lowered(given.model, step, forced, far),
    ):
        trained(given)


def test_a_module_that_runs_otherwise_than_recorded_is_refused() -> None:
    given = case("perceptron")
    step = recorded(given)
    kept = frozenset(at for at, op in enumerate(step.ops) if op.name == "aten.gelu.default")
    choice = Lowering(regions=frozenset(given.regions), kept=kept)
    for block in given.model.children():
        block[1] = nn.SiLU()  # type: ignore[operator]
    with (
        files() as far,
        lowered(given.model, step, choice, far),
        pytest.raises(CouldNotRun, match=r"where `aten\.gelu\.default` was recorded"),
    ):
        trained(given)


def test_recording_leaves_the_module_and_its_gradients_alone() -> None:
    given = case("decoder")
    before = copy.deepcopy(given.model.state_dict())
    recorded(given)
    assert equal(before, given.model.state_dict())
    assert all(weight.grad is None for weight in given.model.parameters())


def test_bytes_spilled_to_the_host_come_back() -> None:
    near = torch.arange(8, dtype=torch.uint8)
    fetch = to_host(near.clone())
    target = torch.zeros_like(near)
    fetch(target)
    assert torch.equal(target, near)


def test_live_bytes_count_a_storage_once_and_until_it_is_let_go() -> None:
    with LiveBytes() as live:
        x = torch.zeros(10)  # 40 bytes
        view = x[2:]
        y = x + 1  # 40 more
        assert live.live_bytes == 80
        del x, y
        assert live.live_bytes == 40  # the view still holds its base
        del view
        assert live.live_bytes == 0
    assert live.peak_bytes == 80
