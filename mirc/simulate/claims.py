"""The claims of a file into a stage that asks for them at load and holds a run to them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs
import numpy as np

from mirc.claims import HARD, Block, Event, Kind, Ledger, Pool, State, Terms
from mirc.claims.ledger import turn
from mirc.controller.descriptors import GUARDED
from mirc.controller.stage import Happening
from mirc.diagnostics.words import counted
from mirc.ir import families_of
from mirc.ir.meaning import Applied, Condition
from mirc.ir.resolve import read
from mirc.ir.values import Time
from mirc.kernels import world as k
from mirc.kernels.offers import hold_fast, let_loose, rerank
from mirc.kernels.world import NEVER, World
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.model import Workload
from mirc.simulate.workload import Scenario

BROKEN = "broken"
MOST_NAMED = 3
"""Names of what is in a claim's way that a report tells; the others are counted."""

_PS_PER_US = 1_000_000
_OF_BLOCKS = (Kind.LOST, Kind.DEMOTED)
_IN_FORCE = (State.ACCEPTED, State.CLIPPED, State.MATERIALIZED, State.DEMOTED)


@attrs.frozen(kw_only=True, eq=False)
class Beside:
    """The steps of a run as admission at load sees them: what each must have near at once.

    ``step`` and ``object`` list each object once for each step that uses it.
    """

    step: np.ndarray[tuple[int], np.dtype[np.int64]]
    object: np.ndarray[tuple[int], np.dtype[np.int64]]
    size_bytes: np.ndarray[tuple[int], np.dtype[np.int64]]  # [n]
    transient_bytes: np.ndarray[tuple[int], np.dtype[np.int64]]  # [S]

    def most(self, besides: set[int]) -> int:
        """Return the most bytes that a step needs, without what is there ``besides``: O(uses)."""
        sizes = self.size_bytes.copy()
        sizes[list(besides)] = 0
        # Sums of whole numbers below 2 ** 53 are exact in floating point.
        steps = np.bincount(self.step, sizes[self.object], minlength=len(self.transient_bytes))
        return int((steps + self.transient_bytes).max(initial=0))


