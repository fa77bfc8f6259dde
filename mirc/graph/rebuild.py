"""The steps of a .mir file into the dependency graph that a capture would have given."""

from collections.abc import Sequence

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.graph import model
from mirc.graph.declared import Batch, Declared, uses
from mirc.graph.model import Graph, Node, Program, Role, Scale, Storage, Use
from mirc.ir import Module, PerSequence, PerToken, Phase
from mirc.ir.enums import CollectiveKind, WorkKind
from mirc.ir.meaning import Access, Amount
from mirc.ir.names import part_range
from mirc.ir.resolve import read

_REMAKABLE = (Role.ACTIVATION, Role.OUTPUT, Role.SAVED)
MOST_REPEATS = 4096
"""Uses of one storage in one step beyond which its ``traffic_bytes`` are taken for a mistake."""


def rebuild(module: Module, name: str = "model") -> Program:
    """Return a program with a node for each step; it satisfies ``mirc.graph.verify``.

    Objects become storages by their class and use: what is written and read again in one phase is
    an activation, what another phase (or the next run) reads is saved, what nobody reads an output.
    A step's ``transient_bytes`` and ``traffic_bytes`` become a storage that only this step uses,
    read as often as the traffic says. What a step itself makes and reads again is read by a node of
    its own, and what the file calls impossible to make again is made by one. Phases without steps
    have no graph. ``name`` is used where the file names no model.

    Raises CouldNotRun where no phase has steps, or something used has no class or no size.
    """
    phases = [phase for phase in module.phases.values() if phase.steps]
    if not phases:
        raise CouldNotRun(
            "no phase of the file has steps, and a graph is made of what steps read and write",
            "write `step` blocks into its phases, or compile the model",
        )
    builder = _Builder(Declared(module, phases))
    graphs = tuple(builder.graph(phase) for phase in phases)
    info = module.info
    model_name = read(info, "model") if info is not None else None
    digest = read(info, "model_digest") if info is not None else None
    return Program(
        name=str(model_name or (info.name if info is not None else name)),
        digest=str(digest or ""),
        storages=tuple(builder.storages),
        graphs=graphs,
    )


class _Builder:
    """Grows by the storages of what steps hold inside."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.storages = declared.storages()
        self.index = {storage.name: storage.index for storage in self.storages}
        self.names = {*declared.module.data, *self.index}
        self.handed_on: set[int] = set()

    def graph(self, phase: Phase) -> Graph:
        """Make the phase's nodes and steps."""
        batch = Batch.of(phase)
        nodes: list[Node] = []
        steps: list[model.Step] = []
        made: set[int] = set()
        for place, step in enumerate(phase.steps):
            first = len(nodes)
            node = self._node(phase, place, batch)
            nodes += _parted(node, first, self._fresh(node, made), self._drawn(node))
            written = {use.storage for use in node.writes}
            made |= written
            self.handed_on |= written
            steps.append(model.Step(name=step.name, first=first, last=len(nodes) - 1))
        return Graph(
            phase=phase.name,
            nodes=tuple(nodes),
            steps=tuple(steps),
            outputs=frozenset(
                use.storage
                for node in nodes
                for use in node.writes
                if self.storages[use.storage].role is Role.OUTPUT
            ),
            batch=batch.sequences,
            tokens=batch.tokens,
            past=batch.context,
        )

    def _fresh(self, node: Node, made: set[int]) -> set[int]:
        """Return what a node is the first to make, in its phase or (what is handed on) at all."""
        there = {Role.SAVED: self.handed_on, Role.ACTIVATION: made, Role.OUTPUT: made}
        return {
            use.storage
            for use in node.writes
            if use.storage not in there.get(self.storages[use.storage].role, {use.storage})
        }

    def _node(self, phase: Phase, place: int, batch: Batch) -> Node:
        step = phase.steps[place]
        read_here, written_here = uses(step)
        reads = [self._read(access, batch) for access in read_here]
        writes = [self._write(access, batch) for access in written_here]
        flops: Amount = read(step, "flops")
        reads += self._repeated(phase, place, batch, reads or writes)
        writes += self._inside(phase, place, batch)
        collective = read(step, "collective")
        kind = getattr(collective, "word", collective)
        return Node(
            index=place,
            name=step.name,
            op=_op(read(step, "work"), kind),
            module=step.name,
            reads=tuple(reads),
            writes=tuple(writes),
            flops=batch.amount(flops),
            flops_scale=_scale(flops),
            collective=collective is not None,
        )

    def _drawn(self, node: Node) -> set[int]:
        """Return what a node makes that the file itself says cannot be made again."""
        found = set()
        for use in node.writes:
            storage = self.storages[use.storage]
            unit = self.declared.units.get(storage.name)  # none: temporaries of the step
            if unit is not None and unit.irreproducible and storage.role in _REMAKABLE:
                found.add(use.storage)
        return found

    def _read(self, access: Access, batch: Batch) -> Use:
        storage = self._storage(access)
        unit = self.declared.units[storage.name]
        if access.top_k:
            return _routed(storage, access.top_k, batch.sequences * batch.tokens)
        size = self._size(access, batch)
        whole = access.name == storage.name and access.touched is None
        if unit.per_token and whole:
            size = unit.size_bytes(batch)
        kind = model.Access.WHOLE if whole else model.Access.TOUCH
        return Use(storage=storage.index, size_bytes=min(size, storage.size_bytes), access=kind)

    def _write(self, access: Access, batch: Batch) -> Use:
        storage = self._storage(access)
        unit = self.declared.units[storage.name]
        size = self._size(access, batch)
        if unit.per_token and access.touched is None:  # the new tokens only
            size = batch.sequences * unit.per_token * batch.tokens
        whole = access.name == storage.name and access.touched is None
        kind = model.Access.WHOLE if whole else model.Access.TOUCH
        return Use(storage=storage.index, size_bytes=min(size, storage.size_bytes), access=kind)

    def _storage(self, access: Access) -> Storage:
        return self.storages[self.index[self.declared.unit_of[access.name]]]

    def _size(self, access: Access, batch: Batch) -> int:
        if access.touched is not None:
            return batch.amount(access.touched)
        return self.declared.bytes_of(access.name, batch)

    def _inside(self, phase: Phase, place: int, batch: Batch) -> list[Use]:
        """Return uses of a storage for what lives only inside a step, that move its traffic."""
        step = phase.steps[place]
        amount: Amount = read(step, "transient_bytes")
        peak = batch.amount(amount)
        if not peak:
            return []
        traffic = batch.amount(read(step, "traffic_bytes"))
        temporary = self._temporary(phase.name, step.name, peak, _scale(amount))
        once = Use(storage=temporary.index, size_bytes=min(peak, traffic))
        return [once, *_repeats(once, traffic - once.size_bytes, step.name)]

    def _repeated(self, phase: Phase, place: int, batch: Batch, around: Sequence[Use]) -> list[Use]:
        """Return further uses of a step's largest operand, where only they can be its traffic."""
        step = phase.steps[place]
        traffic = batch.amount(read(step, "traffic_bytes"))
        if not traffic or batch.amount(read(step, "transient_bytes")):
            return []
        largest = max(around, key=lambda use: use.size_bytes, default=None)
        if largest is None or not largest.size_bytes:
            raise _too_much(step.name, traffic)
        return _repeats(largest, traffic, step.name)

    def _temporary(self, phase: str, step: str, size: int, scale: Scale) -> Storage:
        name = f"{phase}.{step}.inside"
        while name in self.names:
            name += "_"
        self.names.add(name)
        made = Storage(
            index=len(self.storages),
            name=name,
            role=Role.ACTIVATION,
            size_bytes=size,
            dtype=self.storages[0].dtype if self.storages else "bfloat16",
            shape=(),
            module=step,
            scale=scale,
        )
        self.storages.append(made)
        return made


