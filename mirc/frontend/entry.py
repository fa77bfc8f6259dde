"""What one phase's capture is given: a module, its inputs, and which of them are caches."""

from enum import StrEnum
from typing import Any

import attrs
import torch
from torch.export import ExportedProgram

from mirc.frontend.train_form import Training


@attrs.frozen(slots=True)
class CacheRef:
    """The cache that one input or output tensor is a part of (its keys, its values, a latent).

    ``grows`` says whether every token of the sequence adds to it; a cross-attention cache is
    written once per sequence and does not. ``window`` is how many of the last tokens are ever
    read again (0: all of them). ``state`` says that every token changes it in place: the state
    of a recurrence, whose size no token changes.
    """

    name: str
    grows: bool = True
    window: int = 0
    state: bool = False


@attrs.frozen(kw_only=True)
class Entry:
    """One phase of a model, ready to be captured.

    ``module`` is what is called with ``args`` and ``kwargs``; where it wraps the user's module,
    ``inner`` is the wrapper's attribute that holds it, and names start below that.
    ``caches_in`` and ``caches_out`` are aligned with the flat tensors of the inputs and outputs.
    ``device`` is where tensors that ``forward`` makes without saying so belong. With ``training``
    the entry is a whole training step, which becomes several phases.
    """

    phase: str
    module: torch.nn.Module
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = attrs.Factory(dict)
    inner: str = ""
    batch: int = 1
    tokens: int = 1
    past: int = 0
    caches_in: tuple[CacheRef | None, ...] = ()
    caches_out: tuple[CacheRef | None, ...] = ()
    exported: ExportedProgram | None = None
    device: str | None = None
    training: Training | None = None

    @property
    def model(self) -> torch.nn.Module:
        """The user's module, without our wrapper."""
        return self.module.get_submodule(self.inner)


class Fold(StrEnum):
    """Whether repeated blocks are captured a few times and copied."""

    AUTO = "auto"
    """Where that is quicker than to capture all of them."""
    ALWAYS = "always"
    """Wherever it can be done."""
    NEVER = "never"


@attrs.frozen(kw_only=True)
class CaptureOptions:
    """What the caller chooses: phases with their sizes, the tile size, the sequences in a batch.

    ``phases`` is the text of ``--phases`` (see :mod:`mirc.frontend.phases`), ``None`` for the
    model's defaults; ``tile_bytes`` is the size above which a weight becomes row tiles; ``fold``
    says whether repeated blocks are captured only a few times.
    """

    phases: str | None = None
    tile_bytes: int = 128 << 20
    batch: int = 1
    fold: Fold = attrs.field(default=Fold.AUTO, converter=Fold)
