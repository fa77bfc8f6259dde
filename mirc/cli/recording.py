"""The files that ``mirc simulate`` can write of what happened: events, a trace, a page, figures."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

import mirc
from mirc.cli.output import STDOUT, check_writable, spare_inputs, write_bytes, write_text, writing
from mirc.diagnostics import CouldNotRun

if TYPE_CHECKING:
    from mirc.machine import Machine
    from mirc.report.page.model import Document
    from mirc.report.timeline.course import Course
    from mirc.simulate.curves import Curve
    from mirc.simulate.model import Outcome
    from mirc.simulate.serving.model import Serving
    from mirc.simulate.study import Study, Watch
    from mirc.simulate.workload import Scenario
    from mirc.traces.requests import Request

Command = TypeVar("Command", bound=Callable[..., Any])


@attrs.frozen(kw_only=True)
class Files:
    """What was asked for, by path; None where it was not."""

    events: str | None
    record: str | None
    perfetto: str | None
    report: str | None
    plots: str | None
    plots_format: str

    @property
    def paths(self) -> tuple[str | None, ...]:
        """All that name one file."""
        return self.events, self.record, self.perfetto, self.report

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return self.report is not None or self.plots is not None

    def check_for_trace(self) -> None:
        """Raise CouldNotRun for what there is of schedules alone."""
        for option in ("events", "record", "perfetto"):
            if getattr(self, option) is not None:
                raise CouldNotRun(
                    f"`--{option}` is about the file's schedule, and a trace is served instead of "
                    "it",
                    f"leave out `--{option}` or `--trace`",
                )
        self.check_drawable()

    def check_drawable(self) -> None:
        """Raise CouldNotRun if what draws is missing: before any work, not after."""
        if self.drawn:
            from mirc.report.page.charts import altair  # noqa: PLC0415 - where it is asked for

            altair()

    def check(self, inputs: tuple[str, ...], others: tuple[str | None, ...]) -> None:
        """Raise CouldNotRun, before any work, for what can be seen not to be writable.

        ``others`` are what the command writes besides.
        """
        for path in (*self.paths, *others):
            check_writable(path or STDOUT)
        if self.plots is not None:
            _check_folder(self.plots)
        spare_inputs((*others, *self.paths, self.plots), inputs)


def _check_folder(path: str) -> None:
    if path == STDOUT:
        raise CouldNotRun("figures are many files", "name a folder for `--plots`")
    # An empty name would be the folder that one is in.
    if not path or not Path(path).is_dir():
        if path and Path(path).exists():
            raise CouldNotRun(f"`{path}` is not a directory", "name one for the figures")
        check_writable(path)
    elif not os.access(path, os.W_OK | os.X_OK):
        raise CouldNotRun(f"no permission to write into `{path}`", "name another for `--plots`")


def recording_options(command: Command) -> Command:
    """Add the options for files to a command; ``files_of`` gathers them."""

    def gather(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        context.meta.setdefault("mirc.files", {})[parameter.name] = value
        return value

    def option(name: str, **more: Any) -> Callable[[Command], Command]:
        return click.option(name, callback=gather, expose_value=False, **more)

    for add in (
        option(
            "--plots-format",
            type=click.Choice(("svg", "png")),
            default="svg",
            show_default=True,
            help="What kind of files.",
        ),
        option("--plots", metavar="DIR", help="Write each plot of the page into a file there."),
        option(
            "--report", metavar="FILE.html", help="Write a page with plots: one file, for offline."
        ),
        option(
            "--perfetto",
            metavar="FILE",
            help="Write memories, links and steps over time for ui.perfetto.dev.",
        ),
        option(
            "--record",
            metavar="FILE",
            help="Write what was used when, for `mirc compare` and `mirc refine`.",
        ),
        option(
            "--events",
            metavar="FILE",
            help="Write every event: .parquet, .csv, or JSON lines; .gz packs. It can be large.",
        ),
    ):
        command = add(command)
    return command


def files_of(context: click.Context) -> Files:
    """Return what the options were given."""
    return Files(**context.meta["mirc.files"])


class Recorder:
    """Writes what is to be written of each run when it ends, and keeps what is to be drawn."""

    def __init__(self, files: Files, stack: ExitStack) -> None:
        # Imported here: numpy takes a while, and only a run needs it.
        from mirc.report.event_files import event_file  # noqa: PLC0415
        from mirc.report.timeline.perfetto import Trace  # noqa: PLC0415

        files.check_drawable()
        self.courses: list[Course] = []
        self.curves: dict[str, tuple[Curve, ...]] = {}
        self._files = files
        self._events = self._trace = self._record = None
        if files.events is not None:
            opened = stack.enter_context(writing(files.events))
            self._events = stack.enter_context(event_file(opened, files.events))
        if files.record is not None:
            self._record = stack.enter_context(writing(files.record))
        if files.perfetto is not None:
            self._traced = stack.enter_context(writing(files.perfetto))
            self._trace = Trace()

    def __call__(self, outcome: "Outcome", scenario: "Scenario", machine: "Machine") -> None:
        """Take a run that was recorded."""
        from mirc.observe.logs import recorded  # noqa: PLC0415 - as above
        from mirc.report.event_files import rows_of  # noqa: PLC0415
        from mirc.report.timeline.course import course  # noqa: PLC0415
        from mirc.simulate.curves import curves_of_schedule  # noqa: PLC0415
        from mirc.simulate.study import header_of  # noqa: PLC0415

        header = header_of(outcome, scenario.workload, machine)
        if self._events is not None and outcome.events is not None:
            self._events(header, outcome.events)
        if self._record is not None and outcome.events is not None:
            lines = recorded(header, rows_of(outcome.events))
            self._record.writelines(line.encode() for line in lines)
        if self._trace is not None:
            self._traced.writelines(
                self._trace.run(outcome, scenario.workload, machine, outcome.policy)
            )
        if self._files.drawn:
            self.courses.append(course(outcome, scenario.workload, machine))
            if machine.name not in self.curves:
                room = machine.near.usable_bytes
                self.curves[machine.name] = curves_of_schedule(scenario.workload, room)


@contextmanager
def recording(files: Files) -> Iterator[tuple["Watch | None", Callable[["Study"], None]]]:
    """Open the files; yield who watches the runs, if anyone, and what draws them in the end.

    The files have their names when the context ends. What draws is for later, when the report is
    out too: a page that cannot be written then takes nothing else with it.
    """
    if all(path is None for path in (*files.paths, files.plots)):
        yield None, lambda _: None
        return
    with ExitStack() as stack:
        recorder = Recorder(files, stack)
        yield recorder, lambda study: _draw(files, study, recorder)


def _draw(files: Files, study: "Study", recorder: Recorder) -> None:
    from mirc.report.page.schedule_page import page_of  # noqa: PLC0415 - altair is slow to import

    if files.drawn:
        write_document(files, page_of(study, recorder.courses, recorder.curves))


def draw_serving(files: Files, serving: "Serving", arrivals: Sequence["Request"]) -> None:
    """Draw what policies made of a trace, where that was asked for."""
    if not files.drawn:
        return
    from mirc.report.page.serving_page import page_of  # noqa: PLC0415 - as above
    from mirc.simulate.curves import curve_of_requests  # noqa: PLC0415
    from mirc.simulate.serving.prefix_trace import asked_by  # noqa: PLC0415

    asked = asked_by(arrivals)
    curves = {
        served.machine: (curve_of_requests(asked, served.caches.block_bytes),)
        for served in serving.machines
    }
    write_document(files, page_of(serving, curves))


def write_document(files: Files, document: "Document") -> None:
    """Write a page and its plots where they were asked for."""
    from mirc.report.page.document import as_html  # noqa: PLC0415 - as above
    from mirc.report.page.figures import figures  # noqa: PLC0415

    if files.report is not None:
        write_text(files.report, as_html(document, version=mirc.__version__))
    if files.plots is not None:
        folder = Path(files.plots)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CouldNotRun(
                f"cannot make the folder `{folder}`: {reason}", "name another for `--plots`"
            ) from error
        for name, content in figures(document, files.plots_format):
            write_bytes(str(folder / name), content)
