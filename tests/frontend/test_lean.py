"""Exports without source lines and empty switches of autograd: the same program, no traces left."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx import config
from torch.overrides import _get_current_function_mode_stack

from mirc.frontend.entry import CaptureOptions
from mirc.frontend.lean import lean
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from mirc.graph.model import Level


class Rotary(nn.Module):
    """What it adds is made without gradients, as positions are; ``fails`` ends it halfway."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.fails = fails

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            places = torch.arange(4.0).cos()
        if self.fails:
            raise ValueError("no more")
        made: Tensor = self.inner(x + places)
        return made


def modes() -> list[Any]:
    found: list[Any] = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return found


def test_a_region_without_gradients_leaves_the_operations_that_it_has() -> None:
    def exported() -> list[str]:
        with torch.no_grad():
            program = torch.export.export(Rotary().eval(), (torch.ones(2, 4),), strict=False)
        return [str(node.target) for node in program.graph.nodes if node.op == "call_function"]

    model = UserModel(name="net", calls={"forward": (Rotary(), (torch.ones(2, 4),), {})})
    program = capture_model(model, CaptureOptions(), lambda _: None)
    assert program.captures[0].level is Level.EXPORT
    assert [node.op for node in program.graphs[0].nodes] == exported()


def test_gradients_that_are_switched_on_inside_are_on() -> None:
    seen: list[bool] = []

    class Switches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for grad in (False, True, False):
                with torch.set_grad_enabled(grad):
                    seen.append(torch.is_grad_enabled())
            seen.append(torch.is_grad_enabled())
            return x + 1

    module = Switches()
    with torch.no_grad(), lean(module):
        module(torch.ones(2))
    assert seen == [False, True, False, False]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_it_stays_behind(fails: bool) -> None:  # noqa: FBT001 - a parameter
    module = Rotary(fails=fails)
    before = modes()
    with torch.no_grad(), lean(module):
        assert config.do_not_emit_stack_traces
        try:
            module(torch.ones(2, 4))
        except ValueError:
            assert fails
    assert modes() == before
    assert not config.do_not_emit_stack_traces
    assert not vars(module)["_forward_hooks"]
    assert not vars(module)["_forward_pre_hooks"]
