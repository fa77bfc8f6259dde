"""``mirc compare``: what a file declares beside what a run did."""

from pathlib import Path

import click

import mirc
from mirc.cli.completion import complete_files
from mirc.cli.observed import observed_in
from mirc.cli.options import format_option, output_option, phase_option
from mirc.cli.output import write_text
from mirc.diagnostics import CouldNotRun
from mirc.grammar import load
from mirc.lint.sources import STDIN, read


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@click.argument("observation", metavar="OBS|-")
@click.option("--plan", metavar="NAME", help="Score the times of this plan, not of OBS's machine.")
@phase_option
@format_option("text", "json")
@output_option("Write the report there.")
def compare(
    *,
    file: str,
    observation: str,
    plan: str | None,
    phase: str | None,
    output_format: str,
    output: str,
) -> None:
    """Compare what a .mir file declares with what a run of it did.

    OBS is what `mirc observe`, `mirc simulate --record` or `--events` wrote, a PyTorch profile or
    a snapshot of CUDA's memory. Estimates of reuse, routing and times are scored against it; what
    was declared and never read is named. Exit code 0 means that it could be compared, however wrong
    the estimates are, 2 that it could not.

    \b
    mirc compare llama.mir run.obs
    """  # noqa: D301 - click's own mark, not a backslash
    if file == observation == STDIN:
        raise CouldNotRun("both inputs are standard input", "name a file for one of them")
    # Imported here: --help needs none of it.
    from mirc.observe.compare import against  # noqa: PLC0415
    from mirc.report import comparison_json, comparison_text  # noqa: PLC0415

    if file != STDIN and Path(file).is_dir():
        raise CouldNotRun(f"`{file}` is a directory", "name a .mir file in it")
    module = load(read(file))
    with observed_in(observation, module, phase) as (name, parts):
        report = against(module, parts, name, plan)
    if output_format == "json":
        write_text(output, comparison_json.as_text(report, version=mirc.__version__))
    else:
        write_text(output, comparison_text.as_text(report))
