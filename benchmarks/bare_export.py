"""A preset's phases through torch.export alone: what `mirc compile` is measured against.

It builds the same modules and inputs as the compiler, exports each phase (non-strict) and prints
the number of fx nodes.
"""

import sys
import warnings

import torch

from mirc.frontend import CaptureOptions, huggingface


def main() -> None:
    """Export the preset named on the command line."""
    warnings.simplefilter("ignore")
    nodes = 0
    for entry in huggingface.preset(sys.argv[1]).entries(CaptureOptions()):
        with torch.no_grad():
            program = torch.export.export(entry.module, entry.args, entry.kwargs, strict=False)
        nodes += len(program.graph.nodes)
        del program
    print(nodes)


if __name__ == "__main__":
    main()
