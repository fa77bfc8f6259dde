"""A model into an observation: it runs, and every operation notes which memory it touched."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import attrs
import torch
from torch import Tensor, fx
from torch._ops import OpOverload

from mirc.diagnostics import CouldNotRun
from mirc.frontend import CaptureOptions
from mirc.frontend import target as targets
from mirc.frontend.costs import GROUPED, FlopCounter, aten
from mirc.frontend.entry import Entry
from mirc.frontend.levels import by_export
from mirc.frontend.lower import Lowering
from mirc.frontend.lower_nodes import Value
from mirc.frontend.operators import Kind, operator_of
from mirc.frontend.reads import GATHERS
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Traced
from mirc.frontend.untouched import lent
from mirc.graph.model import Role, Split, Storage
from mirc.observe.inputs import Given
from mirc.traces.observations import ObservationHeader, Part, Row

EXECUTION = "execution"
MOST_BYTES = 8 << 30
"""Of parameters: the model really runs, in the memory of this machine."""

_PS_PER_NS = 1_000


def observed(
    target: str, options: CaptureOptions, runs: int, seed: int, tell: Callable[[str], None]
) -> Iterator[Part]:
    """Run each phase of a model ``runs`` times on the CPU and yield what was seen.

    The program that ``torch.export`` captures runs operation by operation. Names are those that
    `mirc compile` writes with the same options; sizes, uses, times and the experts that the router
    chose are those of the run. What the target brings (weights, inputs) is used, what it lacks is
    drawn from ``seed``. Raises CouldNotRun where a phase cannot be exported or run, and for a model
    of more than ``MOST_BYTES``.
    """
    model = targets.resolve(target)
    entries = model.entries(options)
    if any(entry.training is not None for entry in entries):
        raise CouldNotRun(
            "a training step is not observed: it runs through autograd, not as one program",
            "observe `forward`, or simulate the step: `mirc simulate --record`",
        )
    table = StorageTable()
    flops = FlopCounter()
    phases = [_captured(entry, table, flops, tell) for entry in entries]
    storages = table.finished(options.tile_bytes)
    size = sum(each.size_bytes for each in storages if each.role is Role.PARAMETER)
    if size > MOST_BYTES:
        raise CouldNotRun(
            f"`{target}` has {size / 1e9:.0f} GB of weights, and observing runs it for real",
            "give a smaller configuration of the same model",
        )
    yield ObservationHeader(source=EXECUTION, machine="cpu", policy="pytorch", uses=True)
    notes = Notes(storages)
    given = Given(seed)
    for number, phase in enumerate(phases):
        yield ("phase", phase.entry.phase)
        for run in range(runs):
            tell(f"running `{phase.entry.phase}`: {run + 1} of {runs}")
            runner = _Run(phase, notes, number)
            values = given.to(phase.traced, run)
            with torch.no_grad(), lent(phase.entry.module):
                try:
                    runner.run(*values)
                except Exception as error:
                    what = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
                    raise CouldNotRun(
                        f"`{phase.entry.phase}` does not run: {what}",
                        "see whether it runs on the CPU, on the same inputs, without mirc",
                    ) from error
            notes.note("end")
            yield from notes.taken()


@attrs.frozen(eq=False)
class _Phase:
    """A captured phase: its fx graph, and which operation and step each fx node became."""

    entry: Entry
    traced: Traced
    values: dict[fx.Node, Value]
    step_of: dict[fx.Node, int]


class _Placed(Lowering):
    """A lowering that remembers which of its nodes an fx node became."""

    def __init__(self, traced: Traced, table: StorageTable, flops: FlopCounter) -> None:
        super().__init__(traced, table, flops)
        self.places: dict[fx.Node, int] = {}

    def _call(self, node: fx.Node) -> Value:
        before = len(self.nodes)
        value = super()._call(node)
        if len(self.nodes) > before:
            self.places[node] = before
        return value


def _captured(
    entry: Entry, table: StorageTable, flops: FlopCounter, tell: Callable[[str], None]
) -> _Phase:
    tell(f"capturing `{entry.phase}`")
    table.learn_names(entry.model)
    place = torch.device(entry.device) if entry.device else nullcontext()
    try:
        with lent(entry.module), place:
            traced = by_export(entry, table)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise CouldNotRun(
            f"`{entry.phase}` cannot be exported: {type(error).__name__}: {reason}",
            "only what torch.export captures is observed",
        ) from error
    lowering = _Placed(traced, table, flops)
    lowering.run(traced.graph, {})
    lowering.mark_outputs()
    lowering.grow_caches()
    steps = lowering.graph().steps
    step_at = [at for at, step in enumerate(steps) for _ in range(step.first, step.last + 1)]
    step_of = {node: step_at[place] for node, place in lowering.places.items()}
    return _Phase(entry, traced, lowering.values, step_of)


class Notes:
    """Rows of an observation so far, with the numbers of objects that they name."""

    def __init__(self, storages: Sequence[Storage]) -> None:
        self.storages = storages
        self.begin = time.perf_counter_ns()
        self.rows: list[Row] = []
        self.numbers: dict[str, int] = {}
        self._used: dict[str, int] = {}  # in the step that runs: where its row stands

    def taken(self) -> list[Row]:
        """Return the rows since the last time."""
        rows, self.rows = self.rows, []
        return rows

    def now(self) -> int:
        """Return the time since the observation began, in picoseconds."""
        return (time.perf_counter_ns() - self.begin) * _PS_PER_NS

    def note(self, kind: str, *what: int) -> None:
        """Note that something happens now."""
        self.rows.append((kind, self.now(), *what))

    def step(self, phase: int, position: int) -> None:
        """Note that a step begins."""
        self._used.clear()
        self.note("step", phase, position)

    def use(self, kind: str, at: int, name: str, size_bytes: int) -> None:
        """Note a step's use of an object, and its size the first time of all.

        Once: of a step that reads and writes it the write, as a simulated run logs it. What a step
        reads of what it made itself is no use by another.
        """
        place = self._used.get(name)
        if place is not None:
            if kind == "write":
                self.rows[place] = (kind, *self.rows[place][1:])
            return
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.numbers)
            self.rows.append(("object", name, size_bytes))
        self._used[name] = len(self.rows)
        self.rows.append((kind, at, number))


class _Run(fx.Interpreter):
    """One run of a phase, operation by operation."""

    def __init__(self, phase: _Phase, notes: Notes, number: int) -> None:
        owner = phase.traced.graph.owning_module
        assert owner is not None  # noqa: S101 - an exported graph has one
        super().__init__(owner, graph=phase.traced.graph)
        self.phase = phase
        self.notes = notes
        self.number = number
        self.step = -1
        self.owners: dict[int, Draft] = {}  # by the address of the memory

    def run_node(self, n: fx.Node) -> Any:
        """Run one node; what is only checked about shapes and devices is left out."""
        operator = operator_of(n.target) if isinstance(n.target, OpOverload) else None
        if operator is not None and operator.kind is Kind.NOTHING:
            return None
        step = self.phase.step_of.get(n)
        if step is not None and step != self.step:
            self.step = step
            self.notes.step(self.number, step)
        at = self.notes.now()
        before = dict(self.owners) if step is not None else {}
        given = [each for each in n.all_input_nodes if isinstance(self.env.get(each), Tensor)]
        seen = [(each, self.env[each]) for each in given] if step is not None else []
        result = super().run_node(n)
        known = self.phase.values.get(n)
        made = list(self._own(result, known))
        if step is not None:
            self._reads(n, seen, before, at)
            for draft, tensor in made:
                self._note("write", at, draft, tensor, None)
        return result

    def fetch_args_kwargs_from_env(self, n: fx.Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return a node's arguments, with the CPU wherever the capture says meta."""
        args, kwargs = super().fetch_args_kwargs_from_env(n)
        here: Any = fx.node.map_aggregate((args, kwargs), _on_cpu)
        return here[0], here[1]

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an operator; the one that counts whole numbers has no form on the CPU but in float.

        It counts how many rows each expert gets, which float32 holds exactly.
        """
        if target is aten.histc.default and not args[0].is_floating_point():
            return target(args[0].float(), *args[1:], **kwargs).to(args[0].dtype)
        return super().call_function(target, args, kwargs)

    def _own(self, result: Any, value: Value) -> Iterator[tuple[Draft, Tensor]]:
        """Note whose memory the results lie in; yield those in memory that is new."""
        pairs = (
            zip(result, value, strict=False)
            if isinstance(result, tuple | list) and isinstance(value, tuple)
            else ((result, value),)
        )
        for tensor, draft in pairs:
            if isinstance(tensor, Tensor) and isinstance(draft, Draft) and tensor.numel():
                address = tensor.untyped_storage().data_ptr()
                if self.owners.get(address) is not draft:
                    self.owners[address] = draft
                    yield draft, tensor

    def _reads(
        self,
        n: fx.Node,
        given: Iterable[tuple[fx.Node, Tensor]],
        owners: dict[int, Draft],
        at: int,
    ) -> None:
        written = _written(n)
        packet = getattr(n.target, "overloadpacket", None)
        done: set[tuple[str, int]] = set()
        for node, tensor in given:
            draft = owners.get(tensor.untyped_storage().data_ptr())
            kind = "write" if node in written else "read"
            if draft is None or (kind, draft.index) in done:
                continue
            done.add((kind, draft.index))
            chosen: list[int] | None = None
            other = n.args[-1]
            index = self.env.get(other) if isinstance(other, fx.Node) else None
            if str(packet) in GROUPED and n.args[1] is node:
                chosen = _experts(index)
            elif packet in GATHERS and n.args[0] is node and isinstance(index, Tensor):
                chosen = torch.unique(index).tolist()
            self._note(kind, at, draft, tensor, chosen)

    def _note(
        self, kind: str, at: int, draft: Draft, tensor: Tensor, rows: list[int] | None
    ) -> None:
        """Note a use of the objects that a storage is: of its parts, those of some rows alone."""
        storage = self.notes.storages[draft.index]
        if storage.role is Role.CACHE:
            self.notes.use(kind, at, f"{storage.name}(0,0)", tensor.nbytes)
            return
        if not storage.parts:
            self.notes.use(kind, at, storage.name, tensor.untyped_storage().nbytes())
            return
        whole = tensor.untyped_storage().nbytes() // storage.shape[0]
        first = 0
        for part in storage.parts:
            count = 1 if storage.split is Split.EXPERTS else _rows_of(part.suffix)
            if rows is None or any(first <= row < first + count for row in rows):
                self.notes.use(kind, at, storage.name + part.suffix, whole * count)
            first += count


def _experts(offsets: Any) -> list[int] | None:
    """Return the experts that got rows: where the running count of rows goes up."""
    if not isinstance(offsets, Tensor):
        return None
    counts = torch.diff(offsets, prepend=offsets.new_zeros(1))
    found: list[int] = counts.nonzero().flatten().tolist()
    return found


def _rows_of(suffix: str) -> int:
    first, _, last = suffix.strip("[]").partition(":")
    return int(last) - int(first)


def _written(n: fx.Node) -> frozenset[fx.Node]:
    """Return the arguments that an operation writes in place."""
    if not isinstance(n.target, OpOverload):
        return frozenset()
    arguments = n.target._schema.arguments  # noqa: SLF001 - the one place where torch says so
    found: list[fx.Node] = []
    for place, argument in enumerate(arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = n.args[place] if place < len(n.args) else n.kwargs.get(argument.name)
            found += value if isinstance(value, list) else [value]  # type: ignore[list-item]
    return frozenset(each for each in found if isinstance(each, fx.Node))


def _on_cpu(value: Any) -> Any:
    meta = isinstance(value, torch.device) and value.type == "meta"
    return torch.device("cpu") if meta else value
