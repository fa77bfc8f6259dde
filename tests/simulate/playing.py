"""A drawn world that is played step by step under the eyes of a watch, and how it ends."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import cast

import attrs
import numpy as np

from mirc.claims import Ledger
from mirc.controller.signals import Course, Raised, SignalStage
from mirc.controller.stage import Happening, Stage
from mirc.kernels import world as k
from mirc.kernels.events import HOME_EVENT, PLACED
from mirc.kernels.ranks import lowest_from
from mirc.kernels.world import NEVER, World
from mirc.simulate import failing
from mirc.simulate.claims import Beside, ClaimStage
from mirc.simulate.engine import Played, play_on
from mirc.simulate.faults import Fault, FaultKind, FaultStage, Targets
from mirc.simulate.ladders import physics
from mirc.simulate.loop import Script, play
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.precision import Aim, PrecisionStage
from mirc.simulate.setup import stage
from tests.simulate.checker import Checker, Event
from tests.simulate.deployment import EVENTS, PHASES, SIGNAL, Deployment, deployment
from tests.simulate.residency import of_log, of_world
from tests.simulate.scenes import Step, workload
from tests.simulate.watch import Rules, Watch

STEPS = 72  # of one world; then another is drawn
QUIET_PS = 1 << 40  # a second: longer than anything takes that is under way


@attrs.define
class Heard:
    """A stage, and where in the log it said each of its rows and was done."""

    inner: Stage
    world: World
    notes: list[tuple[int, Happening | str]]

    @property
    def name(self) -> str:
        return self.inner.name

    def due(self, step: int) -> int:
        return self.inner.due(step)

    def act(self, w: World, step: int) -> Iterator[Happening]:
        for row in self.inner.act(w, step):
            self.notes.append((int(w.run[k.LOGGED]), row))
            yield row
        self.notes.append((int(w.run[k.LOGGED]), self.name))


class Playing:
    """One world under one policy, and the watch over it."""

    def __init__(self, seed: int, policy: str) -> None:
        dice = Random(seed)  # noqa: S311 - rolled, not kept secret
        self.drawn = drawn = deployment(dice, policy)
        blank = [Step(phase=step % PHASES) for step in range(STEPS)]
        load = workload(drawn.sizes, drawn.made, blank)
        classes = np.array([dice.randrange(3) for _ in drawn.sizes], dtype=np.int8)
        load = attrs.evolve(load, klass=classes)
        self.scene = stage(
            load,
            drawn.known,
            drawn.machine,
            POLICIES[policy],
            settings=Settings(chunk_bytes=16),
            most_events=8192,
        )
        self.scene = attrs.evolve(self.scene, script=_blank_script(drawn, self.scene.script))
        self.world = self.scene.world
        self.names = self.scene.topology.names
        self.links = self.scene.topology.link_names
        self.played = Played(homes=self.world.obj[k.HOME].copy())
        self.operations = 0
        self.phase = dice.randrange(PHASES)
        self.position = 0
        self.stuck = False
        self.log: list[tuple[int, ...]] = []
        self.notes: list[tuple[int, Happening | str]] = []
        self.stopped: set[int] = set()
        self.less: dict[str, int] = {}  # memories that a fault holds, and until which step
        self.slow: dict[str, int] = {}
        self.harm = [0] * drawn.count
        self.begins: set[int] = set()
        self.raises: dict[int, tuple[Raised, ...]] = dict.fromkeys(range(STEPS), ())
        self.phase_of = np.zeros(STEPS + PHASES, dtype=np.int64)
        self.phase_of[STEPS:] = range(PHASES)
        self.words: list[set[str]] = [
            {word for word in (*EVENTS, SIGNAL) if dice.random() < 0.5} for _ in range(PHASES)
        ]
        self.ends: dict[int, list[str]] = {}
        self.lives: dict[int, Sequence[int]] = {}
        self.stages: list[Heard] = []
        self.claims: ClaimStage | None = None
        self._listen()
        limits = [drawn.machine.memory(name).usable_bytes for name in self.names]
        rates = {
            (self.names.index(link.source), self.names.index(link.target)): link.peak_bytes_per_s
            for link in drawn.machine.links
        }
        quotas = [
            (frozenset(o for o, tenant in enumerate(drawn.whose) if tenant == number), limit)
            for number, (_, limit) in enumerate(drawn.known.quotas)
        ]
        self.watch = Watch(
            drawn=drawn,
            checker=Checker(limits, rates, drawn.fast, quotas),
            memories=self.names,
            rules=Rules(guards=drawn.guards, surge=drawn.surge, fanout=drawn.fanout),
            terms={each.name: each for each in drawn.claims},
        )
        for o, home in enumerate(self.played.homes.tolist()):
            if home != k.NONE:
                self._see((0, HOME_EVENT, o, -1, home, drawn.sizes[o], 0, PLACED, -1))

    def _listen(self) -> None:
        """Give intent its stages, in the order of a run's."""
        drawn = self.drawn
        if drawn.policy != "intent":
            return
        course = Course(
            names=drawn.known.names,
            phases=tuple(map(str, range(PHASES))),
            phase=self.phase_of,
            begins=cast("frozenset[int]", self.begins),
            raises={**self.raises, **{STEPS + p: _raised(self.words[p]) for p in range(PHASES)}},
            fanout=np.array(drawn.fanout, dtype=np.int64),
        )
        self.raises = cast("dict[int, tuple[Raised, ...]]", course.raises)
        surge = {SIGNAL: drawn.surge} if drawn.surge else {}
        stages: list[Stage] = [SignalStage(course, drawn.guards, surge)]
        if drawn.claims:
            self.claims = ClaimStage(
                drawn.claims,
                names=drawn.known.names,
                beside=_beside(drawn),
                ends=self.ends,
                lives=self.lives,
                ledger=Ledger(quotas=dict(drawn.known.quotas)),
            )
            stages.append(self.claims)
        if drawn.ladders:
            load = workload(drawn.sizes, drawn.made, [Step(phase=p) for p in range(PHASES)])
            prices = physics(drawn.ladders, load, drawn.known, drawn.machine)
            aim = Aim.SPEED if drawn.speed else Aim.FIT
            stages.append(PrecisionStage(drawn.ladders, prices, aim, interval=4))
        self.stages = [Heard(each, self.world, self.notes) for each in stages]

    @property
    def over(self) -> bool:
        """Whether nothing more can be played in this world."""
        return self.stuck or self.played.steps >= STEPS - 12

    @property
    def next(self) -> int:
        """The step that comes next."""
        return self.played.steps

    def repair(self) -> None:
        """Let all links that stand still go on."""
        for link in sorted(self.stopped):
            failing.stop(self.world, link, int(self.world.run[k.NOW]))
        self.stopped.clear()

    # How it is played.

    def _of(self, tenant: int) -> list[int]:
        return [o for o, each in enumerate(self.drawn.whose) if each == tenant]

    def _fail(self, fault: Fault, tenants: dict[str, list[int]]) -> None:
        targets = Targets(
            links=self.links,
            memories=self.names,
            objects=self.drawn.known.names,
            tenants={name: np.array(found, dtype=np.int64) for name, found in tenants.items()},
        )
        found = FaultStage([fault], targets, STEPS)
        self.stages.insert(0, Heard(found, self.world, self.notes))

    def _play(self, step: Step) -> None:
        if self.over:
            return
        self._play_on(step)

    def _play_on(self, step: Step) -> None:
        n, w, rules = self.next, self.world, self.watch.rules
        step = attrs.evolve(step, phase=self.phase, position=self.position)
        _write(self.scene.script, n, step, self.drawn.sizes)
        self.phase_of[n] = self.phase
        self.lives[n + 1] = step.retires
        if self.position == 0:
            self.begins.add(n)
        if n > 0:
            for raised in self.raises[n - 1]:
                rules.raised(raised.word, int(self.phase_of[n - 1]))
        if self.position == 0:
            rules.begins(self.phase, self.words[self.phase])
        self.position += 1
        before = len(self.played.logs)
        play_on(self.played, play, self.scene, self.stages, n + 1)
        self._follow(self.played.logs[before:], n)
        self.less = {name: until for name, until in self.less.items() if until > n}
        self.slow = {name: until for name, until in self.slow.items() if until > n}
        self.stages[:] = [each for each in self.stages if _goes_on(each, n + 1)]
        if w.run[k.FAULT] != k.FINE:
            self.stuck = True
            assert self._excused(), self._why()
        self._agree()

    def _follow(self, parts: list[k.Table], n: int) -> None:
        """Let the watch see rows and audit in the order in which they came to be."""
        rows = [tuple(row) for part in parts for row in part.tolist()]
        notes = list(self.notes)
        self.notes.clear()
        for place, row in enumerate(rows):
            while notes and notes[0][0] <= place:
                self._note(notes.pop(0)[1], n)
            self._see(row)
        for _, note in notes:
            self._note(note, n)

    def _note(self, note: Happening | str, n: int) -> None:
        if isinstance(note, str):
            self.watch.acted(note, int(self.phase_of[n]))
        else:
            self.watch.happening(note)

    def _see(self, row: tuple[int, ...]) -> None:
        self.log.append(row)
        self.watch.event(Event(*row))

    def _agree(self) -> None:
        """Compare what the log says with what the tables say."""
        w, checker = self.world, self.watch.checker
        if not self.stuck:
            checker.conserved()
        found = of_world(w)
        assert list(found.used) == [checker.used[memory] for memory in range(len(self.names))]
        for o, copy in checker.copies.items():
            if o >= 0 and o in found.places:
                place = found.places[o]
                home = k.NONE if copy.home is None else copy.home
                assert (place.near, place.home, place.dirty, place.forgotten) == (
                    copy.near,
                    home,
                    copy.dirty,
                    copy.forgotten,
                ), (o, place, copy)
        if self.drawn.known.quotas:
            for tenant in range(2):
                holds = sum(
                    int(w.obj[k.SIZE, o])
                    for o in self._of(tenant)
                    if o in found.places and found.places[o].near != "absent"
                )
                assert w.tenant[k.HOLDS, tenant] == holds

    def _excused(self) -> bool:
        """Tell whether what failed, or was promised, explains that a run has stopped."""
        w = self.world
        o = int(w.run[k.FAULT_OBJECT])
        if w.run[k.FAULT] == k.BROKEN:
            return self.harm[o] > 3
        hard = bool(self.watch.hard)
        tenant = self.drawn.whose[o] if o >= 0 else -1
        return (
            bool(self.stopped)
            or bool(self.less)
            or not self.drawn.amply
            or (hard and (any(self.drawn.guards) or bool(self.drawn.surge)))
            or (tenant >= 0 and any(self.drawn.whose[each] == tenant for each in self.watch.hard))
        )

    def _why(self) -> str:
        w = self.world
        fault, o = int(w.run[k.FAULT]), int(w.run[k.FAULT_OBJECT])
        return f"stopped by {fault} for {o} in step {self.next}, and nothing explains it"

    # How it ends.

    def finish(self) -> None:
        """Replay the log; then end all lives and find every account at zero."""
        memories = len(self.names)
        assert of_log(self.log, memories).digest == of_world(self.world).digest
        if self.stuck:
            return
        self.repair()
        everything = list(range(self.drawn.count))
        self.watch.gone |= set(everything)
        fault = Fault(kind=FaultKind.END, target="all", step=self.next)
        self._fail(fault, {"all": everything})
        for _ in range(10):
            if not self.stuck:
                self._play_on(Step(compute_ps=QUIET_PS))
        w = self.world
        if w.run[k.FAULT] == k.BROKEN:
            return
        assert not self.stuck, self._why()
        assert not w.mem[[k.USED, k.HOME_BYTES]].any(), w.mem
        assert not w.tenant[[k.HOLDS, k.PARTING]].any(), w.tenant
        assert not w.srv[[k.OUTSTANDING, *range(k.BACKLOG, k.SERVER_ROWS)]].any(), w.srv
        assert (w.srv[k.ACTIVE] == k.NONE).all()
        ends = [k.AHEAD_BYTES, k.LEAVING_BYTES, k.STREAM_BYTES, k.TRANSIENT]
        assert not w.run[ends].any(), w.run[ends]
        assert not w.obj[[k.HELD, k.OFFERED, k.AHEAD, k.DOOMED, k.WRITING]].any()
        assert lowest_from(w.bits, 0) == k.NONE
        assert lowest_from(w.loose, 0) == k.NONE
        assert all(lowest_from(own, 0) == k.NONE for own in w.own)
        assert of_world(w).digest == of_log(self.log, memories).digest


