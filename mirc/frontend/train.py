"""A training entry into the phases of one step: forward, backward, optimizer update, checkpoint."""

import torch
from torch import nn

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.blame import blame
from mirc.frontend.costs import FlopCounter
from mirc.frontend.entry import Entry
from mirc.frontend.table import StorageTable
from mirc.frontend.train_checkpoint import checkpoint_graph
from mirc.frontend.train_form import Training
from mirc.frontend.train_joint import trace_joint
from mirc.frontend.train_lower import lower_joint
from mirc.frontend.train_update import update_graph
from mirc.frontend.untouched import lent
from mirc.graph.model import Capture, Graph, Level

REASON = "torch.export records no backward: the step is recorded as autograd runs it"


def capture_training(
    entry: Entry, table: StorageTable, flops: FlopCounter
) -> tuple[tuple[Graph, Capture], ...]:
    """Capture one training step of ``entry.module`` as four phases over shared storages.

    ``forward`` ends with the loss; ``backward`` makes a gradient of each trained parameter;
    ``optimizer_update`` changes parameters and optimizer states; ``checkpoint`` copies what the
    update changes. Raises CouldNotRun where the module cannot be run, or its loss has no gradient.
    """
    training = entry.training or Training()
    begun = [part.training for part in entry.module.modules()]
    with lent(entry.module), torch.device("cpu"):
        _train(entry.module, begun)
        try:
            joint = trace_joint(entry, training)
        except CouldNotRun:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code and every operator may raise
            raise CouldNotRun(
                f"cannot record a training step: {blame(error, '')}",
                "a loss must be a scalar that operators of torch make of the parameters",
            ) from None
        lowered = lower_joint(joint, entry, table, flops)
        update = update_graph(entry, training.optimizer, lowered.gradients, table, flops)
    saved = checkpoint_graph(entry, table)
    fx_nodes = {"forward": joint.boundary, "backward": len(joint.nodes) - joint.boundary}
    graphs = [lowered.forward, lowered.backward, update, *([saved] if saved else [])]
    return tuple(
        (
            graph,
            Capture(
                phase=graph.phase,
                level=Level.MAKE_FX,
                reason=REASON if graph.phase in fx_nodes else "",
                fx_nodes=fx_nodes.get(graph.phase, len(graph.nodes)),
            ),
        )
        for graph in graphs
    )


def _train(module: nn.Module, begun: list[bool]) -> None:
    """Put a module that is in evaluation as a whole into training, else each part as it was."""
    parts = list(module.modules())
    for part, was in zip(parts, begun, strict=True):
        part.training = was or not begun[0]


__all__ = ["Training", "capture_training"]
