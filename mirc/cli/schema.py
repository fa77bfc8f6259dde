"""``mirc schema``: the JSON Schema of the JSON form."""

import click

from mirc.cli.options import output_option
from mirc.cli.output import write_text
from mirc.grammar import json_schema


@click.command()
@output_option("Write the schema there.")
def schema(*, output: str) -> None:
    """Print the JSON Schema (draft 2020-12) of what convert writes and reads.

    Every key with its type, its words, where it stands, its default and what it means. Editors
    that know JSON Schema complete and check .json files with it.

    \b
    mirc schema -o module.schema.json
    """  # noqa: D301 - click's own mark, not a backslash
    write_text(output, json_schema.as_text())
