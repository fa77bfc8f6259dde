"""A file's cache templates and their overrides by signals into how long blocks are wanted."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from mirc.controller.keeping import Hint
from mirc.controller.kv.retention import Declared, Retention, Wanted
from mirc.controller.kv.signals import Signal
from mirc.ir.resolve import Layer
from mirc.packed.model import Packed
from mirc.packed.view import PackedView

_BY_SIGNALS: Mapping[Hint, tuple[Signal, ...]] = {
    True: (Signal.TOOL_WAIT, Signal.RESUME),
    False: (Signal.SEQUENCE_END, Signal.SUPERSEDED, Signal.COMPACT),
}


def declared_of(packed: Packed, layers: Mapping[str, int]) -> Declared:
    """Read ``retention_priority`` and ``retain_us`` of templates, by their group.

    Of a block that no signal speaks of, what the template declares; else what the ``on`` block of
    the first signal that says so overrides. Templates of a group come and leave together: the
    highest of their priorities and the longest of their times hold.
    """
    found: dict[tuple[int, Hint], Retention] = {}
    sources = [(None, PackedView(packed), Layer.OBJECT)]
    sources += [
        (live, PackedView(packed, signal=signal), Layer.SIGNAL)
        for live, signals in _BY_SIGNALS.items()
        for signal in signals
        if signal in packed.signals
    ]
    said: dict[tuple[int, Hint, Wanted], list[float]] = {}
    for live, view, layer in sources:
        heard = {}
        for name, group in layers.items():
            for field in Wanted:
                resolved = view.get(name, field)
                if resolved.origin.layer is layer:
                    heard.setdefault((group, live, field), []).append(resolved.value)
        said = {**heard, **said}  # the first signal that speaks of it holds
    for (group, live, field), values in said.items():
        known = found.get((group, live), Retention())
        most = {Wanted.PRIORITY: "priority", Wanted.TIME: "retain_us"}[field]
        found[group, live] = attrs.evolve(known, **{most: max(values)})
    return found
