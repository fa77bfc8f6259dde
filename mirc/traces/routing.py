"""Files of routing decisions into the experts that each token chose: three formats, one table."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.traces.arrays import ARCHIVE, ARRAY, NamedArray, read_archive, read_array
from mirc.traces.routing_text import from_text

MOST_CHOICES = 50_000_000
MOST_EXPERTS = 1 << 15
MOST_RANKS = 64
MOST_FILE_BYTES = 1 << 30

Choices = NDArray[np.int16]


@attrs.frozen(kw_only=True, eq=False)
class RoutingTrace:
    """``chosen[token, layer, rank]`` are experts; -1 where a layer did not route the token.

    ``starts`` are the first tokens of runs that came together: one request, or one step of an
    engine. ``layers`` are the numbers that the file gives its layers, empty where it only orders
    them. ``experts`` is how many a router chose from, where the file says so (0: it does not).
    ``ranked`` says that each row is a ranking by logits, of which a router takes the first few;
    else the row is what was chosen, all of it.
    """

    name: str
    format: str
    chosen: Choices
    starts: tuple[int, ...]
    layers: tuple[int, ...] = ()
    experts: int = 0
    ranked: bool = False

    @property
    def tokens(self) -> int:
        """How many tokens were observed."""
        return int(self.chosen.shape[0])

    @property
    def digest(self) -> str:
        """A hash of all that it says, whatever it is called."""
        found = hashlib.sha256(np.ascontiguousarray(self.chosen).tobytes())
        found.update(repr((self.format, self.chosen.shape, self.starts, self.layers)).encode())
        return found.hexdigest()


def read(path: str) -> RoutingTrace:
    """Read a file of any of the formats; its content decides, not its name.

    Raises CouldNotRun, with the line or array, for what is none of them, or too large.
    """
    try:
        with Path(path).open("rb") as file:
            return load(file, path)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the routing trace `{path}`: {reason}") from error


def load(file: BinaryIO, name: str) -> RoutingTrace:
    """Read an open file; ``name`` is what messages call it. Raises CouldNotRun as ``read`` does."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > MOST_FILE_BYTES:
        raise CouldNotRun(
            f"`{name}` is larger than {MOST_FILE_BYTES:_} bytes", "record fewer tokens"
        )
    opening = file.read(len(ARRAY))
    file.seek(0)
    if opening == ARRAY:
        return _from_arrays([read_array(file, name)], name)
    if opening.startswith(ARCHIVE):
        return _from_arrays(list(read_archive(file, name)), name)
    found = from_text(file, name)
    if found.logits:
        return _ranked(found.logits, name)
    return _traced(found.runs, name, found.format, found.layers)


def _from_arrays(arrays: Sequence[NamedArray], name: str) -> RoutingTrace:
    if not arrays:
        raise CouldNotRun(f"`{name}` holds no array", "save one with `numpy.savez`")
    if all(array.values.dtype.kind in "iu" for array in arrays):
        return _traced([(each.label, each.values) for each in arrays], name, "vllm", ())
    if all(array.values.dtype.kind == "f" for array in arrays):
        return _ranked([(each.label, each.values) for each in arrays], name)
    raise CouldNotRun(
        f"`{name}` mixes whole numbers (experts) and fractions (logits)",
        "save returned experts and router logits apart",
    )


