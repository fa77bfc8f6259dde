"""A TARGET into a program: every phase captured, lowered and let go before the next."""

import hashlib
import re
from collections.abc import Callable, Sequence

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import target as targets
from mirc.frontend.costs import FlopCounter
from mirc.frontend.entry import CaptureOptions
from mirc.frontend.levels import capture_phase
from mirc.frontend.table import StorageTable
from mirc.graph.model import Capture, Graph, Program, Role, Storage


def capture(target: str, options: CaptureOptions, progress: Callable[[str], None]) -> Program:
    """Load ``target``, capture its phases and lower them into one program.

    ``progress`` gets a sentence as each phase begins and ends. The model itself is left as it was
    found. Raises :class:`~mirc.diagnostics.errors.CouldNotRun` where there is nothing to capture.
    """
    return capture_model(targets.resolve(target), options, progress)


def capture_model(
    model: targets.Model, options: CaptureOptions, progress: Callable[[str], None]
) -> Program:
    """Capture and lower a model that is already loaded."""
    table = StorageTable()
    flops = FlopCounter()
    graphs: list[Graph] = []
    captures: list[Capture] = []
    for entry in model.entries(options):
        table.learn_names(entry.model)
        progress(f"capturing `{entry.phase}` of {model.name}")
        graph, found = capture_phase(entry, table, flops)
        progress(f"captured `{entry.phase}`: {len(graph.nodes)} operations, by {found.level}")
        if not graph.nodes:
            reason = found.reason or "its forward does no work"
            raise CouldNotRun(f"nothing to capture in phase `{entry.phase}`: {reason}")
        graphs.append(graph)
        captures.append(found)
    storages = table.finished(options.tile_bytes)
    return Program(
        name=_identifier(model.name),
        digest=digest(storages, graphs),
        storages=storages,
        graphs=tuple(graphs),
        captures=tuple(captures),
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
