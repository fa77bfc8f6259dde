"""One entry into a graph: torch.export where it can, else level by level below."""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec, TensorArgument

from mirc.frontend.blame import blame, own_fault
from mirc.frontend.costs import FlopCounter
from mirc.frontend.entry import Entry
from mirc.frontend.lean import lean
from mirc.frontend.lower import lower
from mirc.frontend.results import plain_results
from mirc.frontend.retrace import by_make_fx, by_symbolic_trace
from mirc.frontend.table import StorageTable
from mirc.frontend.traced import Given, Traced
from mirc.frontend.tree import module_tree
from mirc.frontend.untouched import lent, undumped
from mirc.graph.model import Capture, Graph, Level, Role

ROLES = {
    InputKind.PARAMETER: Role.PARAMETER,
    InputKind.BUFFER: Role.BUFFER,
    InputKind.CONSTANT_TENSOR: Role.CONSTANT,
    InputKind.USER_INPUT: Role.INPUT,
}


class Phase(NamedTuple):
    """One captured phase; ``fx_modules`` counts its fx nodes by the module that they serve."""

    graph: Graph
    capture: Capture
    fx_modules: Mapping[str, int]


def capture_phase(entry: Entry, table: StorageTable, flops: FlopCounter) -> Phase:
    """Capture at the best level that works, lower it, and say why no better level did.

    In order: ``torch.export`` (non-strict), ``fx.symbolic_trace``, ``make_fx`` on fake tensors, the
    module tree, which always works. What fails in mirc's own code is passed on.
    """
    reasons: list[str] = []
    for level, trace in LEVELS:
        try:
            place = torch.device(entry.device) if entry.device else contextlib.nullcontext()
            with lent(entry.module), place:
                traced = trace(entry, table)
        except Exception as error:
            if own_fault(error):
                raise
            reasons.append(f"{level}: {blame(error, '')}")
            continue
        graph = lower(traced, table, flops)
        capture = _capture(entry, level, reasons, len(traced.graph.nodes))
        return Phase(graph, capture, _fx_modules(traced))
    return Phase(module_tree(entry, table), _capture(entry, Level.MODULE_TREE, reasons, 0), {})


def _fx_modules(traced: Traced) -> dict[str, int]:
    """Count fx nodes by module path; one of no module goes with the first node that uses it."""
    paths: dict[fx.Node, str] = {}
    counts: dict[str, int] = {}
    for node in reversed(traced.graph.nodes):
        given = traced.inputs.get(node.name)
        path = traced.module_of(node)
        if not path and given is not None and given.role in (Role.PARAMETER, Role.BUFFER):
            path = given.name.rpartition(".")[0]
        if not path:
            path = next((paths[user] for user in node.users if paths[user]), "")
        paths[node] = path
        counts[path] = counts.get(path, 0) + 1
    return counts


def _capture(entry: Entry, level: Level, reasons: list[str], fx_nodes: int) -> Capture:
    reason = "; ".join(reasons)
    return Capture(phase=entry.phase, level=level, reason=reason, fx_nodes=fx_nodes)


def by_export(entry: Entry, table: StorageTable) -> Traced:
    """Capture with ``torch.export``, or take the program that was loaded."""
    program = entry.exported
    if program is None:
        with plain_results(entry.module), lean(entry.module), undumped():
            program = torch.export.export(entry.module, entry.args, entry.kwargs, strict=False)
    return _from_program(entry, program, table)


LEVELS = (
    (Level.EXPORT, by_export),
    (Level.SYMBOLIC_TRACE, by_symbolic_trace),
    (Level.MAKE_FX, by_make_fx),
)


def _from_program(entry: Entry, program: ExportedProgram, table: StorageTable) -> Traced:
    signature = program.graph_signature
    placeholders = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    tensors = _owned(entry)
    inputs: dict[str, Given] = {}
    arguments: list[fx.Node | None] = []
    for spec in signature.input_specs:
        node = placeholders.get(spec.arg.name) if isinstance(spec.arg, TensorArgument) else None
        if spec.kind is InputKind.USER_INPUT:
            arguments.append(node)
        role = ROLES.get(spec.kind)
        if node is not None and role is not None:
            inputs[node.name] = Given(_name(spec, entry, tensors, table), role)
    (results,) = program.graph.output_node().args
    skipped = len(signature.output_specs) - len(signature.user_outputs)
    return Traced(
        entry=entry,
        graph=program.graph,
        inputs=inputs,
        arguments=tuple(arguments),
        outputs=tuple(item for item in list(results)[skipped:] if isinstance(item, fx.Node)),
    )


def _owned(entry: Entry) -> dict[str, Tensor]:
    """Give the parameters and buffers of the wrapper by path, tied ones under each path."""
    owned: dict[str, Tensor] = dict(entry.module.named_parameters(remove_duplicate=False))
    owned.update(entry.module.named_buffers(remove_duplicate=False))
    return owned


def _name(spec: InputSpec, entry: Entry, tensors: dict[str, Any], table: StorageTable) -> str:
    target = spec.target or spec.arg.name
    if target in tensors:
        return table.name_of(tensors[target], target)
    prefix = f"{entry.inner}."
    return target.removeprefix(prefix) if entry.inner else target
