"""A file's cache templates and their overrides by signals into how long blocks are wanted."""

from collections.abc import Iterable, Mapping
from typing import Any

from mirc.controller.keeping import Hint
from mirc.controller.kv.retention import Declared, Retention, Wanted
from mirc.controller.kv.signals import Signal
from mirc.ir.resolve import Layer
from mirc.packed.model import Packed
from mirc.packed.view import PackedView

_SIGNALS: Mapping[Hint, tuple[Signal, ...]] = {
    True: (Signal.TOOL_WAIT, Signal.RESUME),
    False: (Signal.SEQUENCE_END, Signal.SUPERSEDED, Signal.COMPACT),
}


def declared_of(packed: Packed, layers: Mapping[str, int]) -> Declared:
    """Read ``retention_priority`` and ``retain_us`` of templates; ``layers`` are their groups.

    Of a block that no signal speaks of it is what the template declares, else what is overridden
    by the ``on`` block of the first signal that says so. Templates of a group come and leave
    together: the highest of their priorities and the longest of their times hold.
    """
    sources: dict[Hint, list[tuple[PackedView, Layer]]] = {
        None: [(PackedView(packed), Layer.OBJECT)]
    }
    for live, signals in _SIGNALS.items():
        heard = (signal.value for signal in signals if signal in packed.signals)
        sources[live] = [(PackedView(packed, signal=name), Layer.SIGNAL) for name in heard]
    found: dict[tuple[int, Hint], Retention] = {}
    for group in sorted(set(layers.values())):
        names = [name for name, number in layers.items() if number == group]
        for live, views in sources.items():
            priority, retain_us = (_most(views, names, field) for field in Wanted)
            if priority is not None or retain_us is not None:
                found[group, live] = Retention(priority, retain_us)
    return found


def _most(
    views: Iterable[tuple[PackedView, Layer]], names: Iterable[str], field: Wanted
) -> Any | None:
    for view, layer in views:
        resolved = [view.get(name, field) for name in names]
        said = [each.value for each in resolved if each.origin.layer is layer]
        if said:
            return max(said)
    return None
