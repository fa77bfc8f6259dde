"""``--phases`` text into phases with sizes: ``prefill:seq=512,decode_step:past=512``."""

import difflib
from collections.abc import Mapping
from typing import Any

import attrs

from mirc.diagnostics.errors import CouldNotRun

KEYS = ("seq", "past", "batch")
MAX_SIZE = 1 << 24


@attrs.frozen(kw_only=True)
class PhaseSizes:
    """How large one run of a phase is: new tokens, tokens in the cache, sequences."""

    name: str
    seq: int = 1
    past: int = 0
    batch: int = 1


def requested(
    text: str | None, defaults: Mapping[str, PhaseSizes], keys: Mapping[str, tuple[str, ...]]
) -> tuple[PhaseSizes, ...]:
    """Give the phases asked for, in the order written; all of ``defaults`` where none are.

    ``keys`` lists what may be set for each phase. A ``decode_step`` without ``past`` follows the
    ``seq`` of the ``prefill`` beside it.

    Raises :class:`CouldNotRun` with the valid words for an unknown phase or key, a size that is
    not a number of at least 1 (``past``: 0), and a phase named twice.
    """
    if text is None:
        return tuple(defaults.values())
    chosen: dict[str, PhaseSizes] = {}
    follows: list[str] = []
    for item in text.split(","):
        name, *settings = (part.strip() for part in item.split(":"))
        if name not in defaults:
            raise CouldNotRun(f"unknown phase `{name}`", _choices("phase", name, defaults))
        if name in chosen:
            raise CouldNotRun(f"phase `{name}` is named twice", "name each phase once")
        sizes: dict[str, Any] = dict(_setting(name, one, keys[name]) for one in settings)
        chosen[name] = attrs.evolve(defaults[name], **sizes)
        if "past" in keys[name] and "past" not in sizes and defaults[name].past:
            follows.append(name)
    prefill = chosen.get("prefill")
    if prefill is not None:
        for name in follows:
            if name != "prefill":
                chosen[name] = attrs.evolve(chosen[name], past=prefill.past + prefill.seq)
    return tuple(chosen.values())


def spelled(sizes: PhaseSizes, keys: tuple[str, ...]) -> str:
    """Give the text that asks for a phase of these sizes (those that may be set for it)."""
    return ":".join((sizes.name, *(f"{key}={getattr(sizes, key)}" for key in keys)))


def _setting(phase: str, setting: str, keys: tuple[str, ...]) -> tuple[str, int]:
    key, equals, value = setting.partition("=")
    key, value = key.strip(), value.strip().replace("_", "")
    if key not in keys:
        raise CouldNotRun(f"phase `{phase}` has no size `{key}`", _choices("size", key, keys))
    least = 0 if key == "past" else 1
    number = (
        int(value) if equals and value.isascii() and value.isdigit() and len(value) < 12 else -1
    )
    if not least <= number <= MAX_SIZE:
        raise CouldNotRun(
            f"`{setting}` of phase `{phase}` is not a number from {least} to {MAX_SIZE}",
            f"write `{phase}:{key}=512`",
        )
    return key, number


def _choices(kind: str, word: str, valid: Mapping[str, object] | tuple[str, ...]) -> str:
    names = list(valid)
    if not names:
        return f"leave it out: there is no {kind} to set here"
    near = difflib.get_close_matches(word, names, n=1)
    listed = ", ".join(f"`{name}`" for name in names)
    return f"did you mean `{near[0]}`? (valid: {listed})" if near else f"choose from {listed}"


def refuse_batch(batch: int) -> None:
    """Raise CouldNotRun for a batch that the model's own inputs would not follow."""
    if batch != 1:
        raise CouldNotRun(
            f"`--batch {batch}` cannot change the inputs that the target itself gives",
            "give the batch in those inputs",
        )
