"""``mirc trace``: make traces of requests and of accesses, or say what one holds."""

import click

from mirc.cli.trace_accesses import loop, scan, zipf
from mirc.cli.trace_info import info
from mirc.cli.trace_requests import agents, retrieval, tenants


@click.group(no_args_is_help=True)
def trace() -> None:
    """Make a trace from a seed, or say what one holds.

    \b
    mirc trace make zipf --accesses 10000000 -o zipf.oracleGeneral
    mirc trace make agents --sessions 400 -o agents.jsonl
    mirc trace info zipf.oracleGeneral
    """  # noqa: D301 - click's own mark, not a backslash


@trace.group(no_args_is_help=True)
def make() -> None:
    """Make a trace from a seed.

    \b
    mirc trace make zipf --exponent 1.0 --objects 1000000 -o zipf.oracleGeneral
    mirc trace make agents -o agents.jsonl
    """  # noqa: D301 - click's own mark, not a backslash


for command in (zipf, scan, loop, agents, retrieval, tenants):
    make.add_command(command)
trace.add_command(info)
