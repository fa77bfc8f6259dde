"""A ``.pt2`` file of ``torch.export.save`` into a model with one phase."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import phases
from mirc.frontend.entry import CaptureOptions, Entry
from mirc.frontend.phases import PhaseSizes
from mirc.frontend.resize import sizes_of


@attrs.frozen(kw_only=True)
class ExportedFile:
    """A program that was exported elsewhere: its one phase is ``forward``."""

    name: str
    program: ExportedProgram

    def entries(self, options: CaptureOptions) -> list[Entry]:
        """Give the one phase; its sizes are those that it was exported with."""
        phases.refuse_batch(options.batch)
        known = {"forward": PhaseSizes(name="forward")}
        phases.requested(options.phases, known, {"forward": ()})
        batch, tokens = sizes_of(self.program.example_inputs or ((), {}))
        return [
            Entry(
                phase="forward",
                module=held(self.program),
                batch=batch,
                tokens=tokens,
                exported=self.program,
            )
        ]

    def resized(self, options: CaptureOptions) -> Iterator["ExportedFile"]:
        """Yield nothing: what was exported has the sizes that it was exported with."""
        del options
        yield from ()


def load(path: Path) -> ExportedFile:
    """Read the file, which may run code that it holds: load only what you trust.

    Nothing of a program that was exported on the meta device tells its parameters apart but their
    names and shapes: loaded, all of them share one storage.
    """
    if path.is_dir():
        raise CouldNotRun(f"`{path}` is a directory", "give the .pt2 file itself")
    if not path.is_file():
        raise CouldNotRun(f"no such file: `{path}`", "check the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(path)
    except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
        first = (str(error).strip().splitlines() or [""])[0]
        raise CouldNotRun(
            f"torch cannot read `{path}`: {type(error).__name__}: {first}",
            "save it with torch.export.save of this torch's version",
        ) from None
    return ExportedFile(name=path.stem, program=program)


def held(program: ExportedProgram) -> nn.Module:
    """Give a module that holds a program's parameters and buffers by path, tied ones as one.

    Torch saves a tied tensor under each name and loads each as its own. Over one storage they are
    one again; where storages say nothing (on the meta device), a parameter that the graph leaves
    unused is taken to be the only one used of its shape and dtype, as export replaces the one by
    the other.
    """
    signature = program.graph_signature
    used = _used(program)
    holder = nn.Module()
    seen: dict[Any, Tensor] = {}
    for path in (*signature.parameters, *signature.buffers):
        tensor = program.state_dict.get(path)
        if tensor is None:  # a buffer that is not saved
            tensor = program.constants.get(path)
        if not isinstance(tensor, Tensor):
            continue
        if tensor.is_meta and path not in used and path in signature.parameters:
            twins = [other for other in used if _alike(program.state_dict.get(other), tensor)]
            tensor = program.state_dict[twins[0]] if len(twins) == 1 else tensor
        one = seen.setdefault(_place(tensor), tensor)
        _put(holder, path, one)
    return holder


def _used(program: ExportedProgram) -> tuple[str, ...]:
    """List the parameters that the graph uses, by path."""
    names = program.graph_signature.inputs_to_parameters
    holders = program.graph.find_nodes(op="placeholder")
    return tuple(names[node.name] for node in holders if node.name in names and node.users)


def _alike(one: Tensor | None, other: Tensor) -> bool:
    return one is not None and (one.shape, one.dtype) == (other.shape, other.dtype)


def _place(tensor: Tensor) -> Any:
    if tensor.is_meta or not tensor.numel():
        return id(tensor)
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype


def _put(holder: nn.Module, path: str, tensor: Tensor) -> None:
    *above, name = path.split(".")
    for part in above:
        if part not in holder._modules:  # noqa: SLF001 - names that attributes could not have
            holder.add_module(part, nn.Module())
        holder = holder.get_submodule(part)
    if isinstance(tensor, nn.Parameter):
        holder.register_parameter(name, tensor)
    else:
        holder.register_buffer(name, tensor)
