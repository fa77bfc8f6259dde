"""A model of transformers into a training entry: its own loss, labels of its logits' shape."""

import inspect
from typing import Any

import torch
from torch import Tensor

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.entry import Entry
from mirc.frontend.phases import PhaseSizes
from mirc.frontend.train_form import TRAIN, Training


def training_entry(name: str, model: Any, inputs: dict[str, Tensor], sizes: PhaseSizes) -> Entry:
    """Give the entry whose loss is what ``model`` computes of ``labels``.

    An encoder-decoder gets as many labels as ``sizes`` says tokens, every other model one label
    for each row of its logits. Raises CouldNotRun for a model without a loss of its own.
    """
    if "labels" not in inspect.signature(model.forward).parameters:
        raise CouldNotRun(
            f"`{name}` has no loss of its own: it takes no `labels`",
            "name an architecture with a head, or write a file with `mirc_training()`",
        )
    shape: tuple[int, ...] = (sizes.batch, sizes.seq)
    if not model.config.is_encoder_decoder:
        shape = tuple(model(**inputs).logits.shape[:-1])
    return Entry(
        phase=TRAIN,
        module=model,
        kwargs={**inputs, "labels": torch.zeros(shape, dtype=torch.long)},
        batch=sizes.batch,
        tokens=sizes.seq,
        training=Training(),
    )
