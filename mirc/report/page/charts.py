"""Shapes of plots into Vega-Lite by altair: the same for a page and for a figure in a paper."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mirc.diagnostics import CouldNotRun
from mirc.report.page.model import NEEDS, ROWS

if TYPE_CHECKING:
    from types import ModuleType

Chart = Mapping[str, Any]

SECONDS = "format(datum.value, '~s') + 's'"
BYTES = "datum.value === 0 ? '0' : format(datum.value, '~s') + 'B'"
PERCENT = "format(datum.value, '~%')"
PLAIN = "datum.value < 1000 ? format(datum.value, '~g') : format(datum.value, '~s')"

HEIGHT = 220
BAR = 26  # a bar and the space about it
_ROOM = 1.2  # of the longest bar: what is written beyond it must fit

PALETTE = (
    *("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2"),
    *("#eeca3b", "#ff9da6", "#9d755d", "#8a8f98"),
)


def altair() -> "ModuleType":
    """Return the library; raises CouldNotRun where it, or what draws for it, is missing."""
    try:
        import altair as alt  # noqa: PLC0415 - an extra, and slow to import
        import vl_convert  # noqa: F401, PLC0415 - said before any work, not when a page is written
    except ImportError as error:
        raise CouldNotRun(
            "plots need the packages altair and vl-convert-python", "pip install 'mirc[report]'"
        ) from error
    return alt


def areas(x: str, y: str, colour: tuple[str, Sequence[str]], *, unit: str, top: str = "") -> Chart:
    """Stack areas over time, ``x`` in seconds; a line at the field ``top`` where the data has it.

    ``colour`` is a field and its values in their order from the bottom.
    """
    alt = altair()
    field, values = colour
    base = alt.Chart(alt.NamedData(ROWS))
    area = base.mark_area(interpolate="step-after", line=False, opacity=0.9).encode(
        x=alt.X(
            f"{x}:Q",
            title=None,
            scale=alt.Scale(nice=False, zero=False),
            axis=alt.Axis(
                labelExpr=SECONDS, tickCount=6, labelOverlap="greedy", labelSeparation=8, grid=False
            ),
        ),
        y=alt.Y(f"{y}:Q", title=None, stack="zero", axis=alt.Axis(labelExpr=unit, tickCount=5)),
        color=_colour(alt, field, values),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip(f"{field}:N"),
            alt.Tooltip(f"{x}:Q", format=".4s", title="second"),
            alt.Tooltip(f"{y}:Q", format=".4s"),
        ],
    )
    if not top:
        return _finished(area, HEIGHT)
    line = base.mark_rule(strokeDash=[6, 4], strokeWidth=1.5).encode(y=alt.Y(f"max({top}):Q"))
    line = line.properties(name=f"{NEEDS}{top}")
    return _finished(area + line, HEIGHT)


def bars(
    x: str,
    y: str,
    count: int,
    *,
    unit: str,
    stack: tuple[str, Sequence[str]] | None = None,
    mark: str = "",
    label: str = "",
) -> Chart:
    """Draw one lying bar a value of ``y``, at most ``count`` of them, in the order of the data.

    Each is cut into the values of ``stack``; a line stands at the field ``mark``, and beyond it and
    the bar the text of the field ``label``.
    """
    alt = altair()
    base = alt.Chart(alt.NamedData(ROWS))
    rows = alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=130, ticks=False))
    across = alt.X(f"{x}:Q", title=None, axis=alt.Axis(labelExpr=unit, tickCount=5))
    if stack is None:
        bar = base.mark_bar(color=PALETTE[0], cornerRadiusEnd=2).encode(x=across, y=rows)
    else:
        field, values = stack
        bar = base.mark_bar().encode(
            x=across,
            y=rows,
            color=_colour(alt, field, values),
            order=alt.Order("order:Q"),
            tooltip=[f"{y}:N", f"{field}:N", alt.Tooltip(f"{x}:Q", format=".4s")],
        )
    found = bar
    if mark:
        line = base.mark_rule(color=PALETTE[3], strokeDash=[6, 4], strokeWidth=2)
        found += line.encode(x=alt.X(f"max({mark}):Q"))
    if label:
        text = base.mark_text(align="left", dx=4, fontSize=11)
        place = f"max(datum.{x}, {f'datum.{mark}' if mark else 0})"
        text = text.transform_calculate(beyond=place)
        room = base.mark_point(opacity=0).transform_calculate(beyond=f"{_ROOM} * {place}")
        found += text.encode(x=alt.X("beyond:Q"), y=rows, text=f"{label}:N")
        found += room.encode(x=alt.X("beyond:Q"))
    return _finished(found, BAR * count)


def lines(
    x: str,
    y: str,
    colour: str,
    *,
    units: tuple[str, str],
    titles: tuple[str, str] = ("", ""),
    shape: Literal["steps", "dots"] = "steps",
    scale: Literal["linear", "log"] = "linear",
    mark: str = "",
    mark_of: str = "",
) -> Chart:
    """Draw one line a value of ``colour``: steps from the bottom, or dots that are joined.

    ``scale`` is that of ``x``. A dashed line stands at the field ``mark``, one for each value of
    ``mark_of`` in its colour.
    """
    alt = altair()
    base = alt.Chart(alt.NamedData(ROWS))
    across = alt.Scale(zero=False, nice=True)
    if scale == "log":
        across = alt.Scale(type="log", nice=False)
    kind = "linear" if shape == "dots" else "step-after"
    found = base.mark_line(interpolate=kind, point=shape == "dots", strokeWidth=2).encode(
        x=alt.X(
            f"{x}:Q",
            title=titles[0] or None,
            scale=across,
            axis=alt.Axis(
                labelExpr=units[0], tickCount=6, labelOverlap="greedy", labelSeparation=8
            ),
        ),
        y=alt.Y(
            f"{y}:Q",
            title=titles[1] or None,
            scale=alt.Scale(zero=shape == "steps", nice=True),
            axis=alt.Axis(labelExpr=units[1], tickCount=5),
        ),
        color=_colour(alt, colour, (), "stroke"),
        tooltip=[
            alt.Tooltip(f"{colour}:N"),
            alt.Tooltip(f"{x}:Q", format=".4s"),
            alt.Tooltip(f"{y}:Q", format=".4s"),
        ],
    )
    if mark:
        line = base.mark_rule(strokeDash=[6, 4], strokeWidth=2)
        own = {"color": _colour(alt, mark_of, (), "stroke")} if mark_of else {}
        found += line.encode(x=alt.X(f"max({mark}):Q"), **own)
    return _finished(found, HEIGHT)


def ticks(x: str, y: str, count: int, colour: str) -> Chart:
    """Draw one mark a row at its moment, ``x`` in seconds, in one of ``count`` lanes ``y``."""
    alt = altair()
    found = (
        alt.Chart(alt.NamedData(ROWS))
        .mark_point(filled=True, size=55, opacity=0.8)
        .encode(
            x=alt.X(
                f"{x}:Q",
                title=None,
                axis=alt.Axis(
                    labelExpr=SECONDS, tickCount=6, labelOverlap="greedy", labelSeparation=8
                ),
            ),
            y=alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=130)),
            color=_colour(alt, colour, ()),
            shape=alt.Shape(f"{colour}:N", legend=None),
            tooltip=[
                f"{y}:N",
                f"{colour}:N",
                "object:N",
                alt.Tooltip(f"{x}:Q", format=".4s", title="second"),
            ],
        )
    )
    return _finished(found, (BAR + 4) * count)


def _colour(alt: Any, field: str, values: Sequence[str], symbol: str = "square") -> Any:
    scale = alt.Scale(range=list(PALETTE))
    if values:
        scale = alt.Scale(domain=list(values), range=list(PALETTE[: len(values)]))
    legend = alt.Legend(title=None, orient="bottom", columns=3, symbolType=symbol)
    return alt.Color(f"{field}:N", scale=scale, legend=legend, sort=None)


def _finished(chart: Any, height: int) -> Chart:
    found: Chart = chart.properties(width="container", height=height).to_dict()
    return {key: value for key, value in found.items() if key not in ("config", "$schema")}
