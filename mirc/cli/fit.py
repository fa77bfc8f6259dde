"""``mirc fit``: the largest batch and context of a model that fit on a machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mirc.cli.completion import complete_machines
from mirc.cli.options import format_option, machines_named, output_option
from mirc.cli.output import spare_inputs, write_text
from mirc.diagnostics import CouldNotRun
from mirc.grammar import parse_schedule
from mirc.lint.sources import STDIN, read

if TYPE_CHECKING:
    from mirc.ir import Module


@click.command(no_args_is_help=True)
@click.argument("target", metavar="TARGET|FILE.mir|-")
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME|FILE,...",
    shell_complete=complete_machines,
    help="Ask about this machine; may be given several times. Without it, those of the plans.",
)
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Ask about N sequences.")
@click.option("--context", type=click.IntRange(1), metavar="N", help="Ask about N tokens.")
@click.option(
    "--schedule", metavar="LIST", help="Such as `prefill, REPEAT(64, decode_step)`; as in a file."
)
@click.option("--phases", metavar="LIST", help="What to capture of a model, as for compile.")
@format_option("text", "json")
@output_option("Write the answers there.")
@click.pass_context
def fit(
    ctx: click.Context,
    *,
    target: str,
    machines: tuple[str, ...],
    batch: int | None,
    context: int | None,
    schedule: str | None,
    phases: str | None,
    output_format: str,
    output: str,
) -> None:
    """Say which batch and which context of a model fit on a machine, and what stops the next.

    TARGET is a .mir file, or a model as for `mirc compile`: it is captured once, and its sizes hold
    for any batch. Two answers are given: with everything in near memory, and with weights and
    caches streaming from the memories below. `mirc simulate` admits a run by the same rule. With
    `--batch` or `--context`, whether that point fits is told first. Exit code 1 means that on some
    machine neither way holds it (not even one sequence, where no point was asked about), 2 that
    there is no answer: FILE has errors, for example.

    \b
    mirc fit preset:llama3-8b -M card-24g --batch 200 --context 4096
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (target,))
    if schedule is not None:
        parse_schedule(schedule)  # a wrong one is told before the long capture
    # Imported here: numpy takes a while, and --help needs none of it.
    from mirc.answers.fit import answer, question  # noqa: PLC0415
    from mirc.answers.fit_report import as_json, contents  # noqa: PLC0415
    from mirc.answers.fit_text import as_text  # noqa: PLC0415
    from mirc.lint.errors import load_right  # noqa: PLC0415
    from mirc.machine.load import load  # noqa: PLC0415
    from mirc.simulate.admission import Scope  # noqa: PLC0415
    from mirc.simulate.comparison import plan_for  # noqa: PLC0415
    from mirc.simulate.schedule import schedule_of  # noqa: PLC0415
    from mirc.simulate.study import planned, title_of  # noqa: PLC0415

    known = {name: load(name) for name in machines_named(machines)}
    is_text = target == STDIN or (target.endswith((".mir", ".json")) and ":" not in target)
    if is_text and phases is not None:
        raise CouldNotRun(
            "`--phases` says what to capture of a model, and a file has its phases",
            "choose which of them run with `--schedule`",
        )
    if not is_text and not known:
        raise CouldNotRun("no machine was named", "give `--machine`: see `mirc machine list`")
    module = load_right(read(target)) if is_text else _compiled(target, phases)
    known = known or {name: load(name) for name in planned(module)}
    found, fits = [], True
    for name, machine in known.items():
        asked = question(
            module,
            schedule_of(module, None, schedule),
            machine,
            plan=plan_for(module, machine, name),
            batch=batch,
            context=context,
        )
        answers = [answer(asked, scope) for scope in Scope]
        given = asked.given
        fits = fits and any(each.asked_fits if given else each.fits for each in answers)
        found.append(contents(asked, answers))
    write_text(output, (as_json if output_format == "json" else as_text)(title_of(module), found))
    ctx.exit(int(not fits))


def _compiled(target: str, phases: str | None) -> "Module":
    from mirc.emit import emit  # noqa: PLC0415 - only a model needs the passes
    from mirc.passes.pipeline import run  # noqa: PLC0415

    try:  # torch takes seconds to start, and a .mir file needs none of it
        from mirc.frontend import CaptureOptions, capture  # noqa: PLC0415
        from mirc.frontend.target import FORMS  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise CouldNotRun(
            f"a model needs `{error.name}`, which is not installed",
            "install it: pip install 'mirc[torch]'; or name a compiled .mir file",
        ) from error
    with _stage("capture"):
        options = CaptureOptions(phases=phases)
        try:
            program = capture(target, options, lambda line: click.echo(line, err=True))
        except CouldNotRun as error:
            if error.hint != FORMS:
                raise
            raise CouldNotRun(error.message, f"name a .mir file, or {FORMS}") from error
    with _stage("passes"):
        facts = run(program)
    with _stage("emit"):
        return emit(program, facts)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    click.echo(f"{name}: {time.perf_counter() - begin:.2f} s", err=True)
