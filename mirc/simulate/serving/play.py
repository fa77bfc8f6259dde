"""Turns of conversations and a clock into what one policy makes of them, batch by batch."""

from collections import Counter
from collections.abc import Callable, Sequence

import attrs

from mirc.controller.kv.batch import Slice
from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.events import KvEvent, What
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.sequences import Phase
from mirc.controller.kv.sequences import Sequence as Live
from mirc.controller.kv.stretch import decode, decoding, quiet_steps
from mirc.simulate.serving.arrivals import AS_PER_MS, Arrivals
from mirc.simulate.serving.cost import Cost, steps_until, total_as
from mirc.simulate.serving.swapping import Swapping
from mirc.simulate.serving.timing import Clocked, Sample
from mirc.simulate.serving.tools import Tools
from mirc.simulate.serving.turns import Turn

TICK_AS = 10**12  # a tick of the controller's clock is a microsecond
_STRETCH = 256  # requests between two words about progress


class Heard:
    """The controller's log: it counts, and notes what the clock must know of."""

    def __init__(self) -> None:
        self.counts: Counter[What] = Counter()
        self.inward = 0  # bytes that came back from below since they were last asked for
        self.outward = 0
        self.admitted: Callable[[str], None] = lambda _: None
        self.put_off: Callable[[str], None] = lambda _: None
        self.closed: Callable[[str, What], None] = lambda *_: None

    def append(self, event: KvEvent, /) -> None:
        """Take a row."""
        what = event.what
        self.counts[what] += 1
        if what is What.SWAPPED_IN:
            self.inward += event.amount
        elif what is What.SWAPPED_OUT:
            self.outward += event.amount
        elif what is What.ADMITTED:
            self.admitted(event.name)
        elif what is What.PREEMPTED:
            self.put_off(event.name)
        elif what is What.ENDED or what is What.REFUSED:
            self.closed(event.name, what)


@attrs.define
class _Asked:
    """A turn in the system.

    ``owes`` are the tokens still to store once it is answered; None before its first token.
    """

    number: int
    turn: Turn
    live: Live | None = None
    owes: int | None = None
    answered: bool = False


