"""A module, run once without being traced, into the calls of torch that it makes."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import attrs
import torch
from torch import Tensor, nn
from torch._export.utils import _compiling_state_context
from torch.nn.modules import module as module_hooks
from torch.nn.utils.stateless import _reparametrize_module
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from mirc.frontend.entry import Entry
from mirc.frontend.fold_layout import Layout
from mirc.frontend.fold_stretch import NotAffineError, Spot, Stretch, followed
from mirc.frontend.untouched import lent


@attrs.define(slots=True)
class Watched:
    """Tensors and calls in the order met.

    Of a tensor: the name if the module owns it, the first call that touched it, what it is. Of a
    call: the module that made it, what it is, the tensors that it took and then those it gave.
    """

    names: list[str] = attrs.Factory(list)
    touched: list[int] = attrs.Factory(list)
    tensor_keys: list[Any] = attrs.Factory(list)
    paths: list[str] = attrs.Factory(list)
    call_keys: list[Any] = attrs.Factory(list)
    refers: list[tuple[int, ...]] = attrs.Factory(list)


def watched(entry: Entry, known: dict[Any, Any]) -> Watched:
    """Run an entry on tensors without contents and note every call that takes or makes tensors.

    Each call is noted as its function, all its arguments (of a tensor: shape, strides, dtype) and
    the shapes, strides and dtypes of what it gives, with the tensors that it takes and gives. The
    model is left as it was. Whatever the module raises there is passed on. ``known`` is what a
    :class:`Remembered` fills. O(calls); no bytes are allocated.
    """
    hollow = _hollow_state(entry.module)
    names = {id(tensor): _below(name, entry.inner) for name, tensor in reversed(hollow.items())}
    given = tree_map(_hollow_leaf, (entry.args, entry.kwargs))
    place = torch.device("meta") if entry.device else contextlib.nullcontext()
    with (
        lent(entry.module),
        _compiling_state_context(),
        _reparametrize_module(entry.module, hollow),
        _entered(entry.module, entry.inner) as path,
        place,
    ):
        notes = _Notes(known, names, path)
        with notes:
            entry.module(*given[0], **given[1])
    return notes.found


def confirm(short: Watched, full: Watched, layout: Layout) -> None:
    """Raise NotAffineError unless ``full`` is what the layout makes of ``short``, call by call."""
    counts = layout.counts()
    spots = _spots(short, layout)
    owners = [
        layout.spot(name) if name else spots[call]
        for name, call in zip(short.names, short.touched, strict=True)
    ]
    tensors = Stretch(owners, short.tensor_keys, counts)
    calls = Stretch(spots, short.call_keys, counts)
    if len(calls.copies) != len(full.call_keys):
        made, expected = len(full.call_keys), len(calls.copies)
        raise NotAffineError(f"the whole model makes {made} calls of torch, not {expected}")
    if [short.tensor_keys[copy.source] for copy in tensors.copies] != full.tensor_keys:
        raise NotAffineError("the whole model uses other tensors")
    for index, copy in enumerate(calls.copies):
        place, before = calls.places.get(copy.source), calls.before.get(copy.source)
        refers = followed(
            tensors,
            spots[copy.source] if place is None else Spot(place.run, place.unit),
            copy,
            short.refers[copy.source],
            () if before is None else short.refers[before],
        )
        if short.call_keys[copy.source] != full.call_keys[index] or refers != full.refers[index]:
            where = full.paths[index] or "the model itself"
            raise NotAffineError(f"in the whole model, `{where}` does something else")


def _spots(short: Watched, layout: Layout) -> list[Spot | None]:
    """Place each call: in the repeat of its module, else in that of the first call it serves."""
    spots = [layout.spot(path) for path in short.paths]
    served: dict[int, Spot | None] = {}
    for index in reversed(range(len(spots))):
        refers = short.refers[index]
        if spots[index] is None:
            _, given, _ = short.call_keys[index]
            spots[index] = next((served[one] for one in refers[given:] if served.get(one)), None)
        served.update(dict.fromkeys(refers, spots[index]))
    return spots


class Remembered(TorchFunctionMode):
    """Calls each function of torch once for each form of its arguments, on tensors without bytes.

    Called again with tensors of the same shapes, strides and dtypes and the same other arguments,
    it gives new tensors like those it gave before. A function that returns anything but new
    tensors is called each time. ``known`` holds the results, and may be handed on.
    """

    def __init__(self, known: dict[Any, Any]) -> None:
        super().__init__()
        self._known = known

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        return self._called(func, args, kwargs or {}).result

    def _called(self, func: Any, args: Any, kwargs: Any) -> "_Call":
        """Call a function of torch, or give tensors like those that it gave before."""
        given: list[Tensor] = []
        form: Any = (
            func,
            _switches(),
            _form(args, given),
            *((name, _form(kwargs[name], given)) for name in kwargs),
        )
        try:
            known = self._known.get(form)
        except TypeError:  # an argument that cannot be told from another one
            form, known = object(), None
        if known is not None:
            form, kind, keys = known  # the same object each time, which is quick to compare
            if kind is Tensor:
                result = _again(keys)
                return _Call(form, result, given, [result])
            if kind is not None:
                result = kind(map(_again, keys))
                return _Call(form, result, given, list(result))
        result = func(*args, **kwargs)
        results: list[Tensor] = []
        _form(result, results)
        if known is None:
            self._known[form] = (form, *_memory(result, results, given))
        return _Call(form, result, given, results)


class _Call(NamedTuple):
    """One call: what tells it from others, its result, the tensors that it takes and gives."""

    form: Any
    result: Any
    given: list[Tensor]
    results: list[Tensor]


def _memory(result: Any, results: list[Tensor], given: list[Tensor]) -> tuple[Any, Any]:
    """Give the kind and the keys that a result is made again from; None where it cannot be."""
    made = {id(one) for one in results}.isdisjoint(map(id, given))
    if made and results and all(map(_plain, results)):
        if type(result) is Tensor:
            return Tensor, _key(result)
        if type(result) in (tuple, list) and len(results) == len(result):
            return type(result), list(map(_key, results))
    return None, None


class _Notes(Remembered):
    """Notes calls into a :class:`Watched` as they happen."""

    def __init__(self, known: dict[Any, Any], names: Mapping[int, str], path: list[str]) -> None:
        super().__init__(known)
        self.found = Watched()
        self._names = names
        self._path = path
        self._places: dict[int, int] = {}
        self._held: list[Tensor] = []  # so that no id is used again

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        call = self._called(func, args, kwargs or {})
        if call.results or func is Tensor.__setitem__:
            found = self.found
            touched = (*call.given, *call.results)
            found.refers.append(tuple([self._place(one) for one in touched]))
            found.paths.append(self._path[-1])
            keys = tuple(map(_key, call.results))
            found.call_keys.append((call.form, len(call.given), keys))
        return call.result

    def _place(self, tensor: Tensor) -> int:
        place = self._places.get(id(tensor))
        if place is None:
            place = self._places[id(tensor)] = len(self._held)
            self._held.append(tensor)
            self.found.names.append(self._names.get(id(tensor), ""))
            self.found.touched.append(len(self.found.paths))
            self.found.tensor_keys.append(_key(tensor))
        return place


def _form(value: Any, tensors: list[Tensor]) -> Any:
    """Give what calls are told apart by; ``tensors`` gets those in ``value``."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return _key(value)
    if isinstance(value, tuple):
        return tuple([_form(one, tensors) for one in value])
    if isinstance(value, list):  # as an index, not what a tuple is
        return (list, *[_form(one, tensors) for one in value])
    if isinstance(value, slice):
        return (slice, *[_form(one, tensors) for one in (value.start, value.stop, value.step)])
    if isinstance(value, dict):
        return (dict, *[(name, _form(one, tensors)) for name, one in value.items()])
    return (type(value), value)


