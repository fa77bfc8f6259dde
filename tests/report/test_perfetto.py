"""A Perfetto trace, decoded with Perfetto's own classes, against the report of the same runs."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

from mirc.diagnostics import Source
from mirc.lint.errors import load_right
from mirc.report.json_form import as_object
from mirc.report.timeline.perfetto import Trace
from mirc.simulate.study import Options, study
from tests.cli.test_simulate import MACHINE
from tests.cli.test_simulate_precision import file as ladders
from tests.report.recorded import Recorded, recorded


def written(found: Recorded) -> bytes:
    trace = Trace()
    return b"".join(
        packet
        for outcome, scenario, machine in found.runs
        for packet in trace.run(outcome, scenario.workload, machine, outcome.policy)
    )


class Decoded:
    """Tracks with their parents, and slices with their arguments, of a trace's bytes."""

    def __init__(self, data: bytes) -> None:
        trace = proto.Trace()
        assert trace.ParseFromString(data) == len(data)
        kinds = proto.TrackEvent
        self.tracks: dict[int, Any] = {}
        self.slices: list[tuple[int, int, int, str, dict[str, int | str]]] = []
        self.counters: dict[int, list[tuple[int, int]]] = {}
        names: dict[tuple[str, int], str] = {}
        open_slices: dict[int, list[tuple[int, str, dict[str, int | str]]]] = {}
        for packet in trace.packet:
            for kind in ("event_names", "debug_annotation_names"):
                for entry in getattr(packet.interned_data, kind):
                    names[kind, entry.iid] = entry.name
            if packet.HasField("track_descriptor"):
                self.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
                continue
            event = packet.track_event
            assert event.track_uuid in self.tracks  # named before it is used
            stack = open_slices.setdefault(event.track_uuid, [])
            if event.type == kinds.TYPE_SLICE_BEGIN:
                said = {
                    names["debug_annotation_names", note.name_iid]: note.int_value
                    or note.string_value
                    for note in event.debug_annotations
                }
                stack.append((packet.timestamp, names["event_names", event.name_iid], said))
            elif event.type == kinds.TYPE_SLICE_END:
                begin, name, said = stack.pop()
                self.slices.append((event.track_uuid, begin, packet.timestamp, name, said))
            else:
                row = (packet.timestamp, event.counter_value)
                self.counters.setdefault(event.track_uuid, []).append(row)
        assert not any(open_slices.values())

    def process(self, uuid: int) -> str:
        """Return the name of the process that a track belongs to."""
        while self.tracks[uuid].parent_uuid:
            uuid = self.tracks[uuid].parent_uuid
        return str(self.tracks[uuid].process.process_name)


@pytest.fixture(scope="module")
def trace() -> Decoded:
    return Decoded(written(recorded()))


def test_the_busy_time_of_every_link_is_that_of_the_report(trace: Decoded) -> None:
    exact: Counter[tuple[str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    pieces: Counter[tuple[str, str]] = Counter()
    for uuid, begin, end, _, said in trace.slices:
        if "link" in said:
            key = (trace.process(uuid), str(said["link"]))
            exact[key] += int(said["busy_ps"] or 0)
            shown[key] += end - begin
            pieces[key] += 1
    reported = {
        (f"{comparison.machine}: {row.policy}", link.name): link.busy_ps
        for comparison in recorded().study.comparisons
        for row in comparison.runs
        for link in row.links
        if link.total_bytes
    }
    assert dict(exact) == reported
    # In whole nanoseconds each slice is off by less than one.
    assert all(abs(shown[key] * 1000 - exact[key]) <= 1000 * pieces[key] for key in exact)


@pytest.mark.parametrize("faults", [(), ("slow:up=3@40..80", "shrink:hbm=1500MB@60..100")])
def test_links_are_as_busy_as_reported_where_objects_change_their_size(
    tmp_path: Path, faults: tuple[str, ...]
) -> None:
    (tmp_path / "toy.toml").write_text(MACHINE, "utf-8")
    runs: list[tuple[Any, Any, Any]] = []
    found = study(
        load_right(Source("toy.mir", ladders(30))),
        Options(machines=(f"{tmp_path}/toy.toml",), policies="intent", faults=faults),
        watch=lambda *run: runs.append(run),
    )
    trace = Decoded(written(Recorded(found, tuple(runs))))
    shown: Counter[tuple[str, str]] = Counter()
    for uuid, _, _, _, said in trace.slices:
        if "link" in said:
            shown[trace.process(uuid), str(said["link"])] += int(said["busy_ps"] or 0)
    (machine,) = as_object(found, version="0")["machines"]
    policies = {each["policy"]: each["links"] for each in machine["policies"]}
    policies["intent + precision"] = machine["precision"]["links"]
    assert dict(shown) == {
        (f"toy: {policy}", link["name"]): link["busy_ps"]
        for policy, links in policies.items()
        for link in links
        if link["total_bytes"]
    }


def test_slices_of_a_link_do_not_overlap(trace: Decoded) -> None:
    lanes: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for uuid, begin, end, _, said in trace.slices:
        if "link" in said:
            lanes.setdefault((trace.process(uuid), str(said["link"])), []).append((begin, end))
    assert lanes
    for pieces in lanes.values():
        assert all(a[1] <= b[0] for a, b in pairwise(sorted(pieces)))


def test_steps_and_iterations_fill_the_run(trace: Decoded) -> None:
    for outcome, _, machine in recorded().runs:
        name = f"{machine.name}: {outcome.policy}"
        own = [each for each in trace.slices if trace.process(each[0]) == name]
        steps = [each for each in own if "step" in each[4] or "compute_ps" in each[4]]
        assert len(steps) == len(outcome.step_ps)
        assert sum(each[2] - each[1] for each in steps) == round(outcome.end_ps / 1000)
        assert sum(each[3].startswith("iteration ") for each in own) == 5
        waited = sum(int(each[4].get("demand_stall_ps", 0)) for each in own if each[3] == "waits")
        assert waited == int(outcome.stall_demand_ps.sum())


def test_a_counter_of_memory_peaks_where_the_report_says(trace: Decoded) -> None:
    for outcome, _, machine in recorded().runs:
        name = f"{machine.name}: {outcome.policy}"
        weights = [
            rows
            for uuid, rows in trace.counters.items()
            if trace.process(uuid) == name and trace.tracks[uuid].name == "hbm: WEIGHT_TILE"
        ]
        assert len(weights) == 1
        assert max(value for _, value in weights[0]) <= outcome.peak_bytes["hbm"]
        assert weights[0] == sorted(weights[0], key=lambda row: row[0])


def test_equal_runs_give_equal_bytes() -> None:
    assert written(recorded()) == written(recorded())