class Play:
    """One policy over the turns of a trace; times are attoseconds.

    A batch takes what ``cost`` says, and is over when what it moves to or from host memory has
    landed. A turn's first token comes with the batch that computes the last of its prompt; each
    further one with a batch that stores the token before. ``most`` quiet steps are done at once.
    """

    def __init__(  # noqa: PLR0917 - one call, and each is a thing of its own
        self,
        orchestrator: Orchestrator,
        heard: Heard,
        talk: Conversations,
        turns: Sequence[Turn],
        arrivals: Arrivals,
        cost: Cost,
        swapping: Swapping,
        *,
        tools: Tools,
        begun: Callable[[int, bool], None] = lambda *_: None,
        most: int = 1 << 30,
    ) -> None:
        self.clocked = Clocked(len(turns))
        self.steps = 0
        self._served = orchestrator
        self._heard = heard
        self._talk = talk
        self._turns = turns
        self._arrivals = arrivals
        self._cost = cost
        self._swapping = swapping
        self._tools = tools
        self._begun = begun
        self._most = most
        self._now = 0
        self._open = 0  # turns that have come and are not answered
        self._asked: dict[str, _Asked] = {}
        self._landing: dict[str, int] = {}
        heard.admitted, heard.put_off, heard.closed = self._admitted, self._put_off, self._closed

    def run(self, tell: Callable[[str], None]) -> None:
        """Serve all turns, and let the last one end."""
        floor = self._served.floor
        come = 0
        while True:
            while (found := self._arrivals.take(self._now, queued=bool(floor.queue))) is not None:
                self._send(*found)
                if come % _STRETCH == 0:
                    tell(f"{come:,} of {len(self._turns):,} requests")
                come += 1
            if floor.queue or floor.running:
                self._step()
                continue
            at = self._arrivals.next_at()
            if at is None:
                return
            self._wait(max(self._now, at))

    # ── Turns ───────────────────────────────────────────────────

    def _send(self, number: int, at: int) -> None:
        """Send a turn with the signals before it."""
        turn, session = self._turns[number], self._turns[number].request.session
        self.clocked.arrival[number] = at
        self.clocked.area += self._now - at
        self._open += 1
        asked = self._asked[turn.request.name] = _Asked(number, turn)
        if turn.keeps is not None:
            self._talk.compact(session, turn.keeps)
        if turn.resumes:
            self._tools.answers(session)
            self._talk.resume(session)
        self._talk.request(turn.request)
        asked.live = self._served.floor.sequences.get(turn.request.name)

    def _answered(self, asked: _Asked, at: int) -> None:
        """Let a turn have its last token; its client knows now what comes next."""
        turn, number = asked.turn, asked.number
        asked.answered = True
        self._open -= 1
        self.clocked.end[number] = at
        self.clocked.made[number] = turn.request.new_tokens
        if turn.waits_ms:
            session = turn.request.session
            takes = turn.waits_ms * AS_PER_MS // TICK_AS
            self._talk.tool_wait(session, self._tools.begins(session, takes))
        if turn.ends:
            self._talk.sequence_end(turn.request.session)
        self._arrivals.answered(number, at)

    def _admitted(self, name: str) -> None:
        """Let a sequence wait until what was swapped for it has landed."""
        self._begun(int(name), True)  # noqa: FBT003
        landed = self._swap()
        if landed > self._now:
            self._served.floor.sequences[name].loading = True
            self._landing[name] = landed

    def _put_off(self, name: str) -> None:
        self._begun(int(name), False)  # noqa: FBT003
        if self._landing.pop(name, None) is not None:
            self._served.floor.sequences[name].loading = False

    def _closed(self, name: str, what: What) -> None:
        number = int(name)
        if what is What.REFUSED:
            del self._asked[name]
            self._open -= 1
            self.clocked.area -= self._now - self.clocked.arrival[number]
            self._arrivals.answered(number, self._now)
        self._arrivals.gone(number)

    # ── Steps ───────────────────────────────────────────────────

    def _step(self) -> None:
        """Let one batch run, or as many as nothing else happens in."""
        self._served.advance(0)
        self._talk.advance()
        for name in [name for name, at in self._landing.items() if at <= self._now]:
            del self._landing[name]
            self._served.floor.sequences[name].loading = False
        quiet = min(self._most, quiet_steps(self._served))
        if quiet:
            self._stretch(quiet)
        else:
            self._batch()

    def _stretch(self, quiet: int) -> None:
        live = decoding(self._served.floor.running.values())
        contexts = [_reached(each) for each in live]
        ends = [end for each in contexts if (end := self._cost.steady(each)) is not None]
        steps = min([quiet, *ends])
        lines = self._cost.lines(contexts)
        event = self._next_event()
        if event is not None:
            steps = steps_until(lines, event - self._now, steps)
        decode(self._served, steps)
        self._pass(self._now + total_as(lines, steps), steps)
        for each in live:
            asked = self._asked[each.name]
            if each.left == asked.owes:
                self._answered(asked, self._now)

    def _batch(self) -> None:
        began = self._now
        batch = self._served.run()
        if not batch:
            event = self._next_event()
            if event is not None:  # all that run wait for what is on its way
                self._wait(event)
            return
        asked = [self._asked[part.name] for part in batch]
        parts = [
            (_reached(each.live) - part.tokens, part.tokens)
            for each, part in zip(asked, batch, strict=True)
            if each.live is not None
        ]
        self._pass(max(began + self._cost.step_as(parts), self._swap()), 1)
        for each, part in zip(asked, batch, strict=True):
            if each.live is not None and not each.live.todo and not each.answered:
                self._note(each, part, each.live.left)
            if each.live is not None and each.live.phase is Phase.ENDED:
                del self._asked[part.name]

    def _note(self, asked: _Asked, part: Slice, left: int) -> None:
        """Note the first token, and the last; a prompt that was all there makes one by decoding."""
        if asked.owes is None:
            asked.owes = int(part.phase is Phase.PREFILL)
            self.clocked.first[asked.number] = self._now
        if left <= asked.owes:
            self._answered(asked, self._now)

    def _next_event(self) -> int | None:
        """Return when something happens that is no batch's doing."""
        found = list(self._landing.values())
        arrival = self._arrivals.next_at()
        if arrival is not None:
            found.append(arrival)
        return min((at for at in found if at > self._now), default=None)

    def _swap(self) -> int:
        """Let what left and came since the last call cross the links; return when it has."""
        heard, landed = self._heard, self._now
        if heard.outward:
            landed = self._swapping.store(self._now, heard.outward)
        if heard.inward:
            landed = self._swapping.load(landed, heard.inward)
        heard.outward = heard.inward = 0
        return landed

    def _pass(self, end: int, steps: int) -> None:
        """Let batches run until a time."""
        self.steps += steps
        self.clocked.busy += end - self._now
        self._wait(end)

    def _wait(self, end: int) -> None:
        self.clocked.area += self._open * (end - self._now)
        self._now = end
        self._served.tell_time(end // TICK_AS)
        if self.clocked.wants_sample(end):
            pool, floor = self._served.pool, self._served.floor
            found = Sample(
                at_ms=end // (AS_PER_MS // 10**6) / 10**6,
                near_bytes=dict(pool.used_by),
                swap_bytes=pool.host.used if pool.host is not None else 0,
                running=len(floor.running),
                queued=len(floor.queue),
            )
            self.clocked.sample(end, found)


def _reached(live: Live) -> int:
    """Return the tokens that a sequence has computed or made."""
    request = live.request
    return request.tokens + request.new_tokens - live.left - live.todo
