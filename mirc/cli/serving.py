"""The options of ``mirc simulate --trace``: requests served over a file's caches."""

from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click
from click.core import ParameterSource

import mirc
from mirc.cli.output import write_text
from mirc.cli.recording import Files, draw_serving
from mirc.diagnostics import CouldNotRun

if TYPE_CHECKING:
    from mirc.ir import Module
    from mirc.traces.detect import TraceFormat

_OF_SCHEDULES = (
    "steps",
    "schedule",
    "batch",
    "context",
    "within",
    "seed",
    "why",
    "routing",
    "faults",
    "intent",
    "hint_curve",
    "ablate",
    "miss_curve",
)
_OF_REQUESTS = ("swap_gb", "budget", "slo_ttft_ms", "slo_itl_ms")
Command = TypeVar("Command", bound=Callable[..., Any])


@attrs.frozen(kw_only=True)
class Served:
    """What ``--trace`` and the options that go with it were given; None where they were not."""

    trace: str | None
    trace_format: str | None
    kv_gb: float | None
    swap_gb: float | None
    trace_block: int | None
    at_once: int | None
    budget: int | None
    speedup: float | None
    closed: bool | None
    slo_ttft_ms: float | None
    slo_itl_ms: float | None

    def check(self) -> None:
        """Raise CouldNotRun for an option that means nothing without a trace, or is no number."""
        for option, value in attrs.asdict(self).items():
            name = f"--{option.replace('_', '-')}"
            if self.trace is None and value is not None:
                raise CouldNotRun(f"`{name}` says how a trace is served", "add `--trace FILE`")
            if isinstance(value, float) and isnan(value):
                raise CouldNotRun(f"`{name}` takes a number, and nan is none")
        if self.closed and self.speedup is not None:
            raise CouldNotRun(
                "`--speedup` is about the trace's times, and `--closed` goes by none",
                "leave out one of them",
            )