def _traced(
    runs: Sequence[tuple[str, NDArray[np.generic]]],
    name: str,
    form: str,
    layers: tuple[int, ...],
) -> RoutingTrace:
    """Join runs of shape (tokens, layers, chosen) that agree in the last two."""
    shapes = {run.shape[1:] for _, run in runs if run.ndim == 3}
    for label, run in runs:
        if run.ndim != 3:
            raise CouldNotRun(
                f"{label} of `{name}` has {run.ndim} axes",
                "returned experts have three: tokens, layers, chosen experts",
            )
        if len(shapes) > 1:
            raise CouldNotRun(
                f"the runs of `{name}` differ in layers or chosen experts",
                "give one file for one model",
            )
    total = sum(run.size for _, run in runs)
    if not total:
        raise CouldNotRun(f"`{name}` holds no routing decision", "record at least one token")
    if total > MOST_CHOICES:
        raise CouldNotRun(f"`{name}` holds more than {MOST_CHOICES:_} choices", "record fewer")
    for label, run in runs:
        if run.size and not -1 <= int(run.min()) <= int(run.max()) < MOST_EXPERTS:
            raise CouldNotRun(
                f"{label} of `{name}` chooses an expert outside 0 to {MOST_EXPERTS - 1:_}"
            )
    chosen = np.concatenate([run.astype(np.int16) for _, run in runs])
    _check_rows(chosen, name)
    lengths = [len(run) for _, run in runs if len(run)]
    starts = np.cumsum([0, *lengths[:-1]])
    return RoutingTrace(
        name=name, format=form, chosen=chosen, starts=tuple(starts.tolist()), layers=layers
    )


def _check_rows(chosen: Choices, name: str) -> None:
    """Turn rows that choose nothing into -1; raise CouldNotRun for an expert chosen twice.

    Engines write zeros for layers that do not route: a layer in which no row has distinct experts
    is one of those.
    """
    if chosen.shape[2] < 2:
        return
    for layer in range(chosen.shape[1]):
        rows = np.sort(chosen[:, layer], axis=1)
        empty = rows[:, -1] < 0
        twice = (rows[:, 1:] == rows[:, :-1]).any(axis=1) & ~empty
        partly = (rows[:, 0] < 0) & ~empty
        if (twice | empty).all():
            chosen[:, layer] = -1
        elif (twice | partly).any():
            token = int(np.argmax(twice | partly))
            if partly[token]:
                raise CouldNotRun(
                    f"token {token} in layer {layer} of `{name}` chooses expert "
                    f"{int(rows[token, 0])}",
                    "experts count from 0; a row of negative numbers only chooses none",
                )
            raise CouldNotRun(
                f"token {token} in layer {layer} of `{name}` does not choose "
                f"{chosen.shape[2]} different experts",
                "a router chooses each expert at most once for a token",
            )


def _ranked(layers: Sequence[tuple[str, NDArray[np.generic]]], name: str) -> RoutingTrace:
    """Rank the experts of each token by logits; layers of shape (tokens, experts), or all in one.

    Equal logits rank by the expert's number, so that the result depends on nothing else.
    """
    if len(layers) == 1 and layers[0][1].ndim == 3:
        label, whole = layers[0]
        layers = [(f"layer {place} of {label}", each) for place, each in enumerate(whole)]
    shapes = {each.shape for _, each in layers}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise CouldNotRun(
            f"the layers of `{name}` differ in shape, or are not tokens by experts",
            "save `outputs.router_logits`, one array of (tokens, experts) a layer",
        )
    tokens, experts = next(iter(shapes))
    ranks = min(experts, MOST_RANKS)
    if not tokens * experts:
        raise CouldNotRun(f"`{name}` holds no routing decision", "record at least one token")
    if experts > MOST_EXPERTS or tokens * len(layers) * ranks > MOST_CHOICES:
        raise CouldNotRun(f"`{name}` holds more than {MOST_CHOICES:_} choices", "record fewer")
    chosen = np.empty((tokens, len(layers), ranks), dtype=np.int16)
    for place, (label, logits) in enumerate(layers):
        if not np.isfinite(logits).all():
            raise CouldNotRun(f"{label} of `{name}` holds logits that are not finite")
        chosen[:, place] = np.argsort(-logits.astype(np.float64), axis=1, kind="stable")[:, :ranks]
    return RoutingTrace(
        name=name,
        format="huggingface",
        chosen=chosen,
        starts=(0,),
        experts=int(experts),
        ranked=True,
    )
