"""``mirc replay``: a trace of accesses through caches, or through the tiers of a machine."""

import sys

import click

import mirc
from mirc.cli.completion import complete_machines
from mirc.cli.options import format_option, output_option
from mirc.cli.output import spare_inputs, write_text
from mirc.diagnostics import CouldNotRun

_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_GB = 10**9
_PS_PER_US = 1_000_000
_LARGEST = 1 << 60


@click.command(no_args_is_help=True)
@click.argument("trace", metavar="TRACE")
@click.option(
    "--policy",
    "policies",
    default="lru",
    show_default=True,
    metavar="NAME,...",
    help="Rules of replacement: fifo, lru, mru, lfu, arc, s3-fifo, sieve, belady, learned, ttl; "
    "or FILE.py:CLASS.",
)
@click.option(
    "--capacity",
    "counts",
    metavar="N,...",
    help="Capacities in objects, such as 1k,10k; without it, a tenth of the trace's objects.",
)
@click.option(
    "--capacity-gb",
    "sizes",
    metavar="N,...",
    help="Capacities in GB; with -M, of its near memory: without it, all that is usable.",
)
@click.option(
    "--object-bytes", type=click.IntRange(1), metavar="N", help="Let every object be so large."
)
@click.option(
    "-M",
    "--machine",
    metavar="NAME|FILE",
    shell_complete=complete_machines,
    help="Let transfers take time on this machine's links; without it, hits are counted.",
)
@click.option(
    "--think-us",
    type=click.FloatRange(0, 1e12),
    default=0.0,
    metavar="N",
    help="With -M: microseconds of computing between an access and the next.",
)
@click.option(
    "--window",
    type=click.IntRange(1, 4096),
    default=1,
    show_default=True,
    metavar="N",
    help="With -M: accesses that may be under way at once.",
)
@click.option(
    "--lookahead",
    type=click.IntRange(0, 1 << 20),
    default=0,
    show_default=True,
    metavar="N",
    help="With -M: fetch ahead what the next N accesses ask for.",
)
@click.option(
    "--speedup",
    type=click.FloatRange(0, 1e9, min_open=True),
    metavar="X",
    help="With -M: make accesses at the trace's own times, X times as fast.",
)
@click.option(
    "--fragment-bytes",
    type=click.IntRange(1),
    metavar="N",
    help="With -M: objects lie in pieces of N bytes.",
)
@click.option(
    "--trace-format",
    type=click.Choice(("oracle-general", "csv", "mooncake")),
    help="What TRACE is written in; its content decides if this is not given.",
)
@click.option(
    "--columns", metavar="LIST", help="Of a CSV without a header, such as time=2,id=5,size=4."
)
@click.option("--curve", is_flag=True, help="Add LRU's hits at every capacity, in one pass.")
@format_option("text", "json")
@output_option("Write the report there.")
def replay(
    *,
    trace: str,
    policies: str,
    counts: str | None,
    sizes: str | None,
    object_bytes: int | None,
    machine: str | None,
    think_us: float,
    window: int,
    lookahead: int,
    speedup: float | None,
    fragment_bytes: int | None,
    trace_format: str | None,
    columns: str | None,
    curve: bool,
    output_format: str,
    output: str,
) -> None:
    """Play a trace of accesses under several rules of replacement and capacities.

    TRACE is libCacheSim's oracleGeneral or CSV, or a trace of requests, whose blocks are asked for
    one after another. Without a machine the report counts hits. With one, what is not near comes
    over its links, which are shared by demand, prefetches and write-backs, and the report says what
    accesses waited for.

    \b
    mirc replay requests.jsonl --policy lru,s3-fifo,belady --capacity 1k,10k
    mirc replay blocks.oracleGeneral -M h100-sxm --capacity-gb 10,40 --object-bytes 2097152
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (trace,))
    if machine is None and (window > 1 or lookahead or think_us or speedup or fragment_bytes):
        raise CouldNotRun("without a machine nothing takes time", "add `--machine NAME`")
    if counts is not None and (sizes is not None or (machine is not None and not object_bytes)):
        raise CouldNotRun(
            "capacities are in objects or in GB, and on a machine in GB",
            "give `--capacity-gb`, or `--object-bytes` beside `--capacity`",
        )
    # Imported here: numpy takes its time, and --help needs none of it.
    from mirc.report import replay as report  # noqa: PLC0415
    from mirc.simulate.accesses.reading import Reading, read_so_far  # noqa: PLC0415
    from mirc.simulate.accesses.rig import Settings  # noqa: PLC0415
    from mirc.simulate.accesses.study import Asked, replayed  # noqa: PLC0415
    from mirc.traces.detect import TraceFormat  # noqa: PLC0415

    tell = _tell if sys.stderr.isatty() else None
    accesses = read_so_far(
        trace,
        Reading(
            form=TraceFormat(trace_format) if trace_format else None,
            columns=columns,
            object_bytes=object_bytes,
            speedup=speedup,
        ),
        tell,
    )
    in_bytes = sizes is not None or machine is not None
    if in_bytes and not accesses.size_bytes.all():
        raise CouldNotRun(
            f"`{trace}` does not say how large all its objects are", "give `--object-bytes N`"
        )
    unit = _GB if sizes is not None else (object_bytes or 1) if machine is not None else 1
    asked = Asked(
        policies=tuple(dict.fromkeys(filter(None, map(str.strip, policies.split(","))))),
        capacities=_capacities(sizes or counts, unit),
        in_bytes=in_bytes,
        machine=machine,
        settings=Settings(
            think_ps=round(think_us * _PS_PER_US),
            window=window,
            lookahead=lookahead,
            fragment_bytes=fragment_bytes or 0,
        ),
        curve=curve,
    )
    found = replayed(trace, accesses, asked, tell)
    written = (
        report.as_json(found, version=mirc.__version__)
        if output_format == "json"
        else report.as_text(found)
    )
    write_text(output, written)
    if found.stopped is not None:
        raise found.stopped  # what there is has been written; the exit code says that it is not all


def _capacities(text: str | None, unit: int) -> tuple[int, ...]:
    """Return what ``1k,10k`` means; raises CouldNotRun."""
    found = []
    for part in filter(None, map(str.strip, (text or "").split(","))):
        digits = part.rstrip("kMG")
        factor = _UNITS.get(part[len(digits) :])
        try:
            capacity = round(float(digits) * (factor or 0) * unit)
        except (ValueError, OverflowError):
            capacity = 0
        if not 1 <= capacity <= _LARGEST:
            raise CouldNotRun(f"`{part[:40]}` is no capacity", "give such as 1k,10k")
        found.append(capacity)
    return tuple(dict.fromkeys(found))


def _tell(line: str) -> None:
    """Show what runs now on one line of the terminal, in the place of what was there."""
    click.echo(f"\r\x1b[K{line}", nl=False, err=True)
