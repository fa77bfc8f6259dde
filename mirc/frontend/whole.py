"""Entries into one program: every phase captured, lowered and let go before the next."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

import attrs

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.costs import FlopCounter
from mirc.frontend.entry import Entry
from mirc.frontend.levels import capture_phase
from mirc.frontend.table import StorageTable
from mirc.frontend.train import capture_training
from mirc.graph.model import Capture, Graph, Program, Role, Storage

Progress = Callable[[str], None]


@attrs.frozen
class Whole:
    """A program, and for each of its graphs how many fx nodes belong to each module path."""

    program: Program
    fx_modules: tuple[Mapping[str, int], ...]


def capture_entries(
    name: str, entries: Sequence[Entry], tile_bytes: int, progress: Progress
) -> Whole:
    """Capture and lower phases as they stand; ``progress`` is told as each begins and ends.

    Raises CouldNotRun where a phase does no work, or two are named alike.
    """
    table = StorageTable()
    flops = FlopCounter()
    graphs: list[Graph] = []
    captures: list[Capture] = []
    modules: list[Mapping[str, int]] = []
    for entry in entries:
        table.learn_names(entry.model)
        progress(f"capturing `{entry.phase}` of {name}")
        if entry.training is not None:
            for graph, found in capture_training(entry, table, flops):
                progress(f"captured `{graph.phase}`: {len(graph.nodes)} operations")
                graphs.append(graph)
                captures.append(found)
                modules.append({})
            continue
        phase = capture_phase(entry, table, flops)
        graph, found = phase.graph, phase.capture
        progress(f"captured `{entry.phase}`: {len(graph.nodes)} operations, by {found.level}")
        if not graph.nodes:
            reason = found.reason or "its forward does no work"
            raise CouldNotRun(f"nothing to capture in phase `{entry.phase}`: {reason}")
        graphs.append(graph)
        captures.append(found)
        modules.append(phase.fx_modules)
    _distinct(graphs)
    storages = table.finished(tile_bytes)
    program = Program(
        name=_identifier(name),
        digest=digest(storages, graphs),
        storages=storages,
        graphs=tuple(graphs),
        captures=tuple(captures),
    )
    return Whole(program, tuple(modules))


def _distinct(graphs: Sequence[Graph]) -> None:
    names = [graph.phase for graph in graphs]
    for name in names:
        if names.count(name) > 1:
            raise CouldNotRun(
                f"two captured phases are named `{name}`",
                "a training step brings `forward` with it: capture the other one apart",
            )


def digest(storages: Sequence[Storage], graphs: Sequence[Graph]) -> str:
    """Hash what the model is: its parameters' names, shapes and dtypes, and its operations."""
    state = hashlib.sha256()
    for storage in sorted(storages, key=lambda one: one.name):
        if storage.role is Role.PARAMETER:
            state.update(f"{storage.name} {storage.shape} {storage.dtype}\n".encode())
    for graph in graphs:
        state.update(f"{graph.phase}\n".encode())
        state.update("\n".join(node.op for node in graph.nodes).encode())
    return f"sha256:{state.hexdigest()}"


def _identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "model"
