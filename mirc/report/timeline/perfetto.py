"""Recorded runs into a trace that ui.perfetto.dev opens: memories, links and steps.

Every run is a process. Its tracks are the schedule's iterations, its steps with what each waited
for, for each link a track a class of transfer, and for each memory a counter a class of object.
Perfetto counts whole nanoseconds: a slice begins and ends at the nearest, and says in its arguments
how many picoseconds the link was busy; those add up to ``busy_ps`` of the report.
"""

from collections.abc import Iterator
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.kernels.events import Kind
from mirc.machine import Machine
from mirc.report.timeline.occupancy import WORKING, changes
from mirc.report.timeline.service import PRIORITIES, slices
from mirc.simulate.census import CLASS_ORDER
from mirc.simulate.model import Outcome, Workload

if TYPE_CHECKING:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket

_PS_PER_NS = 1000
_TRACE_PACKET = b"\x0a"  # field 1 of Trace, with a length before each
_STALLS = ("demand", "late", "queue", "remaking")


class Trace:
    """Packets of one trace, run after run; a run's tracks are numbered after those before it."""

    def __init__(self) -> None:
        try:
            from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # noqa: PLC0415
        except ImportError as error:
            raise CouldNotRun(
                "a Perfetto trace needs the package perfetto", "pip install 'mirc[report]'"
            ) from error
        self._proto: Any = perfetto_trace_pb2
        self._uuids = count(1)
        self._pids = count(1)
        self._names: dict[tuple[str, str], int] = {}

    def run(
        self, outcome: Outcome, workload: Workload, machine: Machine, label: str
    ) -> Iterator[bytes]:
        """Yield the packets of a run that was recorded, ready to be written one after another."""
        for packet in self._packets(outcome, workload, machine, label):
            body = packet.SerializeToString(deterministic=True)
            yield _TRACE_PACKET + _varint(len(body)) + body

    def _packets(
        self, outcome: Outcome, workload: Workload, machine: Machine, label: str
    ) -> Iterator["TracePacket"]:
        process = next(self._uuids)
        packet, track = self._descriptor(process)
        track.process.pid = next(self._pids)
        track.process.process_name = f"{machine.name}: {label}"
        if process == 1:
            packet.sequence_flags = packet.SEQ_INCREMENTAL_STATE_CLEARED
        yield packet
        yield from self._steps(outcome, workload, process)
        yield from self._links(outcome, workload, machine, process)
        yield from self._memories(outcome, workload, process)

    def _descriptor(self, uuid: int, parent: int = 0, name: str = "") -> tuple[Any, Any]:
        packet = self._proto.TracePacket()
        packet.trusted_packet_sequence_id = 1
        track = packet.track_descriptor
        track.uuid = uuid
        if parent:
            track.parent_uuid, track.name = parent, name
        return packet, track

    def _event(self, time_ps: int, uuid: int, kind: int) -> tuple[Any, Any]:
        packet = self._proto.TracePacket()
        packet.timestamp = round(time_ps / _PS_PER_NS)
        packet.trusted_packet_sequence_id = 1
        packet.sequence_flags = packet.SEQ_NEEDS_INCREMENTAL_STATE
        packet.track_event.type = kind
        packet.track_event.track_uuid = uuid
        return packet, packet.track_event

    def _interned(self, packet: Any, kind: str, name: str) -> int:
        """Return the number of a name, which is written where it comes first."""
        number = self._names.get((kind, name))
        if number is None:
            number = self._names[kind, name] = len(self._names) + 1
            entry = getattr(packet.interned_data, kind).add()
            entry.iid, entry.name = number, name
        return number

    def _slice(
        self, uuid: int, start_ps: int, end_ps: int, name: str, **said: Any
    ) -> Iterator[Any]:
        kinds = self._proto.TrackEvent
        packet, event = self._event(start_ps, uuid, kinds.TYPE_SLICE_BEGIN)
        event.name_iid = self._interned(packet, "event_names", name)
        for key, value in said.items():
            note = event.debug_annotations.add()
            note.name_iid = self._interned(packet, "debug_annotation_names", key)
            if isinstance(value, str):
                note.string_value = value
            else:
                note.int_value = value
        yield packet
        yield self._event(end_ps, uuid, kinds.TYPE_SLICE_END)[0]

    def _steps(self, outcome: Outcome, workload: Workload, process: int) -> Iterator[Any]:
        begins = step_starts(outcome)
        rounds, steps = next(self._uuids), next(self._uuids)
        yield self._descriptor(rounds, process, "iterations")[0]
        bounds = workload.iteration_ptr.tolist()
        ends = [*begins.tolist(), outcome.end_ps]
        for number, (first, last) in enumerate(pairwise(bounds)):
            yield from self._slice(rounds, ends[first], ends[last], f"iteration {number}")
        yield self._descriptor(steps, process, "steps")[0]
        stalls = [
            each.tolist()
            for each in (
                outcome.stall_demand_ps,
                outcome.stall_late_ps,
                outcome.stall_queue_ps,
                outcome.stall_remake_ps,
            )
        ]
        names = workload.phase_names
        for step, start in enumerate(begins.tolist()):
            phase = int(workload.step_phase[step])
            name = f"{names[phase] if names else phase}[{int(workload.step_position[step])}]"
            waits = {f"{word}_stall_ps": stalls[n][step] for n, word in enumerate(_STALLS)}
            computing = int(outcome.compute_ps[step])
            end = start + int(outcome.step_ps[step])
            said = {key: value for key, value in waits.items() if value}
            begin, *inner, close = (
                *self._slice(steps, start, end, name, step=step, compute_ps=computing, **said),
            )
            if said:
                inner = [*self._slice(steps, start, end - computing, "waits", **said)]
            yield begin
            yield from inner
            yield close

    def _links(
        self, outcome: Outcome, workload: Workload, machine: Machine, process: int
    ) -> Iterator[Any]:
        tracks: dict[tuple[int, int], int] = {}
        groups: dict[int, int] = {}
        for piece in slices(outcome, machine):
            link = outcome.links[piece.link]
            if piece.link not in groups:
                groups[piece.link] = next(self._uuids)
                name = f"link {link.name}: {link.source} to {link.target}"
                yield self._descriptor(groups[piece.link], process, name)[0]
            key = (piece.link, piece.priority)
            if key not in tracks:
                tracks[key] = next(self._uuids)
                name = PRIORITIES[piece.priority]
                yield self._descriptor(tracks[key], groups[piece.link], name)[0]
            yield from self._slice(
                tracks[key],
                piece.start_ps,
                piece.end_ps,
                workload.names[piece.object],
                link=link.name,
                busy_ps=piece.end_ps - piece.start_ps,
                bytes=piece.bytes,
                transfer=piece.number,
            )

    def _memories(self, outcome: Outcome, workload: Workload, process: int) -> Iterator[Any]:
        assert outcome.events is not None  # noqa: S101 - only a recorded run gets here
        found = changes(outcome.events, workload.klass)
        names = tuple(outcome.peak_bytes)
        for memory, klass in sorted(
            {*zip(found.memory.tolist(), found.klass.tolist(), strict=True)}
        ):
            uuid = next(self._uuids)
            what = "working space" if klass == WORKING else CLASS_ORDER[klass].value
            packet, track = self._descriptor(uuid, process, f"{names[memory]}: {what}")
            track.counter.unit = self._proto.CounterDescriptor.UNIT_SIZE_BYTES
            yield packet
            own = (found.memory == memory) & (found.klass == klass)
            held = np.cumsum(found.bytes[own])
            times = found.time_ps[own]
            last = np.flatnonzero(np.append(times[1:] != times[:-1], [True] * bool(len(times))))
            for place in last.tolist():
                kind = self._proto.TrackEvent.TYPE_COUNTER
                packet, event = self._event(int(times[place]), uuid, kind)
                event.counter_value = int(held[place])
                yield packet


def step_starts(outcome: Outcome) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return when each step began [S], in picoseconds, of a run that was recorded."""
    assert outcome.events is not None  # noqa: S101 - as above
    starts = outcome.events[outcome.events["kind"] == Kind.STEP]["time_ps"]
    return np.asarray(starts, dtype=np.int64)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
