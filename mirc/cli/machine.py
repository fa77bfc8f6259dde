"""``mirc machine``: the machines there are, and what one is made of."""

import json

import click

import mirc
from mirc.cli.completion import complete_machines
from mirc.cli.options import format_option
from mirc.machine.describe import as_json, as_list, as_table
from mirc.machine.load import load, names, source


@click.group(no_args_is_help=True)
def machine() -> None:
    """List the machines that plans are made for, or show one.

    \b
    mirc machine list
    mirc machine show h100-sxm
    """  # noqa: D301 - click's own mark, not a backslash


@machine.command("list")
@format_option("text", "json")
def list_(output_format: str) -> None:
    """List the presets, one a line."""
    machines = [load(name) for name in names()]
    if output_format == "json":
        click.echo(_document("machines", [as_json(one) for one in machines]))
    else:
        click.echo(as_list(machines))


@machine.command()
@click.argument("name", metavar="NAME|FILE", shell_complete=complete_machines)
@format_option("text", "json")
@click.option("--toml", is_flag=True, help="Print its TOML, to start your own from.")
def show(name: str, output_format: str, *, toml: bool) -> None:
    """Show a machine: memories, links, compute, and what follows from them.

    NAME is from `mirc machine list`; a FILE (.toml) is checked as it is read.
    """
    shown = load(name)
    if toml:
        click.echo(source(name), nl=False)
    elif output_format == "json":
        click.echo(_document("machine", as_json(shown)))
    else:
        click.echo(as_table(shown))


def _document(key: str, content: object) -> str:
    document = {
        "name": "mirc",
        "version": mirc.__version__,
        "schema": f"urn:mirc:schema:{key}:1",
        "format_version": "1.0",
        key: content,
    }
    return json.dumps(document, indent=2)