class ClaimStage:
    """Asks for the claims at load; keeps what is claimed hard; says what soft claims lose.

    A soft claim's objects leave last, the weaker claim's first. The clock of the ledger is the
    simulated time. What happened to an object within a step is noticed before the next.
    """

    name = "claims"

    def __init__(
        self,
        claims: Sequence[Terms],
        *,
        names: Sequence[str],
        beside: Beside,
        ends: Mapping[int, Sequence[str]],
        lives: Mapping[int, Collection[int]],
        ledger: Ledger,
    ) -> None:
        """Take the claims, whose blocks are object ids.

        Before a step, ``ends`` are the events that were raised since the last one, ``lives`` the
        objects whose lives ended with it.
        """
        self.ledger = ledger
        self._claims = sorted(claims, key=turn)
        self._names, self._beside, self._ends, self._lives = names, beside, ends, lives
        self._covers = {
            each.name: tuple(names[int(block.key)] for block in each.blocks) for each in claims
        }
        objects = sorted({int(block.key) for each in claims for block in each.blocks})
        self._objects = np.array(objects, dtype=np.int64)
        self._strengths: dict[int, list[int]] = {}  # of softly claimed objects, before the claim
        self._there = np.zeros(len(objects), dtype=np.bool_)
        self._heard = 0

    def due(self, step: int) -> int:
        """Return each step, as long as a claim stands or something happened to one since."""
        standing = any(state in _IN_FORCE for state in self.ledger.states.values())
        return step if standing or step == 0 or len(self.ledger.log) > self._heard else NEVER

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Look at what came, left and ended; then keep and let go as the ledger says."""
        self.ledger.advance(int(w.run[k.NOW]))
        if step == 0:
            for terms in self._claims:
                self.ledger.request([terms], self._pool(w, terms))
        for word in self._ends.get(step, ()):
            self.ledger.signal(word)
        yield from self._look(w, self._lives.get(step, ()))
        if len(self.ledger.log) > self._heard:
            self._keep(w)
        for event in self.ledger.log[self._heard :]:
            if event.claim:
                yield self._row(w, event)
        self._heard = len(self.ledger.log)

    def _pool(self, w: World, terms: Terms) -> Pool:
        """Describe near memory at load; what is kept for another reason must be held."""
        own = {int(block.key) for block in terms.blocks}
        objects = self._objects.tolist()
        claimed = {o for o in objects if self.ledger.standing(o).strength == HARD}
        kept = set(np.flatnonzero(w.obj[k.KEEP] & ~k.BY_CLAIM).tolist()) - claimed - own
        sizes = self._beside.size_bytes
        return Pool(
            capacity=int(w.mem[k.CAPACITY, k.NEAR]),
            must_hold=sum(int(sizes[o]) for o in kept),
            min_active=self._beside.most(kept | claimed | own),
            holding=tuple((self._names[o], int(sizes[o])) for o in sorted(kept)),
        )

    def _look(self, w: World, ended: Collection[int]) -> Iterator[Happening]:
        """Tell the ledger which claimed objects came, left, and ended."""
        near = w.obj[k.STATE, self._objects] == k.RESIDENT
        changed = near != self._there
        self._there = near
        for place in np.flatnonzero(changed).tolist():
            o = int(self._objects[place])
            if near[place]:
                self.ledger.placed(Block(o, int(self._beside.size_bytes[o])))
            elif o in ended or self._over(w, o):
                self.ledger.retired(o)
            else:
                yield from self._left(w, o)
        for place in np.flatnonzero(w.obj[k.GONE, self._objects]).tolist():
            self.ledger.retired(int(self._objects[place]))

    def _over(self, w: World, o: int) -> bool:
        nowhere = w.obj[k.HOME, o] == k.NONE and not w.obj[k.FORGOTTEN, o]
        return bool(w.obj[k.GONE, o] or w.obj[k.DOOMED, o] or nowhere)

    def _left(self, w: World, o: int) -> Iterator[Happening]:
        home = int(w.obj[k.HOME, o])
        taker = int(w.obj[k.LEFT_FOR, o])
        for_whom = "" if taker == k.NONE else self._names[taker]
        blocking = self.ledger.leave(o, for_whom, "" if home == k.NONE else "a memory below")
        for claim in blocking:
            row = self._happening(w, BROKEN, claim, for_whom)
            yield attrs.evolve(row, object=self._names[o], detail="claimed hard, and left")

    def _keep(self, w: World) -> None:
        """Hold what is claimed hard, and let what is claimed softly leave last."""
        changed = False
        for o in self._objects.tolist():
            strength = self.ledger.standing(o).strength
            if strength == HARD:
                if not w.obj[k.KEEP, o] & k.BY_CLAIM:
                    hold_fast(w, o, k.BY_CLAIM)
            elif w.obj[k.KEEP, o] & k.BY_CLAIM:
                let_loose(w, o, k.BY_CLAIM)
            if 0 <= strength < HARD and o not in self._strengths:
                self._strengths[o] = w.strength[:, o].tolist()
                w.strength[:, o] = np.maximum(w.strength[:, o], GUARDED)
                changed = True
            elif not 0 <= strength < HARD and o in self._strengths:
                w.strength[:, o] = self._strengths.pop(o)
                changed = True
        if changed:
            self._rank(w)

    def _rank(self, w: World) -> None:
        """Rank by strength again, what is claimed softly by its claim's priority: O(n log n)."""
        count = w.rank.shape[1]
        firmness = np.zeros(count, dtype=np.int64)
        order = sorted(self._strengths, key=self.ledger.standing)
        firmness[order] = np.arange(1, len(order) + 1)
        for phase in range(w.rank.shape[0]):
            ranked = np.lexsort((w.rank[phase], firmness, w.strength[phase]))
            w.ranked[phase] = ranked
            w.rank[phase, ranked] = np.arange(count)
        if w.run[k.PHASE] != k.NONE:
            rerank(w)

    def _row(self, w: World, event: Event) -> Happening:
        """Return the audit row of an event of a claim, whose name is its outcome."""
        size = sum(block.size for block in event.blocks)
        words = [f"{counted(len(event.blocks), 'object')}, {size:_} bytes"] if size else []
        row = self._happening(w, str(event.kind).lower(), event.claim, event.for_whom)
        if event.kind in _OF_BLOCKS:
            row = attrs.evolve(row, object=self._names[int(event.blocks[0].key)])
        else:
            row = attrs.evolve(row, covers=self._covers[event.claim])
        return attrs.evolve(row, detail=", ".join([*_why(event), *words]))

    def _happening(self, w: World, what: str, claim: str, for_whom: str) -> Happening:
        return Happening(
            time_ps=int(w.run[k.NOW]),
            step=int(w.run[k.STEP]),
            actor=self.name,
            what=what,
            outcome=claim,
            for_whom=for_whom,
        )


