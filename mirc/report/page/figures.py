"""A document's plots into one file each, SVG or PNG, for a paper."""

import re
from collections.abc import Iterator

from mirc.diagnostics import CouldNotRun
from mirc.report.page.document import SCHEMA, VEGA_LITE
from mirc.report.page.model import ROWS, Document, Frame, Plot

FORMATS = ("svg", "png")
WIDTH = 480
PIXELS = 2  # of a PNG, to one of the plot

_LOOK = {"view": {"stroke": None}, "background": "white", "font": "sans-serif"}


def figures(document: Document, form: str) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files; ``form`` is ``svg`` or ``png``.

    A name is made of what the figure shows: plot, machine, policy and what else chooses its data.
    Equal documents give equal bytes. Raises CouldNotRun where vl-convert is missing.
    """
    try:
        import vl_convert  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise CouldNotRun(
            "figures need the packages altair and vl-convert-python", "pip install 'mirc[report]'"
        ) from error
    for plot in document.plots:
        for parts, frames in _shown(plot):
            rows = [row for frame in frames for row in frame.rows()]
            if not rows:
                continue
            spec = {
                "$schema": SCHEMA,
                **plot.of(rows),
                "width": WIDTH,
                "config": _LOOK,
                "datasets": {ROWS: rows},
            }
            name = ".".join(map(_word, (plot.name, *parts, form)))
            if form == "svg":
                yield name, _numbered(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE))
            else:
                yield name, vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=PIXELS)


def _shown(plot: Plot) -> Iterator[tuple[tuple[str, ...], tuple[Frame, ...]]]:
    """Yield what a file's name says and the frames that share it."""
    if not plot.overlays:
        yield from ((tuple(frame.key.values()), (frame,)) for frame in plot.frames)
        return
    for machine in dict.fromkeys(frame.key["machine"] for frame in plot.frames):
        yield (machine,), tuple(each for each in plot.frames if each.key["machine"] == machine)


def _numbered(svg: str) -> bytes:
    """Let the parts that a drawing refers to count from 0: vega counts on over all it drew."""
    places = {old: n for n, old in enumerate(dict.fromkeys(re.findall(r"\bclip\d+\b", svg)))}
    return re.sub(r"\bclip\d+\b", lambda found: f"clip{places[found[0]]}", svg).encode()


def _word(text: str) -> str:
    return re.sub(r"[^\w-]+", "-", text)
