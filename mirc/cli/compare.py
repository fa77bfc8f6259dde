"""``mirc compare``: what a file declares beside what a run did."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

import mirc
from mirc.cli.completion import complete_files
from mirc.cli.options import format_option, output_option
from mirc.cli.output import write_text
from mirc.diagnostics import CouldNotRun
from mirc.grammar import load
from mirc.lint.sources import STDIN, STDIN_NAME, read


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@click.argument("events", metavar="EVENTS|-")
@click.option(
    "--plan", metavar="NAME", help="Score the times of this plan, not of the log's machine."
)
@format_option("text", "json")
@output_option("Write the report there.")
def compare(*, file: str, events: str, plan: str | None, output_format: str, output: str) -> None:
    """Compare what a .mir file declares with what a run of it did.

    EVENTS is a log that `mirc simulate FILE --events EVENTS` wrote. Estimates of reuse, routing and
    first and last use are scored against it; what was declared and never read is named. Exit code
    0 means that it could be compared, however wrong the estimates are, 2 that it could not.

    \b
    mirc compare llama.mir log.jsonl
    """  # noqa: D301 - click's own mark, not a backslash
    if file == events == STDIN:
        raise CouldNotRun("both inputs are standard input", "name a file for one of them")
    # Imported here: --help needs none of it.
    from mirc.observe.compare import compare as compared  # noqa: PLC0415
    from mirc.report import comparison_json, comparison_text  # noqa: PLC0415
    from mirc.traces.events import lines_of  # noqa: PLC0415

    if file != STDIN and Path(file).is_dir():
        raise CouldNotRun(f"`{file}` is a directory", "name a .mir file in it")
    module = load(read(file))
    name = STDIN_NAME if events == STDIN else events
    with _opened(events) as log:
        report = compared(module, lines_of(log, name), name, plan)
    if output_format == "json":
        write_text(output, comparison_json.as_text(report, version=mirc.__version__))
    else:
        write_text(output, comparison_text.as_text(report))


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == STDIN:
        yield sys.stdin
        return
    try:
        file = Path(path).open(encoding="utf-8")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{path}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(f"cannot read `{path}`: {reason.lower()}", "check the path") from error
    with file:
        yield file
