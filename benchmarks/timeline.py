"""Claim: one run shows what each class of object goes through; the figure is drawn from its log.

Runs samples/timeline.mir on its plan's machine under intent, draws where every object is at every
time, what near memory holds and what the links carry, and prints the run's story for each object.
Exits 1 unless the events show what docs/controller.md says of the figure.

    python benchmarks/timeline.py                  # check, and print the stories
    python benchmarks/timeline.py docs/figures     # draw timeline.svg there too
"""

import sys
from pathlib import Path

import attrs
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mirc.controller.stage import Happening
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.report.stories import written
from mirc.simulate.joint import Lowering
from mirc.simulate.study import Options, Study, study
from mirc.traces.events import EventLog

SAMPLE = Path(__file__).parents[1] / "samples" / "timeline.mir"
OBJECTS = ("weights", "prefix", "expert", "temporary", "scratch", "long_tail")
PS = 1e12
# What begins and ends each state of an object's near copy.
OPENS = {"ISSUE": "coming", "CREATE": "near", "WRITE_BACK": "leaving"}
SIZED = ("ISSUE", "CREATE")
COLUMNS = ("time_ps", "kind", "object", "source", "target", "bytes")
CLOSES = ("DROP", "RETIRE", "CANCEL", "FORGET")
COLOURS = {"coming": "#b8cbe0", "near": "#3b6ea5", "leaving": "#e3a857"}
USES = {"READ": "o", "WRITE": "s"}


@attrs.frozen
class Span:
    """A state of one object between two times, in seconds."""

    object: str
    state: str
    begin: float
    end: float


@attrs.define
class Seen:
    """What the log shows: states, uses, steps, bytes near and links in use."""

    spans: list[Span] = attrs.field(factory=list)
    uses: list[tuple[str, str, float]] = attrs.field(factory=list)
    steps: list[tuple[float, str, int]] = attrs.field(factory=list)
    near: list[tuple[float, int]] = attrs.field(factory=list)
    links: list[tuple[str, float, float]] = attrs.field(factory=list)
    end: float = 0.0


def seen(log: EventLog) -> Seen:
    """Replay a log."""
    header, replay = log.header, Replay()
    places = [header.columns.index(key) for key in COLUMNS]
    for row in log.rows:
        time, kind, object_, source, target, size = (row[place] for place in places)
        replay.found.end = time / PS
        word = header.kinds[kind]
        if word == "STEP":
            replay.found.steps.append((time / PS, header.phases[object_], size))
        elif object_ >= 0:
            name = header.objects[object_]
            replay.happen(word, name, time / PS, size if word in SIZED else 0, near=target == 0)
            if word in ("START", "LAND"):
                ends = f"{header.memories[source]} to {header.memories[target]}"
                replay.cross(word, name, ends, time / PS)
    replay.close()
    return replay.found


@attrs.define
class Replay:
    """The states that objects are in, between two rows of a log."""

    found: Seen = attrs.field(factory=Seen)
    state: dict[str, tuple[str, float]] = attrs.field(factory=dict)
    size: dict[str, int] = attrs.field(factory=dict)
    crossing: dict[tuple[str, str], float] = attrs.field(factory=dict)

    def happen(self, word: str, name: str, time: float, size: int, *, near: bool) -> None:
        """Let an object enter or leave a state, or be used."""
        if word in USES:
            self.found.uses.append((name, word, time))
        opens = "near" if word == "LAND" and near else OPENS.get(word)
        before = self.state.get(name)
        out = word == "LAND" and before is not None and before[0] == "leaving"
        if before is not None and (opens or out or word in CLOSES):
            self.found.spans.append(Span(name, *self.state.pop(name), time))
            if not opens:
                del self.size[name]
        if opens:
            self.state[name] = opens, time
            self.size.setdefault(name, size)
        self.found.near.append((time, sum(self.size.values())))

    def cross(self, word: str, name: str, ends: str, time: float) -> None:
        """Let an object begin to cross a link, or have crossed it."""
        if word == "START":
            self.crossing[name, ends] = time
        else:
            self.found.links.append((ends, self.crossing.pop((name, ends)), time))

    def close(self) -> None:
        """End all states with the run."""
        self.found.near.append((self.found.end, sum(self.size.values())))
        for name, (last, since) in self.state.items():
            self.found.spans.append(Span(name, last, since, self.found.end))


