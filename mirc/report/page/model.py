"""The parts of a page: runs to choose from, plots with their data, what is not drawn and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

ROWS = "rows"
"""The name under which a chart expects its data."""

NEEDS = "needs-"
"""Begins the name of a layer that is drawn only of data with the field that it goes on to name."""


@attrs.frozen(kw_only=True)
class Run:
    """One policy on one machine."""

    machine: str
    policy: str


@attrs.frozen(kw_only=True)
class Frame:
    """Data of one chart: equally long columns, and values that hold for every row.

    ``key`` says whose they are: ``machine`` always, ``policy``, ``window`` and others where a chart
    shows only one of them.
    """

    key: Mapping[str, str]
    columns: Mapping[str, Sequence[Any]]
    constants: Mapping[str, Any] = attrs.field(factory=dict)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as a chart reads them."""
        for values in zip(*self.columns.values(), strict=True):
            yield {**self.constants, **dict(zip(self.columns, values, strict=True))}


@attrs.frozen(kw_only=True)
class Plot:
    """One chart and its data: ``chart`` is Vega-Lite over ``ROWS``.

    Where ``split`` names a part of the frames' keys there is one chart for each value of it. Frames
    of several policies share a chart if it ``overlays`` them.
    """

    name: str
    title: str
    caption: str
    chart: Mapping[str, Any]
    frames: tuple[Frame, ...]
    split: str = ""
    overlays: bool = False

    def of(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the chart of some rows, with the layers that they have the fields for."""
        if "layer" not in self.chart:
            return dict(self.chart)
        layers = [
            layer
            for layer in self.chart["layer"]
            if not layer.get("name", "").startswith(NEEDS)
            or any(layer["name"].removeprefix(NEEDS) in row for row in rows)
        ]
        return {**self.chart, "layer": layers}


@attrs.frozen(kw_only=True)
class Absent:
    """A plot that is not drawn, and how one would get it."""

    title: str
    reason: str


@attrs.frozen(kw_only=True)
class Table:
    """Figures as text: the first cell of each row is its heading."""

    title: str
    lines: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Section:
    """Plots under one heading."""

    title: str
    plots: tuple[Plot, ...]


@attrs.frozen(kw_only=True)
class Document:
    """A whole page; ``facts`` are said under its title."""

    title: str
    facts: tuple[tuple[str, str], ...]
    runs: tuple[Run, ...]
    tables: tuple[Table, ...]
    sections: tuple[Section, ...]
    absent: tuple[Absent, ...]

    @property
    def plots(self) -> tuple[Plot, ...]:
        """All plots in their order."""
        return tuple(plot for section in self.sections for plot in section.plots)
