"""One training step, run on fake tensors, into operations, lives and what autograd saved."""

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import attrs
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from mirc.bounds.remat_regions import Saving, Step, TracedOp, TracedValue
from mirc.frontend.costs import COMPOSITES

Loss = Callable[[Any], torch.Tensor]


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Count the bytes of storages made while it is on, each until nothing refers to it.

    ``peak_bytes`` is exact for what torch hands out (not for what a kernel takes and gives back
    within one operation): storages are followed by weak reference, never by sampling.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live_bytes = 0
        self.peak_bytes = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation and follow the storages that it made."""
        del types
        for storage in storages((args, kwargs)):
            self._follow(storage, 0)
        result = func(*args, **(kwargs or {}))
        for storage in storages(result):
            self._follow(storage, storage.nbytes())
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        return result

    def _follow(self, storage: torch.UntypedStorage, size_bytes: int) -> None:
        key = storage._cdata  # noqa: SLF001 - the identity of the C++ object, without a public name
        if key not in self._known:
            self._known[key] = weakref.ref(storage, partial(self._gone, key, size_bytes))
            self.live_bytes += size_bytes

    def _gone(self, key: int, size_bytes: int, reference: object) -> None:
        del reference
        del self._known[key]
        self.live_bytes -= size_bytes


def storages(tree: object) -> Iterator[torch.UntypedStorage]:
    """Yield the storages of all tensors in a nest of containers."""
    for leaf in tree_leaves(tree):
        if isinstance(leaf, torch.Tensor):
            yield leaf.untyped_storage()


def record(module: nn.Module, inputs: Sequence[Any], loss: Loss, regions: Sequence[str]) -> Step:
    """Run ``loss(module(*inputs)).backward()`` without its numbers and return what happened.

    ``regions`` are paths of submodules that may be checkpointed later; each must be called once.
    Nothing of the module changes. Rows of a batch are taken to be one sequence each. Raises
    CouldNotRun-free torch errors where fake tensors cannot run it (control flow that depends on
    numbers).
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    # Leaves of their own: gradients must not reach the module.
    state = {
        name: fake.from_tensor(tensor.detach()).requires_grad_(tensor.requires_grad)
        for name, tensor in (*module.named_parameters(), *module.named_buffers())
    }
    given = [fake.from_tensor(x) if isinstance(x, torch.Tensor) else x for x in inputs]
    recorder = _Recorder(regions)
    with ExitStack() as stack:
        stack.enter_context(fake)
        stack.enter_context(_never_packed())
        for name in regions:
            stack.enter_context(recorder.watching(module.get_submodule(name), name))
        stack.enter_context(recorder)
        with saved_tensors_hooks(recorder.pack, recorder.unpack):
            result = loss(torch.func.functional_call(module, state, tuple(given)))
        recorder.forward = len(recorder.ops)
        result.backward()  # type: ignore[no-untyped-call]
        del result
    step = recorder.step()
    del state
    return step


@contextmanager
def _never_packed() -> Iterator[None]:
    """Have transformers not ask positions whether a row packs several sequences.

    Fake tensors have no numbers to ask for, so it would build and save a mask that a run on numbers
    finds needless: kernels and peak would be others.
    """
    masking: Any = sys.modules.get("transformers.masking_utils")
    asked = getattr(masking, "find_packed_sequence_indices", None)
    if asked is None:
        yield
        return
    masking.find_packed_sequence_indices = lambda *_, **__: None
    try:
        yield
    finally:
        masking.find_packed_sequence_indices = asked


