"""A document into one HTML page that needs nothing else: no network, no other file."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from mirc.diagnostics import CouldNotRun
from mirc.report.page.model import NEEDS, ROWS, Document, Frame, Plot, Section, Table

VEGA_LITE = "6.4"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

_PAGE = Template("""<!doctype html>
<html lang="en" data-theme="auto" data-state="loading">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mirc $version">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<header>
<h1>$title</h1>
<dl class="facts">
$facts
</dl>
</header>
<form id="controls" aria-label="What is shown">
$controls
</form>
<main>
$tables
$sections
$absent
</main>
<footer>Written by mirc $version. Drawn with Vega, Vega-Lite and Vega-Embed (BSD-3-Clause), which
are part of this file; it loads nothing. The menu of each plot saves it as SVG or PNG.</footer>
<noscript><p>The plots need JavaScript; the tables do not.</p></noscript>
<script type="application/json" id="data">$data</script>
<script type="module">$bundle</script>
<script type="module">$script</script>
</body>
</html>
""")


def as_html(document: Document, *, version: str) -> str:
    """Return the page; ``version`` is the tool's. Equal documents give equal bytes.

    Raises CouldNotRun where vl-convert, which holds the plotting library, is missing.
    """
    return _PAGE.substitute(
        version=escape(version),
        title=escape(document.title),
        style=_part("page.css"),
        facts="\n".join(
            f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>"
            for key, value in document.facts
        ),
        controls="\n".join(_controls(document)),
        tables="\n".join(map(_table, document.tables)),
        sections="\n".join(map(_section, document.sections)),
        absent=_absent(document),
        data=_data(document),
        bundle=_bundle(),
        script=_part("page.js"),
    )


def _part(name: str) -> str:
    return (files("mirc.report.page") / name).read_text("utf-8")


@cache
def _bundle() -> str:
    try:
        import vl_convert  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise CouldNotRun(
            "a page needs the packages altair and vl-convert-python", "pip install 'mirc[report]'"
        ) from error
    snippet = "window.vegaEmbed = vegaEmbed;"
    found: str = vl_convert.javascript_bundle(snippet=snippet, vl_version=VEGA_LITE)
    return found.replace("</script", r"<\/script")


def _controls(document: Document) -> Iterator[str]:
    names = [f"{run.machine}: {run.policy}" for run in document.runs]
    first, second = _opening(document)
    for ident, text, chosen in (("run-a", "Run A", first), ("run-b", "Run B", second)):
        yield _select(ident, text, [(str(n), name) for n, name in enumerate(names)], str(chosen))
    if any("window" in frame.key for plot in document.plots for frame in plot.frames):
        yield _select(
            "window",
            "Time shown",
            [("run", "the whole run"), ("iteration", "the iteration of median length")],
            "run",
        )
    themes = [("auto", "as the system"), ("light", "light"), ("dark", "dark")]
    yield _select("theme", "Colours", themes, "auto")


def _opening(document: Document) -> tuple[int, int]:
    """Return the runs that are shown first: intent, beside static or what else there is."""
    runs = document.runs
    wanted = [n for n, run in enumerate(runs) if run.policy == "intent"] or [0]
    first = wanted[0]
    beside = [
        *(n for n, run in enumerate(runs) if run.policy == "static" and n != first),
        *(n for n in range(len(runs)) if n != first),
        first,
    ]
    return first, beside[0]


def _select(ident: str, text: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    shown = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(name)}</option>"
        for value, name in options
    )
    return f'<label>{escape(text)}<select id="{ident}" autocomplete="off">{shown}</select></label>'


def _table(table: Table) -> str:
    header = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "\n".join(_row(table.title, row) for row in table.rows)
    lines = "".join(f"<p>{escape(line)}</p>\n" for line in table.lines)
    said = "".join(f"<li>{escape(line)}</li>\n" for line in table.sentences)
    more = f'<details class="said"><summary>More in words</summary><ul>\n{said}</ul></details>'
    return (
        f"<section><h2>{escape(table.title)}</h2>\n{lines}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f"<table><thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n"
        f"{more if said else ''}</section>"
    )


def _row(title: str, row: tuple[str, ...]) -> str:
    name, *cells = row
    marked = f' data-run="{escape(title)}: {escape(name.removesuffix(" (oracle)"))}"'
    limit = all(cell == "-" for cell in cells[-2:])
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    kind = ' class="limit"' if limit else marked
    return f'<tr{kind}><th scope="row">{escape(name)}</th>{shown}</tr>'


def _section(section: Section) -> str:
    plots = "\n".join(map(_figure, section.plots))
    title = escape(section.title)
    return f'<section><h2>{title}</h2>\n<div class="plots">{plots}</div></section>'


def _figure(plot: Plot) -> str:
    return (
        f'<div id="plot-{plot.name}"><h3>{escape(plot.title)}</h3>\n'
        f'<p class="caption">{escape(plot.caption)}</p>\n<div class="pair"></div></div>'
    )


def _absent(document: Document) -> str:
    if not document.absent:
        return ""
    items = "".join(
        f"<li>{escape(each.title)}: {escape(each.reason)}</li>\n" for each in document.absent
    )
    return f'<section><h2>Not drawn</h2>\n<ul class="absent">\n{items}</ul></section>'


def _data(document: Document) -> str:
    found = {
        "rows": ROWS,
        "needs": NEEDS,
        "schema": SCHEMA,
        "runs": [{"machine": run.machine, "policy": run.policy} for run in document.runs],
        "plots": [
            {
                "name": plot.name,
                "title": plot.title,
                "split": plot.split,
                "overlays": plot.overlays,
                "chart": plot.chart,
                "frames": [_frame(frame) for frame in plot.frames],
            }
            for plot in document.plots
        ],
    }
    # Inside a script nothing may look like the end of one.
    return json.dumps(found, separators=(",", ":")).replace("<", r"\u003c")


def _frame(frame: Frame) -> dict[str, object]:
    """Return a frame as the page reads it: of a column that repeats one value, that alone."""
    same = {name: column[0] for name, column in frame.columns.items() if len({*column}) == 1}
    kept = {name: column for name, column in frame.columns.items() if name not in same}
    if not kept:  # there must be a column to count rows by
        same, kept = {}, dict(frame.columns)
    return {
        "key": dict(frame.key),
        "columns": {name: list(column) for name, column in kept.items()},
        "constants": {**same, **frame.constants},
    }