def _goes_on(each: Heard, step: int) -> bool:
    return not isinstance(each.inner, FaultStage) or each.due(step) != NEVER


def _raised(words: set[str]) -> tuple[Raised, ...]:
    return tuple(Raised(word) for word in sorted(words))


def _beside(drawn: Deployment) -> Beside:
    pairs = [
        (number, o)
        for number, step in enumerate(drawn.repertoire)
        for o in sorted({*step.reads, *step.writes, *step.creates})
    ]
    return Beside(
        step=np.array([number for number, _ in pairs], dtype=np.int64),
        object=np.array([o for _, o in pairs], dtype=np.int64),
        size_bytes=np.array(drawn.sizes, dtype=np.int64),
        transient_bytes=np.array([s.transient for s in drawn.repertoire], dtype=np.int64),
    )


def _blank_script(drawn: Deployment, script: Script) -> Script:
    most = max(len({*s.reads, *s.writes, *s.creates}) for s in drawn.repertoire)
    return script._replace(
        steps=np.zeros((8, STEPS + 1), dtype=np.int64),
        accesses=np.full((4, STEPS * max(1, most)), NEVER, dtype=np.int64),
        retired=np.zeros(STEPS * drawn.count, dtype=np.int64),
    )


def _write(script: Script, n: int, step: Step, sizes: list[int]) -> None:
    """Append a step to a script."""
    table = script.steps
    uses = [*((o, 0) for o in step.reads), *((o, 1) for o in step.writes)]
    uses += [(o, 2) for o in step.creates]
    table[[0, 1, 2, 3, 6, 7], n] = (
        step.phase,
        step.position,
        step.compute_ps,
        step.transient,
        step.compute_ps,
        step.compute_ps,
    )
    at, end = int(table[4, n]), int(table[4, n]) + len(uses)
    script.accesses[0, at:end] = [o for o, _ in uses]
    script.accesses[1, at:end] = [kind for _, kind in uses]
    script.accesses[2, at:end] = [sizes[o] for o, _ in uses]
    begin = int(table[5, n])
    script.retired[begin : begin + len(step.retires)] = step.retires
    table[4, n + 1], table[5, n + 1] = end, begin + len(step.retires)
