"""What a .mir file declares, as far as its steps use it, into the storages of a graph."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.graph.model import Part, Role, Scale, Split, Storage
from mirc.ir import Block, Module, PerSequence, PerToken, Phase, Step, View, families_of
from mirc.ir.enums import ObjectClass, Recompute
from mirc.ir.meaning import Access, Amount, Applied, evaluate
from mirc.ir.resolve import read

_ROLE_OF = {
    ObjectClass.WEIGHT_TILE: Role.PARAMETER,
    ObjectClass.EXPERT_WEIGHT: Role.PARAMETER,
    ObjectClass.KV_BLOCK: Role.CACHE,
    ObjectClass.INPUT: Role.INPUT,
    ObjectClass.CONSTANT: Role.CONSTANT,
    ObjectClass.METADATA_PAGE: Role.BUFFER,
    ObjectClass.GRADIENT_SHARD: Role.GRADIENT,
    ObjectClass.OPTIMIZER_STATE: Role.OPTIMIZER,
    ObjectClass.CHECKPOINT_FRAGMENT: Role.CHECKPOINT,
}
_SCALE_OF: dict[type, Scale] = {PerToken: Scale.PER_TOKEN, PerSequence: Scale.PER_SEQUENCE}


@attrs.frozen(kw_only=True)
class Batch:
    """What one run of a phase does: ``tokens`` new ones for each of ``sequences``."""

    sequences: int
    tokens: int
    context: int

    @classmethod
    def of(cls, phase: Phase) -> "Batch":
        """Read what the phase says, or its defaults: one sequence, one token, nothing before."""
        return cls(
            sequences=read(phase, "batch"),
            tokens=read(phase, "tokens"),
            context=read(phase, "context"),
        )

    def amount(self, value: Amount) -> int:
        """Evaluate ``n``, ``PER_TOKEN(n)`` or ``PER_SEQUENCE(n)`` for one run."""
        return evaluate(value, sequences=self.sequences, tokens=self.sequences * self.tokens)


@attrs.frozen(kw_only=True)
class Unit:
    """What becomes one storage: an object, a template, or a family with its ``parts``.

    ``per_token`` are a cache's bytes for one token of one sequence, 0 where it does not grow.
    """

    name: str
    parts: tuple[str, ...]
    klass: ObjectClass
    amounts: tuple[Amount, ...]
    template: bool
    per_token: int
    window_tokens: int
    dtype: str
    irreproducible: bool

    @property
    def is_family(self) -> bool:
        """Whether its parts are objects of their own."""
        return self.parts != (self.name,)

    def size_bytes(self, batch: Batch) -> int:
        """Return its bytes in a run: of a cache, those of all its tokens at the end."""
        if self.per_token:
            return batch.sequences * self.per_token * self.kept(batch)
        if self.template and isinstance(self.amounts[0], int):  # an instance a sequence
            return batch.sequences * self.amounts[0]
        return sum(batch.amount(amount) for amount in self.amounts)

    def kept(self, batch: Batch) -> int:
        """Return the tokens of one sequence that the cache holds when a run ends."""
        tokens = batch.context + batch.tokens
        return min(tokens, self.window_tokens) if self.window_tokens else tokens

    @property
    def scale(self) -> Scale:
        """How its size grows, by what the file says."""
        found = {_SCALE_OF.get(type(amount), Scale.FIXED) for amount in self.amounts}
        return found.pop() if len(found) == 1 else Scale.OTHER


class Declared:
    """The units that the steps of ``phases`` use, in the order in which the file declares them.

    A family is one unit where some step names it, its parts are units of their own where none
    does. Raises CouldNotRun for what is used and has no class or no size.
    """

    def __init__(self, module: Module, phases: Sequence[Phase]) -> None:
        self.module = module
        self.phases = phases
        self._view = View(module)
        self._dtype = _module_dtype(module)
        named = {a.name for p in phases for s in p.steps for a in (*uses(s)[0], *uses(s)[1])}
        members: dict[str, list[str]] = {}
        self.unit_of: dict[str, str] = {name: name for name in named}
        for name in module.data:
            chain = [each for each in (name, *families_of(name)) if each in named]
            if chain:
                members.setdefault(chain[-1], []).append(name)  # the widest that a step names
                self.unit_of.update((each, chain[-1]) for each in chain)
        self.units = {name: self._unit(name, parts) for name, parts in members.items()}

    def bytes_of(self, name: str, batch: Batch) -> int:
        """Return the bytes of a named object or family in a run."""
        unit = self.units[self.unit_of[name]]
        if name == unit.name:
            return unit.size_bytes(batch)
        wanted = set(self.module.parts(name))
        pairs = zip(unit.parts, unit.amounts, strict=True)
        return sum(batch.amount(amount) for part, amount in pairs if part in wanted)

    @cached_property
    def routed(self) -> frozenset[str]:
        """Units of which some step reads parts by a router's choice."""
        accesses = (a for p in self.phases for s in p.steps for a in uses(s)[0])
        return frozenset(self.unit_of[access.name] for access in accesses if access.top_k)

    @cached_property
    def _history(self) -> dict[str, "_History"]:
        found = {name: _History() for name in self.units}
        for phase in self.phases:
            for step in phase.steps:
                reads, writes = (
                    {self.unit_of[access.name]: None for access in accesses}
                    for accesses in uses(step)
                )
                for name in writes:
                    if name in reads and not found[name].made_in:  # the step makes it, then reads
                        found[name].note(phase.name, writes=True)
                for name in reads:
                    found[name].note(phase.name, writes=False)
                for name in writes:
                    found[name].note(phase.name, writes=True)
        return found

    def storages(self) -> list[Storage]:
        """Return a storage for each unit, indices in order."""
        return [self._storage(index, unit) for index, unit in enumerate(self.units.values())]

    def _storage(self, index: int, unit: Unit) -> Storage:
        history = self._history[unit.name]
        batches = [Batch.of(phase) for phase in self.phases if phase.name in history.phases]
        role = _role(unit, history)
        parts: tuple[Part, ...] = ()
        size = max(unit.size_bytes(batch) for batch in batches)
        if unit.is_family:
            sizes = [max(b.amount(amount) for b in batches) for amount in unit.amounts]
            suffixes = [name.removeprefix(unit.name) for name in unit.parts]
            parts = tuple(Part(*each) for each in zip(suffixes, sizes, strict=True))
            size = sum(sizes)
        lasting = role not in (Role.ACTIVATION, Role.OUTPUT, Role.SAVED, Role.INPUT)
        return Storage(
            index=index,
            name=unit.name,
            role=role,
            size_bytes=size,
            dtype=unit.dtype,
            shape=(),
            module=_module_of(unit.name, self.phases if not lasting else ()),
            split=_split(unit, routed=unit.name in self.routed),
            parts=parts,
            per_token_bytes=unit.per_token if role is Role.CACHE else 0,
            window_tokens=unit.window_tokens if role is Role.CACHE else 0,
            scale=unit.scale,
            mutated=lasting and history.written,
        )

    def _unit(self, name: str, parts: Sequence[str]) -> Unit:
        first = parts[0]
        block = self.module.data[first]
        klass = self._view.class_of(first)
        if klass is None:
            raise CouldNotRun(f"`{first}` is used and has no `class`", "write `class = ...`")
        amounts = tuple(self._size(part) for part in parts)
        template = first in self.module.templates
        retire = self._view.value(first, "retire")
        windowed = isinstance(retire, Applied) and retire.word == "WINDOW"
        remake = block.value("recompute_class")
        return Unit(
            name=name,
            parts=tuple(parts),
            klass=klass,
            amounts=amounts,
            template=template and klass in (ObjectClass.KV_BLOCK, ObjectClass.RECURRENT_STATE),
            per_token=self._per_token(first, klass, amounts[0]) if template else 0,
            window_tokens=retire.args[0] if windowed else 0,
            dtype=str(self._view.value(first, "dtype") or self._dtype),
            irreproducible=remake is not None
            and self._view.value(first, "recompute_class") is Recompute.IMPOSSIBLE,
        )

    def _size(self, name: str) -> Amount:
        size: Amount | None = self._view.value(name, "size_bytes")
        if size is None:
            raise CouldNotRun(
                f"`{name}` is used by a step and has no `size_bytes`",
                "write `size_bytes = ...`: no pass can place bytes that nobody knows",
            )
        return size

    def _per_token(self, name: str, klass: ObjectClass, amount: Amount) -> int:
        if klass is not ObjectClass.KV_BLOCK:
            return 0
        if isinstance(amount, PerToken):
            return amount.amount
        block: int | None = self._view.value(name, "block_tokens")
        return -(-amount // block) if isinstance(amount, int) and block else 0


@attrs.define
class _History:
    """In which phases a unit is used, and whether it outlives one of them."""

    phases: dict[str, None] = attrs.field(factory=dict)
    made_in: dict[str, None] = attrs.field(factory=dict)
    awaited_in: dict[str, None] = attrs.field(factory=dict)
    read_after: bool = False

    def note(self, phase: str, *, writes: bool) -> None:
        self.phases.setdefault(phase)
        if writes:
            self.made_in.setdefault(phase)
        elif phase in self.made_in:
            self.read_after = True
        else:
            self.awaited_in.setdefault(phase)

    @property
    def written(self) -> bool:
        return bool(self.made_in)


def uses(step: Step) -> tuple[Sequence[Access], Sequence[Access]]:
    """Return what a step reads, and what it writes."""
    return read(step, "reads") or (), read(step, "writes") or ()


def _role(unit: Unit, history: _History) -> Role:
    if unit.klass is ObjectClass.RECURRENT_STATE:
        return Role.STATE if unit.template else Role.BUFFER
    if unit.klass in _ROLE_OF:
        return _ROLE_OF[unit.klass]
    if not history.written:  # nothing makes it: the caller gives it
        return Role.INPUT
    if history.awaited_in:  # made by one phase, or one run, for another
        return Role.SAVED
    return Role.ACTIVATION if history.read_after else Role.OUTPUT


def _split(unit: Unit, *, routed: bool) -> Split:
    if not unit.is_family:
        return Split.NONE
    tiles = all(":" in name.removeprefix(unit.name) for name in unit.parts)
    return Split.ROWS if tiles and not routed else Split.EXPERTS


def _module_of(name: str, phases: Iterable[Phase]) -> str:
    """Return the path before the last dot, without the phase that what a run makes begins with."""
    path = name.rpartition(".")[0]
    for phase in phases:
        if path == phase.name or path.startswith(f"{phase.name}."):
            return path[len(phase.name) + 1 :]
    return path


def _module_dtype(module: Module) -> str:
    info: Block | None = module.info
    written = read(info, "dtype") if info is not None else None
    return str(written or "bfloat16")
