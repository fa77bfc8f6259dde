"""``mirc refine``: the estimates of a .mir file, brought to what a run of it showed."""

import click

from mirc.cli.completion import complete_files
from mirc.cli.errors import without_errors
from mirc.cli.observed import observed_in
from mirc.cli.options import output_option, phase_option
from mirc.cli.output import spare_inputs, write_text
from mirc.diagnostics import CouldNotRun, Source
from mirc.lint.sources import STDIN, read


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@click.argument("observation", metavar="OBS|-")
@click.option("--plan", metavar="NAME", help="Refine the times of this plan, not of OBS's machine.")
@phase_option
@click.option("--diff", "shown", is_flag=True, help="Print why, and a diff, instead of the file.")
@output_option("Write the result there.")
@click.pass_context
def refine(
    ctx: click.Context,
    *,
    file: str,
    observation: str,
    plan: str | None,
    phase: str | None,
    shown: bool,
    output: str,
) -> None:
    """Bring the estimates of a .mir file to what a run of it showed.

    OBS is one run: of `mirc observe`, of `mirc simulate --record`, or a PyTorch profile. Reuse,
    routing and a plan's times that it contradicts are changed, and confidences that say more or
    less than held. Facts, hints and promises are never changed, comments stay. Again with the same
    OBS nothing changes. What changed is counted on standard error. Exit code 1 means that FILE has
    errors, 2 that it could not be refined.

    \b
    mirc simulate llama.mir -M h100-sxm --policy intent --record run.obs
    mirc refine llama.mir run.obs --diff
    mirc refine llama.mir run.obs -o refined.mir
    """  # noqa: D301 - click's own mark, not a backslash
    if file == observation == STDIN:
        raise CouldNotRun("both inputs are standard input", "name a file for one of them")
    spare_inputs((output,), (file, observation))
    source = read(file)
    module = without_errors(ctx, source)
    # Imported here: --help needs none of it.
    from mirc.diagnostics.patch import unified  # noqa: PLC0415
    from mirc.observe.compare import sightings  # noqa: PLC0415
    from mirc.observe.refine import refine as refined  # noqa: PLC0415
    from mirc.observe.rewrite import rewritten  # noqa: PLC0415
    from mirc.report.refinement import reasons, summary  # noqa: PLC0415

    with observed_in(observation, module, phase) as (name, parts):
        found = refined(module, sightings(module, parts, name, plan), name)
    text = rewritten(source, module, found.changes)
    if shown:
        lines = "".join(f"# {line}\n" for line in reasons(found))
        write_text(output, lines + unified(source.name, source.text, text))
    else:
        write_text(output, text)
    click.echo(summary(found, found.after(Source(source.name, text))), err=True)
