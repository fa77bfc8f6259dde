"""``mirc conform``: which clauses of the contract of claims a controller keeps."""

import click

import mirc
from mirc.cli.options import format_option, output_option
from mirc.cli.output import write_text


@click.command()
@click.option(
    "--adapter",
    "names",
    multiple=True,
    default=("ours",),
    show_default=True,
    metavar="NAME|MODULE:ATTRIBUTE",
    help="ours, reference, lru, write-no-admit, broken, or one of yours; may be given several "
    "times. MODULE is imported: its code runs.",
)
@format_option("text", "json")
@output_option("Write the report there.")
@click.pass_context
def conform(ctx: click.Context, *, names: tuple[str, ...], output_format: str, output: str) -> None:
    """Hold a controller to the contract of resident claims, clause by clause.

    The clauses stand in docs/claims.md. Small cases are put to the controller through an adapter;
    what became of blocks and requests is told from its event log alone. Exit code 1 means that a
    clause was broken, which is named, 2 that an adapter could not be asked. What a controller says
    it does not offer breaks nothing.

    \b
    mirc conform
    mirc conform --adapter lru --adapter my_engine.adapter:Adapter
    """  # noqa: D301 - click's own mark, not a backslash
    # Imported here: --help needs none of it.
    from mirc.conform.adapters import adapter_named  # noqa: PLC0415
    from mirc.conform.suite import conform as held  # noqa: PLC0415
    from mirc.report import conformance  # noqa: PLC0415

    found = [held(adapter) for adapter in [adapter_named(name) for name in names]]
    if output_format == "json":
        write_text(output, conformance.as_json(found, version=mirc.__version__))
    else:
        write_text(output, "\n".join(conformance.as_text(each) for each in found))
    ctx.exit(int(any(each.broken for each in found)))