def _switches() -> Any:
    """Give the modes that change what a call does: gradients, and the dtypes of autocast."""
    if not torch._C._is_any_autocast_enabled():  # noqa: SLF001 - one question, asked at every call
        return torch.is_grad_enabled()
    return torch.is_grad_enabled(), *(
        (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind))
        for kind in ("cpu", "cuda")
    )


def _plain(tensor: Tensor) -> bool:
    return type(tensor) is Tensor and tensor.is_meta


def _again(key: Any) -> Tensor:
    shape, stride, dtype = key
    return torch.empty_strided(shape, stride, dtype=dtype, device="meta")


def _key(tensor: Tensor) -> Any:
    return (tensor.shape, tensor.stride(), tensor.dtype)


def _hollow_state(module: nn.Module) -> dict[str, Tensor]:
    """Give parameters and buffers by path without their contents; tied ones stay one."""
    owned: dict[str, Tensor] = dict(module.named_parameters(remove_duplicate=False))
    owned.update(module.named_buffers(remove_duplicate=False))
    by_identity = {id(tensor): _hollow(tensor) for tensor in owned.values()}
    return {name: by_identity[id(tensor)] for name, tensor in owned.items()}


def _hollow_leaf(leaf: Any) -> Any:
    return _hollow(leaf) if isinstance(leaf, Tensor) else leaf


def _hollow(tensor: Tensor) -> Tensor:
    made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    return nn.Parameter(made, requires_grad=False) if isinstance(tensor, nn.Parameter) else made


@contextlib.contextmanager
def _entered(module: nn.Module, inner: str) -> Iterator[list[str]]:
    """Keep the path, in the user's module, of the module that runs: the last of a list."""
    paths = {id(part): _below(name, inner) for name, part in module.named_modules()}
    running = [""]

    def enter(part: nn.Module, _args: Any) -> None:
        running.append(paths.get(id(part), running[-1]))

    def leave(_part: nn.Module, _args: Any, _out: Any) -> None:
        running.pop()

    handles = (
        module_hooks.register_module_forward_pre_hook(enter),
        module_hooks.register_module_forward_hook(leave, always_call=True),
    )
    try:
        yield running
    finally:
        for handle in handles:
            handle.remove()


def _below(path: str, inner: str) -> str:
    return path.removeprefix(f"{inner}.") if inner and path != inner else "" if inner else path
