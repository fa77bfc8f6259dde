"""A ``.pt2`` file of ``torch.export.save`` into a model with one phase."""

import warnings
from pathlib import Path

import attrs
import torch
from torch import nn
from torch.export import ExportedProgram

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import phases
from mirc.frontend.entry import CaptureOptions, Entry
from mirc.frontend.phases import PhaseSizes


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
        return [Entry(phase="forward", module=nn.Module(), exported=self.program)]


def load(path: Path) -> ExportedFile:
    """Read the file, which may run code that it holds: load only what you trust.

    Its parameters are known by name and by the shapes in the graph: loaded from a program on the
    meta device, all of them share one storage.
    """
    if path.is_dir():
        raise CouldNotRun(f"`{path}` is a directory", "give the .pt2 file itself")
    if not path.is_file():
        raise CouldNotRun(f"no such file: `{path}`")
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
