"""A small study, recorded: what the tests of pages, traces and event files look at."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from mirc.diagnostics import Source
from mirc.lint.errors import load_right
from mirc.machine import Machine
from mirc.report.page.model import Document
from mirc.report.page.schedule_page import page_of
from mirc.report.timeline.course import Course, course
from mirc.simulate.curves import curves_of_schedule
from mirc.simulate.hints import Probe
from mirc.simulate.model import Outcome
from mirc.simulate.study import Options, Study, study
from mirc.simulate.workload import Scenario
from tests.cli.test_simulate import MACHINE

# Six weights of 500 MB read in turn by each of five runs, over 2 GB of near memory, and an
# activation that each run makes. One weight is under a claim.
MIR = (
    'mir 1.0\n\nmodule toy {\n  model = "weights </script> in turn"\n'
    "  schedule = [REPEAT(5, decode)]\n}\n"
    + "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = 500_000_000 reuse = HIGH }}\n"
        for i in range(6)
    )
    + "object x { class = ACTIVATION size_bytes = 100_000_000 persistence_scope = PHASE }\n"
    + "phase decode {\n  step make { reads = [w0] writes = [x] }\n"
    + "".join(f"  step s{i} {{ reads = [w{i}, x] }}\n" for i in range(1, 6))
    + "}\n"
)


@attrs.frozen
class Recorded:
    """A study and the runs that it saw."""

    study: Study
    runs: tuple[tuple[Outcome, Scenario, Machine], ...]

    @property
    def courses(self) -> list[Course]:
        return [course(out, scenario.workload, machine) for out, scenario, machine in self.runs]

    @property
    def document(self) -> Document:
        curves = {
            machine.name: curves_of_schedule(scenario.workload, machine.near.usable_bytes)
            for _, scenario, machine in self.runs
        }
        return page_of(self.study, self.courses, curves)


@cache
def recorded() -> Recorded:
    """Two machines that differ in near memory, three policies, all probes."""
    seen: list[tuple[Outcome, Scenario, Machine]] = []
    with TemporaryDirectory() as folder:
        for name, size in (("toy", "2_000_000_000"), ("large", "2_600_000_000")):
            text = MACHINE.replace('name = "toy"', f'name = "{name}"')
            (Path(folder) / f"{name}.toml").write_text(text.replace("2_000_000_000", size), "utf-8")
        found = study(
            load_right(Source("toy.mir", MIR)),
            Options(
                machines=tuple(f"{folder}/{name}.toml" for name in ("toy", "large")),
                policies="static,lru,intent",
                probes=(Probe.CURVE, Probe.ABLATION),
            ),
            watch=lambda *run: seen.append(run),
        )
    return Recorded(found, tuple(seen))
