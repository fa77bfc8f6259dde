"""``mirc check``: what is wrong in .mir files."""

import os
import sys

import click

from mirc.cli.check_report import FORMS, TEXT_FORMS, Report
from mirc.cli.check_run import Run
from mirc.cli.completion import complete_files, complete_machines
from mirc.cli.options import format_option
from mirc.cli.output import STDOUT, check_writable
from mirc.diagnostics.errors import CouldNotRun
from mirc.diagnostics.model import Severity
from mirc.lint.project import Project
from mirc.lint.settings import Overrides
from mirc.lint.sources import STDIN, STDIN_NAME


def _split(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the names of rules in an option that may be given often and hold commas."""
    del ctx
    words = tuple(word.strip() for value in values for word in value.split(",") if word.strip())
    if not values:
        return None
    if not words:  # an empty variable in CI would turn the option off without a word
        raise CouldNotRun(f"`{parameter.opts[0]}` names no rule", "name rules, or leave it out")
    # Start-up: only those who name rules need their table.
    from mirc.lint.selection import check_words  # noqa: PLC0415

    check_words(parameter.opts[0], words)
    return words


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS|-]...", shell_complete=complete_files)
@click.option("--fix", is_flag=True, help="Put right what can be, in the files themselves.")
@click.option("--diff", is_flag=True, help="Show what --fix would change; exit 1 if anything.")
@click.option(
    "--select",
    multiple=True,
    callback=_split,
    metavar="RULES",
    help="Only these rules: codes, prefixes (MIR4), names, or ALL; comma separated.",
)
@click.option(
    "--extend-select",
    multiple=True,
    callback=_split,
    metavar="RULES",
    help="These rules as well: the way to those that are off by default.",
)
@click.option("--ignore", multiple=True, callback=_split, metavar="RULES", help="Not these rules.")
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME|FILE",
    shell_complete=complete_machines,
    help="Judge placement on this machine too; may be given several times.",
)
@click.option(
    "--fail-level",
    type=click.Choice([severity.value for severity in Severity]),
    help="The mildest finding that makes the exit code 1.  [default: warning]",
)
@click.option("--baseline", metavar="FILE", help="Leave out the findings that stand in this file.")
@click.option("--write-baseline", metavar="FILE", help="Write all present findings there.")
@click.option(
    "--add-ignore", metavar="REASON", help="Write an ignore with this reason beside each finding."
)
@format_option(*FORMS)
@click.option(
    "--output-file",
    default=STDOUT,
    metavar="FILE",
    help="Write there instead of to standard output.",
)
@click.option(
    "--stdin-filename",
    default=STDIN_NAME,
    metavar="FILE",
    help="The name under which `-` is reported, and whose settings hold.",
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.pass_context
def check(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    select: tuple[str, ...] | None,
    extend_select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    machines: tuple[str, ...],
    fail_level: str | None,
    baseline: str | None,
    output_format: str,
    output_file: str,
    stdin_filename: str,
    statistics: bool,
    **ways: str | bool | None,
) -> None:
    """Report what is wrong in .mir files: syntax, names, types, and what cannot be meant.

    PATHS are files, folders that are searched for .mir files, or `-` for standard input; without
    any, the current folder. Settings stand in `mirc.toml`, or under `[tool.mirc]` in
    `pyproject.toml` (docs/check.md). Exit code 1 means findings at the fail level or above, 2 that
    check could not run.

    \b
    mirc check model.mir --machine h100-sxm
    mirc check --fix --select MIR4,unused-object samples/
    """  # noqa: D301 - click's own mark, not a backslash
    if statistics and output_format not in TEXT_FORMS:
        raise click.UsageError("--statistics is a table of text: leave out --output-format")
    check_writable(output_file)
    overrides = Overrides(
        select=select,
        extend_select=extend_select,
        ignore=ignore,
        fail_level=None if fail_level is None else Severity(fail_level),
        machines=machines or None,
        baseline=baseline,
    )
    coloured = sys.stdout.isatty() if ctx.color is None else ctx.color
    report = Report(output_format, output_file, statistics, coloured)
    run = Run(paths or (os.curdir,), Project(overrides), report, stdin_filename)
    ctx.exit(
        _asked(run, {name: value for name, value in ways.items() if value not in (None, False)})
    )


def _asked(run: Run, ways: dict[str, str | bool | None]) -> int:
    """Do what was asked for; return the exit code."""
    if len(ways) > 1:
        first, second, *_ = (f"--{name.replace('_', '-')}" for name in ways)
        raise click.UsageError(f"{first} and {second} cannot be asked for at once")
    if run.report.statistics and (ways.keys() - {"fix", "watch"}):
        raise click.UsageError("--statistics goes with a plain check, --fix or --watch only")
    match ways:
        case {"fix": _}:
            return run.fix()
        case {"diff": _}:
            return run.diff()
        case {"add_ignore": str(reason)}:
            return run.add_ignores(reason)
        case {"write_baseline": str(path)}:
            return run.write_baseline(path)
        case {"watch": _}:
            if STDIN in run.paths or run.report.file != STDOUT:
                raise click.UsageError("--watch reads files and prints: leave out - and files")
            return run.watch()
        case _:
            return run.plainly()
