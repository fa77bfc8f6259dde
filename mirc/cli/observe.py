"""``mirc observe``: what a model really does when it runs."""

import click

from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, writing
from mirc.diagnostics import CouldNotRun


@click.command(no_args_is_help=True)
@click.argument("target", metavar="TARGET")
@output_option("The observation to write.")
@click.option("--phases", metavar="LIST", help="Such as `prefill:seq=64,decode_step:past=64`.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, metavar="N")
@click.option(
    "--runs",
    type=click.IntRange(1, 10_000),
    default=8,
    show_default=True,
    metavar="N",
    help="Run each phase so often.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Draws the weights and inputs that TARGET does not bring.",
)
def observe(
    *, target: str, output: str, phases: str | None, batch: int, runs: int, seed: int
) -> None:
    """Run a small model on the CPU, and write what it used when.

    TARGET is what `mirc compile` takes, with the same options: objects and steps bear the same
    names. The captured program runs operation by operation; which memory each one touched, how
    large it is, when, and which experts the router chose are seen, not declared. A Python TARGET is
    imported and run: observe only code that you trust.

    \b
    mirc observe hf:tiny-mixtral/config.json -o run.obs
    mirc compare tiny.mir run.obs
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (target,))
    try:
        from mirc.frontend import CaptureOptions  # noqa: PLC0415 - torch: --help needs none
        from mirc.observe.execute import observed  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise CouldNotRun(
            f"a model needs `{error.name}` to run, which is not installed",
            "install it: pip install 'mirc[torch]'",
        ) from error
    from mirc.traces.observations import dump  # noqa: PLC0415

    options = CaptureOptions(phases=phases, batch=batch, fold="never")
    parts = observed(target, options, runs, seed, lambda line: click.echo(line, err=True))
    with writing(output) as file:
        file.writelines(line.encode() for line in dump(parts))
