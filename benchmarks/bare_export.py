"""A target's phases through torch.export alone: what `mirc compile` is measured against.

It builds the same modules and inputs as the compiler, exports each phase (non-strict) and prints
a line of JSON: the number of fx nodes, the wall and processor seconds that the exports took, and
torch's own words where it refuses. Of a training step it exports the forward pass, after it has
asked for all of it.
"""

import contextlib
import json
import sys
import time
import warnings
from typing import Any

import torch
from torch import nn

from mirc.frontend import CaptureOptions, target
from mirc.frontend.entry import Entry
from mirc.frontend.results import plain_results


class Step(nn.Module):
    """A forward pass, its loss and the backward pass, as one call."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry
        self.inner = entry.module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Give the loss, after its gradients were made."""
        training = self.entry.training
        assert training is not None  # noqa: S101 - only made for those
        loss = training.loss(self.inner(*args, **kwargs), *training.targets)
        loss.backward()
        return loss


def refusal(entry: Entry) -> str:
    """Give what torch.export says to a training step; nothing where it takes one."""
    try:
        torch.export.export(Step(entry), entry.args, entry.kwargs, strict=False)
    except Exception as error:  # noqa: BLE001 - whatever torch raises is the answer
        line = (str(error).strip().splitlines() or [""])[0]
        return f"{type(error).__name__}: {line}"
    return ""


def main() -> None:
    """Export the target named on the command line."""
    warnings.simplefilter("ignore")
    nodes, seconds, cpu_seconds, error = 0, 0.0, 0.0, ""
    for entry in target.resolve(sys.argv[1]).entries(CaptureOptions()):
        if entry.training is not None:
            error = refusal(entry)
        begun, used = time.perf_counter(), time.process_time()
        place = torch.device(entry.device) if entry.device else contextlib.nullcontext()
        with torch.no_grad(), plain_results(entry.module.eval()), place:
            program = torch.export.export(entry.module, entry.args, entry.kwargs, strict=False)
        seconds += time.perf_counter() - begun
        cpu_seconds += time.process_time() - used
        nodes += len(program.graph.nodes)
        del program
    told = {"nodes": nodes, "seconds": seconds, "cpu_seconds": cpu_seconds, "error": error}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