def _parted(node: Node, index: int, fresh: set[int], drawn: set[int]) -> list[Node]:
    """Return a step's node, one that makes what is ``drawn``, and one that reads the ``fresh``.

    What cannot be made again has a node of its own, so that what else the step makes can be; it
    reads the same without moving its bytes twice. What the step itself made is read last.
    """
    own = tuple(use for use in node.reads if use.storage in fresh)
    reads = tuple(use for use in node.reads if use.storage not in fresh)
    sure = tuple(use for use in node.writes if use.storage not in drawn)
    chance = tuple(use for use in node.writes if use.storage in drawn)
    found = [attrs.evolve(node, reads=reads, writes=sure)]
    if chance and not sure:
        found = [attrs.evolve(node, reads=reads, random=True)]
    elif chance:
        unmoved = tuple(attrs.evolve(use, size_bytes=0) for use in reads)
        found.append(
            Node(
                index=0,
                name=f"{node.name}.drawn",
                op=node.op,
                module=node.module,
                reads=unmoved,
                writes=chance,
                random=True,
            )
        )
    if own:
        name = f"{node.name}.again"
        found.append(Node(index=0, name=name, op=node.op, module=node.module, reads=own))
    return [attrs.evolve(each, index=index + place) for place, each in enumerate(found)]


def _routed(storage: Storage, top_k: int, tokens: int) -> Use:
    """Read what the tokens choose: of experts that are several objects each, all of these."""
    experts = len({part_range(_head(part.suffix)) for part in storage.parts}) or 1
    objects = max(1, len(storage.parts)) // experts
    chosen = min(experts, top_k * tokens) * objects
    return Use(
        storage=storage.index,
        size_bytes=storage.size_bytes * chosen // max(1, len(storage.parts)),
        access=model.Access.ROUTED if storage.parts else model.Access.WHOLE,
        top_k=min(top_k, experts) * objects if storage.parts else 0,
    )


def _head(suffix: str) -> str:
    """Return the first bracket of a part's suffix behind a letter, so that it reads as a part."""
    return "p" + suffix[: suffix.find("]") + 1]


def _repeats(use: Use, size_bytes: int, step: str) -> list[Use]:
    """Return further uses of the same bytes that move ``size_bytes`` in all."""
    if size_bytes <= 0:
        return []
    if use.size_bytes * MOST_REPEATS < size_bytes:
        raise _too_much(step, size_bytes)
    times, rest = divmod(size_bytes, use.size_bytes)
    return [use] * times + ([attrs.evolve(use, size_bytes=rest)] if rest else [])


def _too_much(step: str, size_bytes: int) -> CouldNotRun:
    return CouldNotRun(
        f"step `{step}` moves {size_bytes:_} inner bytes through objects too small for them",
        "check its `traffic_bytes` and `transient_bytes`",
    )


def _scale(amount: Amount) -> Scale:
    if isinstance(amount, PerToken):
        return Scale.PER_TOKEN
    return Scale.PER_SEQUENCE if isinstance(amount, PerSequence) else Scale.FIXED


def _op(work: WorkKind, collective: CollectiveKind | None) -> str:
    """Return a name for the operation: what it is known by, since no operator is."""
    return f"mir.{(collective or work).lower()}"