def draw(found: Seen, rows: tuple[Happening, ...], usable_bytes: int, folder: Path) -> None:
    """Write ``timeline.svg``: equal runs give equal bytes."""
    rcParams.update({"svg.hashsalt": "mirc", "font.size": 9, "svg.fonttype": "none"})
    figure = Figure(figsize=(9.5, 5.6), layout="constrained")
    objects, memory, links = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [5, 2, 1.6]}
    )
    _objects(objects, found, rows)
    times, sizes = zip(*found.near, strict=True)
    memory.fill_between(times, [size / 1e9 for size in sizes], step="post", color="#3b6ea5")
    memory.axhline(usable_bytes / 1e9, color="#a33", linewidth=1)
    memory.text(0, usable_bytes / 1e9 + 0.4, "usable", color="#a33", fontsize=8)
    memory.set(ylabel="GB near", ylim=(0, usable_bytes / 1e9 * 1.25))
    ends = list(dict.fromkeys(each for each, _, _ in found.links))
    for each, begin, end in found.links:
        links.barh(ends.index(each), end - begin, left=begin, height=0.5, color="#777")
    links.set(
        yticks=range(len(ends)), yticklabels=ends, xlabel="seconds", ylim=(-0.6, len(ends) - 0.4)
    )
    for axes in (objects, memory, links):
        axes.spines[["top", "right"]].set_visible(False)
        for time, _, _ in found.steps:
            axes.axvline(time, color="#ccc", linewidth=0.6, zorder=0)
        axes.set_xlim(0, found.end * 1.01)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "timeline.svg", metadata={"Date": None})


def _objects(axes: Axes, found: Seen, rows: tuple[Happening, ...]) -> None:
    height = {name: len(OBJECTS) - place for place, name in enumerate(OBJECTS)}
    for span in found.spans:
        axes.barh(
            height[span.object],
            span.end - span.begin,
            left=span.begin,
            height=0.55,
            color=COLOURS[span.state],
        )
    for name, kind, time in found.uses:
        axes.plot(time, height[name], marker=USES[kind], color="white", markersize=4, mec="black")
    since = {row.object: row.time_ps / PS for row in rows if row.what == "protect"}
    for row in rows:
        if row.what == "release":
            y, begin = height[row.object] + 0.38, since[row.object]
            axes.plot([begin, row.time_ps / PS], [y, y], color="#a33", linewidth=2)
            axes.text(begin, y + 0.06, f"protected: {row.detail}", color="#a33", fontsize=7)
    for time, phase, position in found.steps:
        axes.text(time, len(OBJECTS) + 0.75, f" {phase} {position}", fontsize=7, color="#555")
    legend = [Patch(color=colour, label=state) for state, colour in COLOURS.items()]
    axes.legend(handles=legend, loc="lower left", ncols=3, fontsize=7, frameon=False)
    axes.set(yticks=list(height.values()), yticklabels=list(height), ylim=(0.1, len(OBJECTS) + 0.7))


def problems(found: Seen) -> list[str]:
    """Return what the documentation says of the figure and the events do not show."""
    near = {name: [span for span in found.spans if span.object == name] for name in OBJECTS}
    begins = {(phase, position): time for time, phase, position in reversed(found.steps)}
    alone = begins["alone", 0]
    last = max(begins["shared", 2], found.steps[5][0])
    claims = {
        "the weights come once and stay while they are used": sum(
            span.state == "near" for span in near["weights"]
        )
        == 1,
        "the expert is near before the step that routes to it": next(
            span.begin for span in near["expert"] if span.state == "near"
        )
        <= begins["shared", 2],
        "the prefix does not leave before `alone` begins": all(
            span.begin >= alone for span in near["prefix"] if span.state == "leaving"
        ),
        "the prefix leaves once it may": any(span.state == "leaving" for span in near["prefix"]),
        "the expert makes room for what `alone` reads": any(
            span.state == "near" and span.end >= last for span in near["expert"]
        )
        and near["expert"][-1].end < found.end,
        "temporaries end with their step and are never written back": not any(
            span.state == "leaving" for span in near["temporary"]
        ),
    }
    return [claim for claim, holds in claims.items() if not holds]


def main(folders: list[str]) -> int:
    """Print the stories, draw where asked to, and tell whether the claims hold."""
    source = Source(str(SAMPLE), SAMPLE.read_text("utf-8"))
    options = Options(policies="intent", record=True, lowering=Lowering.OFF)
    run: Study = study(load(source), options, source)
    for name in OBJECTS:
        sys.stdout.write(written(run, name, "text") + "\n")
    (comparison,), (log,) = run.comparisons, run.logs
    found = seen(log)
    for folder in folders:
        draw(found, comparison.rows[0].happenings, comparison.usable_bytes, Path(folder))
    wrong = problems(found)
    sys.stdout.write("".join(f"not so: {line}\n" for line in wrong) or "all as documented\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
