"""Tensors met while lowering into the program's storages, each once, under its final name."""

from collections.abc import Iterable

import attrs
from torch import Tensor, nn

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.costs import tensor_bytes, unsized, whole
from mirc.frontend.entry import CacheRef
from mirc.graph.model import Part, Role, Scale, Split, Storage

UNNEST = "hold its values in a plain tensor, and where each row begins in another"


@attrs.define(slots=True, eq=False)
class Draft:
    """A storage that is still being learned about."""

    index: int
    name: str
    role: Role
    size_bytes: int
    dtype: str
    shape: tuple[int, ...]
    module: str = ""
    per_token_bytes: int = 0
    window_tokens: int = 0
    routed: bool = False
    mutated: bool = False
    scale: Scale = Scale.UNKNOWN


@attrs.define(slots=True)
class _Growth:
    """What the parts (keys, values, latent) of one cache add up to."""

    per_token: dict[tuple[str, int], int] = attrs.Factory(dict)
    size: dict[tuple[str, int], int] = attrs.Factory(dict)


class StorageTable:
    """All storages of a program: parameters and caches shared by phases, the rest of one phase."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self._shared: dict[str, Draft] = {}
        self._names: dict[int, str] = {}
        self._tensors: list[Tensor] = []  # keeps ids of `_names` from being used again
        self._growth: dict[str, _Growth] = {}

    def learn_names(self, model: nn.Module) -> None:
        """Give every parameter and buffer of ``model`` its path; a tied one keeps its first.

        Raises :class:`CouldNotRun` where two of them have one path: they cannot be told apart.
        So it does for a module that holds itself, which torch cannot list, and for a nested
        tensor, whose bytes it does not tell.
        """
        owners: dict[str, Tensor] = {}
        for path, tensor in _listed(model):
            if tensor.is_nested:
                owner = type(model).__name__
                raise CouldNotRun(
                    f"`{path}` of `{owner}` is a nested tensor: torch gives it no size",
                    UNNEST,
                )
            if owners.setdefault(path, tensor) is not tensor:
                raise CouldNotRun(
                    f"two tensors of `{type(model).__name__}` are both named `{path}`",
                    "give each module a name without dots",
                )
            if id(tensor) not in self._names:
                self._names[id(tensor)] = path
                self._tensors.append(tensor)

    def name_of(self, tensor: Tensor, otherwise: str) -> str:
        """Look up a tensor by identity; ``otherwise`` where no model owns it."""
        return self._names.get(id(tensor), otherwise)

    def add(
        self, name: str, role: Role, value: Tensor, module: str = "", size_bytes: int | None = None
    ) -> Draft:
        """Add a storage of one phase, which nothing else shares."""
        draft = Draft(
            index=len(self.drafts),
            name=name,
            role=role,
            size_bytes=tensor_bytes(value) if size_bytes is None else size_bytes,
            dtype=dtype_name(value),
            shape=tuple(map(whole, value.shape)),
            module=module,
            scale=Scale.DATA if unsized(value) else Scale.UNKNOWN,
        )
        self.drafts.append(draft)
        return draft

    def shared(self, name: str, role: Role, value: Tensor, phase: str) -> Draft:
        """Give the storage that all phases know as ``name``: a parameter, a buffer.

        One that differs in shape or dtype is another storage; it is named after its ``phase``.
        """
        found = self._shared.get(name)
        alike = (dtype_name(value), tuple(map(whole, value.shape)))
        if found is not None and (found.dtype, found.shape) != alike:
            name = f"{phase}.{name}"
            found = self._shared.get(name)
        if found is None:
            found = self.add(name, role, value, module=name.rpartition(".")[0])
            self._shared[name] = found
        return found

    def cache(self, ref: CacheRef, value: Tensor) -> Draft:
        """Give the one storage of a layer's cache, of which ``value`` is a part."""
        draft = self._shared.get(ref.name)
        if draft is None:
            role = Role.STATE if ref.state else Role.CACHE
            draft = self.add(ref.name, role, value, size_bytes=0)
            draft.window_tokens = ref.window
            self._shared[ref.name] = draft
            self._growth[ref.name] = _Growth()
        return draft

    def grow(self, name: str, part: tuple[str, int], size_bytes: int, per_token: int) -> None:
        """Note how large one part of a cache is in one phase; the largest phase counts."""
        growth = self._growth[name]
        growth.per_token[part] = per_token
        growth.size[part] = size_bytes

    def finished(self, tile_bytes: int) -> tuple[Storage, ...]:
        """Close the table: caches get their sizes, large weights their parts."""
        for name, growth in self._growth.items():
            draft = self._shared[name]
            draft.size_bytes = _largest_phase(growth.size)
            draft.per_token_bytes = _largest_phase(growth.per_token)
        return tuple(_storage(draft, tile_bytes) for draft in self.drafts)


def dtype_name(value: Tensor) -> str:
    """Give torch's name of a dtype without its prefix (``bfloat16``)."""
    return str(value.dtype).removeprefix("torch.")


def _listed(model: nn.Module) -> list[tuple[str, Tensor]]:
    try:
        return list(_named_tensors(model))
    except RecursionError:
        raise CouldNotRun(
            f"a module of `{type(model).__name__}` holds a module that holds it",
            "keep what it belongs to in a list, out of torch's sight",
        ) from None


def _named_tensors(model: nn.Module) -> Iterable[tuple[str, Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _largest_phase(parts: dict[tuple[str, int], int]) -> int:
    totals: dict[str, int] = {}
    for (phase, _), amount in parts.items():
        totals[phase] = totals.get(phase, 0) + amount
    return max(totals.values(), default=0)


def _storage(draft: Draft, tile_bytes: int) -> Storage:
    split, parts = _parts(draft, tile_bytes)
    return Storage(
        index=draft.index,
        name=draft.name,
        role=draft.role,
        size_bytes=draft.size_bytes,
        dtype=draft.dtype,
        shape=draft.shape,
        module=draft.module,
        split=split,
        parts=parts,
        per_token_bytes=draft.per_token_bytes,
        window_tokens=draft.window_tokens,
        scale=draft.scale,
        mutated=draft.mutated,
    )


def _parts(draft: Draft, tile_bytes: int) -> tuple[Split, tuple[Part, ...]]:
    """Cut a stack of experts into slices, and a weight above ``tile_bytes`` into row tiles."""
    if draft.role is not Role.PARAMETER:
        return Split.NONE, ()
    if draft.routed:
        count = draft.shape[0]
        each = draft.size_bytes // count
        return Split.EXPERTS, tuple(Part(f"[{index}]", each) for index in range(count))
    if draft.size_bytes <= tile_bytes or not draft.shape or draft.shape[0] == 1:
        return Split.NONE, ()
    rows = draft.shape[0]
    row_bytes = draft.size_bytes // rows
    per_tile = max(1, tile_bytes // row_bytes)
    return Split.ROWS, tuple(
        Part(f"[{first}:{last}]", (last - first) * row_bytes)
        for first in range(0, rows, per_tile)
        for last in (min(first + per_tile, rows),)
    )