def claim_stage(
    packed: Packed, scenario: Scenario, machine: Machine, plan: str | None
) -> ClaimStage | None:
    """Return the stage, or None for a file without a claim on something that the run has.

    A claim covers the objects that it lists and those that say ``claimed_by``, templates by their
    instances, in order; ``blocks`` limits their number. Directives are by token, and an object has
    none: the priority of the claim holds for all of it. A ``WHILE_`` condition is not followed.
    """
    workload = scenario.workload
    claims = [
        terms
        for name in packed.claims
        if (terms := _terms(packed, name, workload, plan)) is not None
    ]
    if not claims:
        return None
    quotas = {
        name: quota
        for name, tenant in packed.tenants.items()
        if (quota := read(tenant, "quota_bytes")) is not None
    }
    ends = {step + 1: [event.word for event in events] for step, events in scenario.raises.items()}
    return ClaimStage(
        claims,
        names=workload.names,
        beside=_beside(workload),
        ends=ends,
        lives=_lives(workload, claims),
        ledger=Ledger(tier=str(machine.near.kind), quotas=quotas),
    )


def _terms(packed: Packed, name: str, workload: Workload, plan: str | None) -> Terms | None:
    claim = packed.claims[name]
    blocks = tuple(_covered(packed, name, workload, plan))[: read(claim, "blocks")]
    if not blocks:
        return None
    until, binds = read(claim, "until"), read(claim, "materialized")
    times = [each.picoseconds for each in (until,) if isinstance(each, Time)]
    retain = read(claim, "retain_us")
    times += [] if retain is None else [round(retain * _PS_PER_US)]
    events = [until.word] if isinstance(until, Applied) else []
    events += [binds.word] if isinstance(binds, Condition) and binds.until else []
    return Terms(
        name=name,
        holder=read(claim, "holder"),
        blocks=blocks,
        guarantee=read(claim, "guarantee"),
        on_loss=read(claim, "on_loss"),
        tenant=read(claim, "tenant_id"),
        priority=read(claim, "priority"),
        lasts=max(1, min(times)) if times else None,
        until=events[0] if events else None,
        revision=read(claim, "revision"),
        tiers=tuple(map(str, read(claim, "tiers"))),
    )


def _covered(packed: Packed, claim: str, workload: Workload, plan: str | None) -> Iterator[Block]:
    view = PackedView(packed, plan=plan)
    listed = set(read(packed.claims[claim], "objects") or ())
    wanted: dict[str, bool] = {}
    for o, name in enumerate(workload.names):
        owner = name if name in packed.data else name[: name.rindex("(")]
        if owner not in wanted:
            named = any(each in listed for each in (owner, *families_of(owner)))
            wanted[owner] = named or view.value(owner, "claimed_by") == claim
        if wanted[owner] and workload.size_bytes[o] > 0:
            yield Block(o, int(workload.size_bytes[o]))


def _lives(workload: Workload, claims: Sequence[Terms]) -> dict[int, set[int]]:
    """Return which claimed objects' lives have ended with the step before, by step."""
    claimed = {int(block.key) for each in claims for block in each.blocks}
    places = np.flatnonzero(np.isin(workload.retire_object, sorted(claimed)))
    steps = np.searchsorted(workload.retire_ptr, places, side="right")
    found: dict[int, set[int]] = {}
    for step, o in zip(steps.tolist(), workload.retire_object[places].tolist(), strict=True):
        found.setdefault(step, set()).add(o)
    return found


def _beside(workload: Workload) -> Beside:
    steps = np.repeat(np.arange(workload.step_count), np.diff(workload.access_ptr))
    pairs = np.unique(steps * workload.object_count + workload.access_object)
    return Beside(
        step=pairs // workload.object_count,
        object=pairs % workload.object_count,
        size_bytes=workload.size_bytes,
        transient_bytes=workload.transient_bytes,
    )


def _why(event: Event) -> Iterator[str]:
    """Yield the reason of an event, what is in the way, and how much is missing."""
    if not event.reason:
        return
    named = [f"`{name}`" for name in event.blockers[:MOST_NAMED]]
    more = len(event.blockers) - len(named)
    named += [f"{more:,} more"] if more else []
    way = f"{' and '.join(named)} {'are' if len(event.blockers) > 1 else 'is'} in the way"
    short = f"{event.short:_} bytes short"
    said = [*([way] if named else []), *([short] if event.short else [])]
    yield f"{event.reason}: {', '.join(said)}" if said else str(event.reason)


def broken_claims(happenings: Sequence[Happening]) -> tuple[str, ...]:
    """Name each object that left near memory though it was claimed hard."""
    return tuple(
        f"`{each.object}`, which the claim `{each.outcome}` holds, left near memory before "
        f"step {each.step}"
        for each in happenings
        if each.actor == ClaimStage.name and each.what == BROKEN
    )
