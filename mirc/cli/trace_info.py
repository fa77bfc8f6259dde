"""``mirc trace info``: what a trace holds."""

import click

from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_text


@click.command()
@click.argument("trace", metavar="TRACE")
@click.option("--columns", metavar="LIST", help="Of a CSV without a header: time=2,id=5,size=4.")
@output_option("Write it there.")
def info(*, trace: str, columns: str | None, output: str) -> None:
    """Say what a trace of accesses or requests holds: how much, of what, over which time.

    \b
    mirc trace info zipf.oracleGeneral
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (trace,))
    from mirc.report.trace import as_text  # noqa: PLC0415 - --help needs no numpy
    from mirc.simulate.accesses.reading import Reading, read_so_far  # noqa: PLC0415
    from mirc.traces.detect import detect  # noqa: PLC0415

    form = detect(trace)
    found = read_so_far(trace, Reading(form=form, columns=columns, speedup=1.0))
    write_text(output, as_text(trace, str(form), found))
    if found.cut is not None:
        raise found.cut