def _flops(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> int:
    packet = func.overloadpacket
    formula: Any = COMPOSITES.get(packet) or flop_registry.get(packet)
    return int(formula(*args, **kwargs, out_val=result)) if formula else 0


def _overwritten(
    func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[torch.Tensor]:
    """Yield the tensors that an operation changes."""
    arguments = func._schema.arguments  # noqa: SLF001 - the schema has no public name
    for place, each in enumerate(arguments):
        given = args[place] if place < len(args) else kwargs.get(each.name)
        # Batch norm updates its running statistics and its schema does not say so.
        running = func.overloadpacket is torch.ops.aten.native_batch_norm and each.name in _RUNNING
        if isinstance(given, torch.Tensor) and (each.is_write or running):
            yield given


_RUNNING = ("running_mean", "running_var")


@attrs.define
class _Open:
    """A value while its storage may still live."""

    size_bytes: int
    born: int
    dies: int | None = None
    mutated: bool = False


class _Token:
    """What autograd holds instead of a tensor: which value, in which shape."""

    def __init__(self, saving: "_OpenSaving", tensor: torch.Tensor) -> None:
        self.saving = saving
        self.shape = tensor.shape
        self.stride = tensor.stride()
        self.dtype = tensor.dtype
        self.device = tensor.device


@attrs.define(eq=False)
class _OpenSaving:
    value: int
    region: str
    ordinal: int
    packed: int
    unpacked: int | None = None
    released: int | None = None


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows storages from operation to operation."""

    def __init__(self, regions: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ops: list[TracedOp] = []
        self.values: list[_Open] = []
        self.savings: list[_OpenSaving] = []
        self.forward = 0
        self.spans: dict[str, tuple[int, int]] = {}
        self.enters: dict[str, tuple[int, ...]] = dict.fromkeys(regions, ())
        self.named: dict[str, frozenset[int]] = dict.fromkeys(regions, frozenset())
        self._saved_in: Counter[str] = Counter()
        self.region = ""
        self._value_of: dict[int, int] = {}
        self._known: dict[int, weakref.ref[Any]] = {}
        self._paused = False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation and note it."""
        del types
        kwargs = kwargs or {}
        if self._paused or func.namespace == "prim":
            return func(*args, **kwargs)
        for storage in storages((args, kwargs)):
            self._known.setdefault(storage._cdata, weakref.ref(storage))  # noqa: SLF001
        result = func(*args, **kwargs)
        index = len(self.ops)
        over = [self._value(each) for each in _overwritten(func, args, kwargs)]
        for value in over:
            if value >= 0:
                self.values[value].mutated = True
        made = [
            self._made(storage, index)
            for storage in storages(result)
            if storage._cdata not in self._known  # noqa: SLF001 - as in LiveBytes
        ]
        moved = sum(
            leaf.numel() * leaf.element_size()
            for leaf in tree_leaves((args, kwargs, result))
            if isinstance(leaf, torch.Tensor)
        )
        self.ops.append(
            TracedOp(
                name=str(func),
                region=self.region,
                writes=tuple(dict.fromkeys(made)),
                flops=_flops(func, args, kwargs, result) if made else 0,
                moved_bytes=moved if made else 0,
                once=-1 in over,
                random=torch.Tag.nondeterministic_seeded in func.tags,
            )
        )
        return result

    def _made(self, storage: torch.UntypedStorage, index: int) -> int:
        key = storage._cdata  # noqa: SLF001
        if key not in self._value_of:
            self._value_of[key] = len(self.values)
            self.values.append(_Open(storage.nbytes(), index))
            self._known[key] = weakref.ref(storage, partial(self._gone, key))
        return self._value_of[key]

    def _gone(self, key: int, reference: object) -> None:
        del reference
        del self._known[key]
        self.values[self._value_of.pop(key)].dies = len(self.ops) - 1

    def _value(self, tensor: torch.Tensor) -> int:
        return self._value_of.get(tensor.untyped_storage()._cdata, -1)  # noqa: SLF001

    def pack(self, tensor: torch.Tensor) -> object:
        """Let autograd hold a token, so that the tensor dies as without autograd."""
        ordinal = self._saved_in[self.region]
        self._saved_in[self.region] += 1
        value = self._value(tensor)
        if value < 0:  # a parameter or an input: it exists anyway
            return tensor
        saving = _OpenSaving(value, self.region, ordinal, len(self.ops))
        self.savings.append(saving)
        return _Token(saving, tensor)

    def unpack(self, held: object) -> torch.Tensor:
        """Return a stand-in of the same form, and follow how long it is used."""
        if not isinstance(held, _Token):
            assert isinstance(held, torch.Tensor)  # noqa: S101 - pack gives nothing else
            return held
        saving = held.saving
        saving.unpacked = len(self.ops)
        self._paused = True
        alias = torch.empty_strided(held.shape, held.stride, dtype=held.dtype, device=held.device)
        self._paused = False
        storage = alias.untyped_storage()
        key = storage._cdata  # noqa: SLF001
        self._known[key] = weakref.ref(storage, partial(self._released, key, saving))
        return alias

    def _released(self, key: int, saving: _OpenSaving, reference: object) -> None:
        del reference
        del self._known[key]
        saving.released = len(self.ops) - 1

    @contextmanager
    def watching(self, module: nn.Module, name: str) -> Iterator[None]:
        """Note what runs inside a module as region ``name``."""

        def before(_: nn.Module, args: Any, kwargs: Any) -> None:
            self.region = name
            self.spans[name] = (len(self.ops), len(self.ops))
            self.enters[name] = tuple(
                self._value(each) for each in args if isinstance(each, torch.Tensor)
            )
            held = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
            self.named[name] = frozenset(map(self._value, held)) - {-1, *self.enters[name]}

        def after(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            del args, kwargs, output
            self.region = ""
            self.spans[name] = (self.spans[name][0], len(self.ops))

        handles = (
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after, with_kwargs=True),
        )
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def step(self) -> Step:
        """Return what was recorded; what is still alive lives to the last operation."""
        last = len(self.ops) - 1
        return Step(
            ops=tuple(self.ops),
            values=tuple(
                TracedValue(
                    size_bytes=each.size_bytes,
                    born=each.born,
                    dies=last if each.dies is None else max(each.born, each.dies),
                    mutated=each.mutated,
                )
                for each in self.values
            ),
            savings=tuple(
                Saving(
                    value=each.value,
                    region=each.region,
                    ordinal=each.ordinal,
                    packed=each.packed,
                    unpacked=each.unpacked,
                    released=last if each.released is None else each.released,
                )
                for each in self.savings
                if each.unpacked is not None
            ),
            forward=self.forward,
            spans=self.spans,
            enters=self.enters,
            named=self.named,
        )