def serving_options(command: Command) -> Command:
    """Add ``--trace`` and its options to a command, as one value ``served``."""

    def gather(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        context.meta.setdefault("mirc.served", {})[parameter.name] = value
        return value

    def option(name: str, **more: Any) -> Callable[[Command], Command]:
        return click.option(name, callback=gather, expose_value=False, **more)

    for add in reversed(
        (
            option(
                "--trace",
                metavar="FILE",
                help="Serve these requests over FILE's caches instead: Mooncake's JSON lines, "
                "Azure's CSV or vLLM's cache events, plain or gzipped; or let the ids of "
                "oracleGeneral or CSV be blocks of them.",
            ),
            option(
                "--trace-format",
                type=click.Choice(("mooncake", "azure", "vllm-events", "oracle-general", "csv")),
                help="With --trace: what it is written in; its content tells if not given.",
            ),
            option(
                "--kv-gb",
                type=click.FloatRange(0, min_open=True),
                metavar="N",
                help="With --trace: near memory for caches; without it, what weights leave.",
            ),
            option(
                "--swap-gb",
                type=click.FloatRange(0),
                metavar="N",
                help="With --trace: host memory for what leaves, where loading it back pays.",
            ),
            option(
                "--trace-block",
                type=click.IntRange(1),
                metavar="N",
                help="With --trace: tokens in a block of the trace (512 if not given).",
            ),
            option(
                "--at-once",
                type=click.IntRange(1),
                metavar="N",
                help="With --trace: most sequences that run together (16 if not given).",
            ),
            option(
                "--budget",
                type=click.IntRange(1),
                metavar="N",
                help="With --trace: most tokens of a batch (8192 if not given).",
            ),
            option(
                "--speedup",
                type=click.FloatRange(0, min_open=True),
                metavar="X",
                help="With --trace: let requests come X times as fast as the trace says.",
            ),
            option(
                "--closed",
                is_flag=True,
                default=None,
                help="With --trace: let requests come in order as soon as there is room instead.",
            ),
            option(
                "--slo-ttft-ms",
                type=click.FloatRange(0, min_open=True),
                metavar="MS",
                help="With --trace: time to the first token of a good request (2000 if not given).",
            ),
            option(
                "--slo-itl-ms",
                type=click.FloatRange(0, min_open=True),
                metavar="MS",
                help="With --trace: mean time between its tokens (200 if not given).",
            ),
        )
    ):
        command = add(command)
    return command


def served_of(context: click.Context) -> Served:
    """Return what the options were given.

    Raises CouldNotRun for one that means nothing without a trace, or nothing with one.
    """
    served = Served(**context.meta["mirc.served"])
    served.check()
    for name in _OF_SCHEDULES if served.trace is not None else ():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{'fault' if name == 'faults' else name.replace('_', '-')}"
            raise CouldNotRun(
                f"`{option}` is about the file's schedule, and a trace is served instead of it",
                f"leave out `{option}` or `--trace`",
            )
    if served.trace is not None and context.params["lowering"] in ("fit", "speed"):
        raise CouldNotRun(
            "`--precision` is about weights, and of a trace only caches are served",
            "leave out `--precision` or `--trace`",
        )
    return served


def serve_trace(
    module: "Module",
    served: Served,
    *,
    files: Files,
    machines: tuple[str, ...],
    policies: str,
    output_format: str,
    output: str,
    tell: Callable[[str], None] | None,
) -> None:
    """Serve the trace that ``--trace`` names and write the report, a page and figures."""
    from mirc.report import serving as report  # noqa: PLC0415 - as in simulate
    from mirc.simulate.serving.model import Options  # noqa: PLC0415
    from mirc.simulate.serving.serve import serve  # noqa: PLC0415
    from mirc.simulate.serving.timing import Objective  # noqa: PLC0415
    from mirc.traces.arrivals import arrivals_so_far  # noqa: PLC0415
    from mirc.traces.detect import TraceFormat, detect  # noqa: PLC0415

    trace = str(served.trace)
    usual = Options()
    form = TraceFormat(served.trace_format) if served.trace_format else detect(trace)
    if not form.of_requests:
        _play_blocks(module, served, form, files, machines, policies, output_format, output, tell)
        return
    given = arrivals_so_far(trace, form=form, block_tokens=served.trace_block)
    options = Options(
        machines=machines,
        policies=policies,
        kv_gb=served.kv_gb,
        swap_gb=served.swap_gb or usual.swap_gb,
        block_tokens=given.block_tokens,
        at_once=served.at_once or usual.at_once,
        budget=served.budget or usual.budget,
        speedup=served.speedup or usual.speedup,
        closed=bool(served.closed),
        objective=Objective(
            ttft_ms=served.slo_ttft_ms or usual.objective.ttft_ms,
            itl_ms=served.slo_itl_ms or usual.objective.itl_ms,
        ),
    )
    found = serve(module, trace, given.requests, options, tell)
    found = attrs.evolve(found, notes=(*given.notes, *found.notes))
    if output_format == "json":
        write_text(output, report.as_json(found, version=mirc.__version__))
    else:
        write_text(output, report.as_text(found))
    draw_serving(files, found, given.requests)
    if given.cut is not None:
        raise given.cut  # the report is of what comes before


def _play_blocks(  # noqa: PLR0917 - one call, and each is a thing of its own
    module: "Module",
    served: Served,
    form: "TraceFormat",
    files: Files,
    machines: tuple[str, ...],
    policies: str,
    output_format: str,
    output: str,
    tell: Callable[[str], None] | None,
) -> None:
    """Play a trace of accesses on blocks of the file's caches, and write the report."""
    from mirc.report import replay as report  # noqa: PLC0415 - as above
    from mirc.simulate.accesses.blocks import OnBlocks, replay_blocks  # noqa: PLC0415
    from mirc.simulate.accesses.reading import Reading  # noqa: PLC0415

    for option in _OF_REQUESTS:
        if getattr(served, option) is not None:
            raise CouldNotRun(
                f"`--{option.replace('_', '-')}` is about requests, and `{served.trace}` holds "
                f"accesses ({form})",
                "leave it out",
            )
    if files.drawn:
        raise CouldNotRun(
            "there are no plots of a trace of accesses", "ask for `--output-format json` instead"
        )
    usual = OnBlocks()
    found = replay_blocks(
        module,
        str(served.trace),
        Reading(form=form, speedup=served.speedup),
        OnBlocks(
            machines=machines,
            policies=policies,
            kv_gb=served.kv_gb,
            block_tokens=served.trace_block or usual.block_tokens,
            window=served.at_once or usual.window,
        ),
        tell,
    )
    if tell is not None:
        tell("")
    if output_format == "json":
        write_text(output, report.as_json(found, version=mirc.__version__))
    else:
        write_text(output, report.as_text(found))
    if found.stopped is not None:
        raise found.stopped
