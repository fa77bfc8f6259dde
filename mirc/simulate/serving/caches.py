"""A file's cache templates and a machine into cache groups, their bytes, and what a token costs."""

from collections.abc import Iterator, Mapping

import attrs

from mirc.controller.kv.crossover import Recompute
from mirc.controller.kv.groups import Group, GroupKind, window_blocks
from mirc.controller.kv.retention import Declared
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.enums import InstanceAxis, ObjectClass, PhaseKind, TierKind
from mirc.ir.meaning import Applied, PerToken, evaluate
from mirc.ir.module import Phase
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.machine.parts import Link
from mirc.machine.roofline import compute_seconds
from mirc.machine.transfers import PS_PER_S, route, transfer_ps
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.reading import batch_of
from mirc.simulate.serving.retention import declared_of

_CACHES = (ObjectClass.KV_BLOCK, ObjectClass.RECURRENT_STATE)


@attrs.frozen(kw_only=True)
class Caches:
    """What one block of ``block_tokens`` tokens takes, in bytes, by group.

    All layers of a group come and leave together: a block of a request stands for the blocks of
    every template of the group over the same tokens. ``windows`` are the tokens that each group's
    attention reaches back, 0 for all; ``layers`` the group of each template, by number. A block
    lies in pieces of ``fragment_bytes``. ``weights_bytes`` lie in near memory beside. ``declared``
    is how long the file says that blocks are wanted.
    """

    groups: tuple[Group, ...]
    windows: tuple[int, ...]
    layers: Mapping[str, int]
    block_tokens: int
    fragment_bytes: int
    weights_bytes: int
    declared: Declared = attrs.field(factory=dict)

    @property
    def templates(self) -> int:
        """The templates of the file that live with sequences."""
        return len(self.layers)

    @property
    def block_bytes(self) -> int:
        """The bytes of a block in all groups."""
        return sum(group.size for group in self.groups)


def caches_of(packed: Packed, block_tokens: int) -> Caches:
    """Read the templates that live with sequences; raises CouldNotRun if there is none.

    Full attention, each width of window, and recurrent states are a group each.
    """
    view = PackedView(packed)
    sizes: dict[tuple[GroupKind, int], int] = {}
    layers: dict[str, tuple[GroupKind, int]] = {}
    pieces: list[int] = []
    for name in packed.templates:
        if view.class_of(name) in _CACHES and _of_sequences(view, name):
            kind, window, size = _form(view, name, block_tokens)
            if size <= 0:
                raise CouldNotRun(f"`{name}` holds no bytes", "say how many a token takes")
            sizes[kind, window] = sizes.get((kind, window), 0) + size
            layers[name] = kind, window
            pieces.append(_piece(view, name, size))
    if not layers:
        raise CouldNotRun(
            "the file has no template of a cache that lives with its sequence, so a trace of "
            "requests has nothing to fill",
            "declare one: `template kv { class = KV_BLOCK  instance = [SEQUENCE, BLOCK] ... }`",
        )
    numbers = {name: list(sizes).index(key) for name, key in layers.items()}
    return Caches(
        groups=tuple(_group(*key, size, block_tokens) for key, size in sizes.items()),
        windows=tuple(window for _, window in sizes),
        layers=numbers,
        block_tokens=block_tokens,
        fragment_bytes=min(pieces),
        weights_bytes=sum(_weights(view)),
        declared=declared_of(packed, numbers),
    )


def recompute_of(module: Module, machine: Machine, caches: Caches) -> Recompute | None:
    """Return what a token's caches cost to load and to compute again on a machine.

    Loading is from host memory, a block at a time, in the pieces that it lies in. None if the
    file's steps say nothing of arithmetic.
    """
    phase = prompt_phase(module)
    if phase is None:
        return None
    batch = batch_of(phase)
    dtype = read(module.info, "dtype") if module.info is not None else None
    flops = seconds = 0.0
    for step in phase.steps:
        amount = batch.amount(read(step, "flops"))
        flops += amount
        seconds += compute_seconds(machine, amount, read(step, "work").value, dtype or "bfloat16")
    tokens = batch.sequences * batch.tokens
    if not flops:
        return None
    return Recompute(
        kv_bytes=caches.block_bytes / caches.block_tokens,
        parameters=flops / tokens / 2,
        flops_per_s=flops / seconds,
        load_bytes_per_s=_load_rate(machine, caches),
    )


def ways_of(machine: Machine, size: int) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """Return the links from host memory to near memory, and those back; empty without any."""
    host, near = machine.tier(TierKind.DRAM), machine.near
    if host is None or host.name == near.name:
        return (), ()
    try:
        inward = route(machine, host.name, near.name, size)
        outward = route(machine, near.name, host.name, size)
    except LookupError:
        return (), ()
    return inward, outward


def _load_rate(machine: Machine, caches: Caches) -> float:
    size = caches.block_bytes
    links, _ = ways_of(machine, size)
    spent = sum(transfer_ps(link, size, caches.fragment_bytes) for link in links)
    return size * PS_PER_S / spent if spent else 0.0


def prompt_phase(module: Module) -> Phase | None:
    """Return the phase that computes prompts, else the first that has steps."""
    with_steps = [phase for phase in module.phases.values() if phase.steps]
    prompts = [phase for phase in with_steps if read(phase, "kind") is PhaseKind.PREFILL]
    return next(iter(prompts or with_steps), None)


def _of_sequences(view: PackedView, name: str) -> bool:
    return InstanceAxis.SEQUENCE in (view.value(name, "instance") or ())


def _form(view: PackedView, name: str, block_tokens: int) -> tuple[GroupKind, int, int]:
    """Return a template's kind, its window in tokens, and its bytes for a block of the trace."""
    size = view.value(name, "size_bytes")
    if size is None:
        raise CouldNotRun(f"`{name}` has no `size_bytes`", "say how many bytes a token takes")
    retire = view.value(name, "retire")
    if not isinstance(size, PerToken):
        block = view.value(name, "block_tokens")
        if block is None:
            return GroupKind.RECURRENT, 0, evaluate(size, sequences=1, tokens=1)
        size_bytes = -(-block_tokens // block) * evaluate(size, sequences=1, tokens=1)
    else:
        size_bytes = block_tokens * size.amount
    if isinstance(retire, Applied) and retire.word == "WINDOW":
        return GroupKind.WINDOW, int(str(retire.args[0])), size_bytes
    return GroupKind.FULL, 0, size_bytes


def _piece(view: PackedView, name: str, size: int) -> int:
    """Return the bytes of the pieces that a block of one template lies in."""
    layout = view.value(name, "layout")
    if isinstance(layout, Applied) and layout.word == "PAGED":
        return min(size, int(str(layout.args[1])))
    return size


def _group(kind: GroupKind, window: int, size: int, block_tokens: int) -> Group:
    if kind is GroupKind.WINDOW:
        before = window_blocks(window, block_tokens)
        return Group(name=f"window {window}", kind=kind, size=size, window_blocks=before)
    return Group(name="state" if kind is GroupKind.RECURRENT else "full", kind=kind, size=size)


def _weights(view: PackedView) -> Iterator[int]:
    for name in view.packed.objects:
        if view.class_of(name) in (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT):
            size = view.value(name, "size_bytes")
            if isinstance(size, int):
                yield size
