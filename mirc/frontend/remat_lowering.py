"""A lowering into torch's means: checkpoint policies for regions, saved-tensor hooks to spill."""

import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import (
    SAC_IGNORED_OPS,
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
)

from mirc.bounds.remat_regions import Lowering, Step, repeatable
from mirc.diagnostics import CouldNotRun

Fetch = Callable[[torch.Tensor], None]
"""Fill a near tensor of bytes from where its content went."""
Far = Callable[[torch.Tensor], Fetch]
"""Take the bytes of a near tensor away and return how to fetch them back."""


def to_host(near: torch.Tensor) -> Fetch:
    """Spill an accelerator's bytes to the memory of its host."""
    away = near.to("cpu")
    return lambda target: _copy(target, away)


def _copy(target: torch.Tensor, away: torch.Tensor) -> None:
    target.copy_(away)


@contextmanager
def files() -> Iterator[Far]:
    """Spill a CPU's bytes to files in a temporary folder, which goes when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        count = 0

        def far(near: torch.Tensor) -> Fetch:
            nonlocal count
            path = Path(folder, str(count))
            count += 1
            near.numpy().tofile(path)
            return lambda target: _read(path, target)

        yield far


def _read(path: Path, target: torch.Tensor) -> None:
    with path.open("rb") as stream:
        stream.readinto(target.numpy().data)


@contextmanager
def lowered(module: nn.Module, step: Step, choice: Lowering, far: Far) -> Iterator[None]:
    """Train ``module`` as ``choice`` says while the block runs; afterwards it is as before.

    The block may run the recorded forward and its backward any number of times, and nothing else
    of the module. Raises CouldNotRun where the module does other operations than were recorded.
    """
    spiller = _Spiller(step, choice, far)
    with ExitStack() as stack:
        for name in step.spans:
            region = module.get_submodule(name)
            if name in choice.regions:
                stack.enter_context(_checkpointed(region, name, step, choice, spiller))
            else:
                stack.enter_context(_named(region, name, spiller))
        if choice.spilled:
            stack.enter_context(spiller)
            stack.enter_context(_reset(module, spiller))
        yield


@contextmanager
def _reset(module: nn.Module, spiller: "_Spiller") -> Iterator[None]:
    handle = module.register_forward_pre_hook(lambda *_: spiller.begin())
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _named(region: nn.Module, name: str, spiller: "_Spiller") -> Iterator[None]:
    handles = (
        region.register_forward_pre_hook(lambda *_: spiller.enter(name)),
        region.register_forward_hook(lambda *_: spiller.enter("")),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _checkpointed(
    region: nn.Module, name: str, step: Step, choice: Lowering, spiller: "_Spiller"
) -> Iterator[None]:
    if not repeatable(step, name):
        raise CouldNotRun(
            f"`{name}` cannot run again: it overwrites the result of what may run only once",
            "make the operation after it work out of place, or leave the region as it is",
        )
    inside = region.forward
    first, after = step.spans[name]
    kept = frozenset(op for op in range(first, after) if op in choice.kept or step.ops[op].once)
    policies: dict[str, Any] = {}
    if kept:
        policies = {"context_fn": partial(_contexts, step, first, after, kept)}

    def forward(*args: Any, **kwargs: Any) -> Any:
        spiller.enter(name, inputs=True)
        result = checkpoint(inside, *args, use_reentrant=False, **policies, **kwargs)
        spiller.enter("")
        return result

    region.forward = forward
    try:
        yield
    finally:
        del region.forward  # the instance's: the class's shows again


def _contexts(step: Step, first: int, after: int, kept: frozenset[int]) -> Any:
    policy: Any = _Policy(step, first, after, kept)
    # A counter that an operation adds to in place is "kept" too, and may well have changed: what
    # matters is that it is not counted again.
    counts = any(not step.ops[op].writes for op in kept)
    return create_selective_checkpoint_contexts(  # type: ignore[no-untyped-call]
        policy, allow_cache_entry_mutation=counts
    )


_UNSEEN = frozenset(map(str, SAC_IGNORED_OPS))


class _Policy:
    """Answers for each operation of a region, in the order of the recording."""

    def __init__(self, step: Step, first: int, after: int, kept: frozenset[int]) -> None:
        self._expected = iter(
            (step.ops[op].name, op in kept)
            for op in range(first, after)
            if step.ops[op].name not in _UNSEEN
        )

    def __call__(self, context: Any, func: Any, *args: Any, **kwargs: Any) -> CheckpointPolicy:
        del context, args, kwargs
        name, keep = next(self._expected, ("nothing", False))
        if name != str(func):
            raise CouldNotRun(
                f"the module runs `{func}` where `{name}` was recorded",
                "record the step again: its control flow or its inputs have changed",
            )
        return CheckpointPolicy.MUST_SAVE if keep else CheckpointPolicy.MUST_RECOMPUTE


class _Away:
    """A storage whose bytes are far; near again from its first unpacking until it is released."""

    def __init__(self, storage: torch.UntypedStorage, device: torch.device, far: Far) -> None:
        self._size_bytes = storage.nbytes()
        self._device = device
        self._fetch = far(torch.empty(0, dtype=torch.uint8, device=device).set_(storage))
        self._near: torch.Tensor | None = None

    def near(self) -> torch.UntypedStorage:
        if self._near is None:
            self._near = torch.empty(self._size_bytes, dtype=torch.uint8, device=self._device)
            self._fetch(self._near)
        return self._near.untyped_storage()


class _Packed:
    """One view of what is away."""

    def __init__(self, away: _Away, tensor: torch.Tensor) -> None:
        self._away = away
        self._dtype, self._device = tensor.dtype, tensor.device
        self._form = (tensor.storage_offset(), tensor.shape, tensor.stride())

    def unpacked(self) -> torch.Tensor:
        empty = torch.empty(0, dtype=self._dtype, device=self._device)
        return empty.set_(self._away.near(), *self._form)


class _Spiller(saved_tensors_hooks):
    """Sends away what the lowering spills, known by region and by its place among what is saved."""

    def __init__(self, step: Step, choice: Lowering, far: Far) -> None:
        super().__init__(self._pack, self._unpack)
        self._far = far
        self._value_at = {
            (each.region, each.ordinal): each.value
            for each in step.savings
            if each.value in choice.spilled
        }
        self._entering = {
            (name, place): value
            for name in choice.regions
            for place, value in enumerate(step.enters[name])
            if value in choice.spilled
        }
        self._away: weakref.WeakValueDictionary[int, _Away] = weakref.WeakValueDictionary()
        self.begin()

    def begin(self) -> None:
        """Start another forward."""
        self._seen: Counter[str] = Counter()
        self._away.clear()
        self.enter("")

    def enter(self, region: str, *, inputs: bool = False) -> None:
        """Be told what runs now: a region, or (``inputs``) that one's inputs are being saved."""
        self._region, self._inputs, self._input = region, inputs, 0

    def _pack(self, tensor: torch.Tensor) -> object:
        if self._inputs:
            value = self._entering.get((self._region, self._input))
            self._input += 1
        else:
            value = self._value_at.get((self._region, self._seen[self._region]))
            self._seen[self._region] += 1
        if value is None:
            return tensor
        with torch.no_grad():
            away = self._away.get(value)
            if away is None:
                away = _Away(tensor.untyped_storage(), tensor.device, self._far)
                self._away[value] = away
            return _Packed(away, tensor)

    @staticmethod
    def _unpack(held: object) -> torch.Tensor:
        if isinstance(held, _Packed):
            with torch.no_grad():
                return held.unpacked()
        assert isinstance(held, torch.Tensor)  # noqa: S101 - _pack gives nothing else
        return held
