"""Tables of phases at one batch or two into the bytes that each step needs at any batch."""

from collections.abc import Mapping

import attrs
import numpy as np

from mirc.ir.names import families_of
from mirc.simulate.census import Census, Life
from mirc.simulate.instances import WHOLE, Pattern
from mirc.simulate.model import CREATE, Flags, Ints
from mirc.simulate.tables import PhaseTable, Route, first_places
from mirc.simulate.topology import Backing

_NO_CAP = np.iinfo(np.int64).max // 4
_MADE = (Life.RUN, Life.WINDOW, Life.LASTING)


@attrs.frozen(kw_only=True, eq=False)
class Spell:
    """One run of a phase: its sequences, and the caches of the sequences that are alive then.

    ``before`` and ``after`` are tokens of each template, of one sequence.
    """

    sequences: int
    alive: int
    before: Ints = attrs.field(repr=False)  # [T]
    after: Ints = attrs.field(repr=False)  # [T]


@attrs.frozen(kw_only=True, eq=False)
class Usage:
    """What each step of one phase needs, in bytes; all are arrays over its steps.

    ``operands`` must be near while the step runs: what it reads and writes, whole, and its inner
    peak; routed reads count the most experts that its tokens can be sent to, the largest first.
    ``used`` is what of them the run has made, cache blocks among it; ``alive`` is everything made
    that exists then; ``passing`` what comes from below for this run and is still to be used;
    ``kept`` what may not leave, besides the step's own operands.
    """

    operands: Ints
    used: Ints
    alive: Ints
    passing: Ints
    kept: Ints
    transient: Ints


@attrs.frozen(kw_only=True, eq=False)
class PhaseDemand:
    """One phase: its table, the lives of what is not a master (object, first and last step)."""

    table: PhaseTable
    lives: tuple[Ints, Ints, Ints]
    experts: tuple[tuple[int, int, Ints], ...]  # position, chosen, bytes of the n largest
    used: Flags  # [n], what it or a phase of the same schedule uses


@attrs.frozen(kw_only=True, eq=False)
class Demand:
    """Objects with sizes that are affine in the batch, and the phases of a schedule.

    ``sizes[0]`` holds at a batch of ``base`` sequences, ``sizes[1]`` is what each further one adds;
    ``caps`` bounds rows gathered out of a table by the table. ``weights_bytes`` is what all masters
    that the phases use take, tables of which rows are gathered as a whole. ``kept`` may not leave
    near memory once it is there.
    """

    names: tuple[str, ...]
    lives: tuple[Life, ...]
    classes: Ints
    sizes: Ints  # [2, n]
    caps: Ints  # [n]
    kept: Flags  # [n]
    made: Flags  # [n], by the run
    base: int
    phases: dict[str, PhaseDemand]
    found: tuple[Pattern, ...]
    weights_bytes: int
    backing: Backing  # of what is not made
    inner: Mapping[str, tuple[Ints, Ints]]  # transient bytes, and what a sequence adds

    def sizes_at(self, sequences: int) -> Ints:
        """Return the bytes of every object at a batch."""
        sizes: Ints = np.minimum(self.sizes[0] + (sequences - self.base) * self.sizes[1], self.caps)
        return sizes

    def usage(self, phase: str, spell: Spell) -> Usage:
        """Return what the steps of a phase need in a run."""
        part, sizes, made = self.phases[phase], self.sizes_at(spell.sequences), self.made
        fixed, steps = part.table.fixed, len(part.table.costs)
        base, slope = self.inner[phase]
        transient = base + (spell.sequences - self.base) * slope
        cached = np.array(
            [sum(step.values()) for step in self.cached_at(phase, spell)], dtype=np.int64
        )
        operands = transient + cached + _sums(fixed.step, sizes[fixed.object], steps)
        for position, chosen, largest in part.experts:
            tokens = spell.sequences * part.table.batch.tokens
            operands[position] += largest[min(len(largest) - 1, chosen * tokens)]
        held = made[fixed.object]
        used = cached + _sums(fixed.step[held], sizes[fixed.object[held]], steps)
        objects, first, last = part.lives
        mine, fast = made[objects], self.kept[objects]
        stays = self.kept[fixed.object]
        bound = int(sizes[self.kept & ~made & part.used].sum())
        return Usage(
            operands=operands,
            used=used,
            alive=self.alive(phase, spell),
            passing=_live(first[~mine], last[~mine], sizes[objects[~mine]], steps),
            kept=bound
            + _live(first[mine & fast], last[mine & fast], sizes[objects[mine & fast]], steps)
            - _sums(fixed.step[stays], sizes[fixed.object[stays]], steps),
            transient=transient,
        )

    def alive(self, phase: str, spell: Spell) -> Ints:
        """Return the bytes of everything made that exists in each step of a run of a phase."""
        part, sizes = self.phases[phase], self.sizes_at(spell.sequences)
        objects, first, last = part.lives
        mine = self.made[objects]
        steps = len(part.table.costs)
        alive = _live(first[mine], last[mine], sizes[objects[mine]], steps)
        return alive + sum(self.blocks(spell).values())

    def blocks(self, spell: Spell) -> dict[str, int]:
        """Return the bytes of all blocks that live in a run, allotted as it begins, by template."""
        spans = zip(self.found, spell.before.tolist(), spell.after.tolist(), strict=True)
        return {span[0].name: spell.alive * kept_bytes(*span) for span in spans}

    def largest_block(self, spell: Spell) -> int:
        """Return the bytes of the largest block of any cache in a run."""
        spans = zip(self.found, spell.after.tolist(), strict=True)
        one = ((pattern, min(tokens, pattern.block_tokens)) for pattern, tokens in spans)
        return max((written_bytes(pattern, 0, tokens) for pattern, tokens in one), default=0)

    def cached_at(self, phase: str, spell: Spell) -> list[dict[str, int]]:
        """Return, for each step, the bytes of the blocks that it uses, by template."""
        table = self.phases[phase].table
        index = {pattern.name: place for place, pattern in enumerate(self.found)}
        grown: set[str] = set()
        found: list[dict[str, int]] = [{} for _ in table.costs]
        for use in sorted(table.caches, key=lambda use: (use.position, not use.writes)):
            place = index[use.template]
            pattern = self.found[place]
            before, after = int(spell.before[place]), int(spell.after[place])
            if use.writes:
                grown.add(use.template)
                size = written_bytes(pattern, before, after)
            else:
                size = kept_bytes(pattern, before, after if use.template in grown else before)
            step = found[use.position]
            step[use.template] = max(spell.sequences * size, step.get(use.template, 0))
        return found


def demand(
    tables: Mapping[str, PhaseTable],
    census: Census,
    found: tuple[Pattern, ...],
    *,
    kept: frozenset[str] = frozenset(),
    backing: Mapping[str, tuple[str, ...]],
    further: tuple[Mapping[str, PhaseTable], Census] | None = None,
) -> Demand:
    """Make the demand of the phases that run.

    ``further`` are the same phases read at one sequence more: how everything grows. Without it, the
    demand holds at the batch of the tables alone.
    """
    count = len(census.names)
    sizes = np.zeros((2, count), dtype=np.int64)
    sizes[0] = census.sizes
    inner = {name: _inner_of(table) for name, table in tables.items()}
    slopes = {name: np.zeros_like(base) for name, base in inner.items()}
    if further is not None:
        more, larger = further
        # Rows that one sequence more turns into a whole table grow with the batch until then.
        grown = [
            larger.sizes[larger.ids[name]] if name in larger.ids else 2 * census.sizes[ident]
            for ident, name in enumerate(census.names)
        ]
        sizes[1] = np.array(grown, dtype=np.int64) - sizes[0]
        slopes = {name: _inner_of(more[name]) - base for name, base in inner.items()}
    whole = _tables_gathered(census)
    caps = np.full(count, _NO_CAP, dtype=np.int64)
    caps[list(whole)] = list(whole.values())
    used = np.zeros(count, dtype=np.bool_)
    for table in tables.values():
        used |= _used(table, count)
    batches = [table.batch.sequences for table in tables.values()]
    made = np.array([life in _MADE for life in census.lives], dtype=np.bool_)
    return Demand(
        names=tuple(census.names),
        lives=tuple(census.lives),
        classes=np.array(census.classes, dtype=np.int64),
        sizes=sizes,
        caps=caps,
        kept=np.array([name in kept for name in census.names], dtype=np.bool_),
        made=made,
        base=max(batches, default=1),
        phases={
            name: PhaseDemand(
                table=table,
                lives=_lives(table, tables, census),
                experts=tuple(_largest(route, sizes[0]) for route in table.routes),
                used=used,
            )
            for name, table in tables.items()
        },
        found=found,
        weights_bytes=_weights(tables, census, whole),
        backing=Backing.of([backing[census.names[o]] for o in np.flatnonzero(~made)]),
        inner={name: (base, slopes[name]) for name, base in inner.items()},
    )


def _inner_of(table: PhaseTable) -> Ints:
    return np.array([cost.transient_bytes for cost in table.costs], dtype=np.int64)


def _tables_gathered(census: Census) -> dict[int, int]:
    """Return, for each id of gathered rows, the bytes of the table that they come from."""
    found = {}
    for name, ident in census.ids.items():
        if census.lives[ident] is Life.FETCHED and name not in census.reader.module.objects:
            found[ident] = sum(_fixed_size(census, part) for part in gathered_from(census, name))
    return found


def gathered_from(census: Census, name: str) -> tuple[str, ...]:
    """Return the objects that rows were gathered from, by the name of those rows."""
    owner = name[: name.rindex("(")]
    families = families_of(owner)
    return census.reader.parts(families[0] if families else owner)


def _fixed_size(census: Census, name: str) -> int:
    value = census.size_value(name)
    return value if isinstance(value, int) else value.amount


def _weights(tables: Mapping[str, PhaseTable], census: Census, whole: Mapping[int, int]) -> int:
    used: set[int] = set()
    for table in tables.values():
        used.update(np.unique(table.fixed.object).tolist())
        for route in table.routes:
            used.update(int(ident) for expert in route.members for ident in expert)
    masters = {ident for ident in used if census.lives[ident] is Life.MASTER}
    gathered: dict[tuple[str, ...], int] = {}
    for ident in used & whole.keys():
        parts = gathered_from(census, census.names[ident])
        if not any(census.ids.get(part) in masters for part in parts):
            gathered[parts] = whole[ident]
    return sum(census.sizes[ident] for ident in masters) + sum(gathered.values())


def _largest(route: Route, sizes: Ints) -> tuple[int, int, Ints]:
    """Return, for each n, the bytes of the n largest experts of a route."""
    experts = np.array([int(sizes[expert].sum()) for expert in route.members], dtype=np.int64)
    sums = np.concatenate(([0], np.cumsum(np.sort(experts)[::-1]))).astype(np.int64)
    return route.position, route.chosen, sums


def _lives(
    table: PhaseTable, tables: Mapping[str, PhaseTable], census: Census
) -> tuple[Ints, Ints, Ints]:
    """Return (object, first, last step) of all that is not a master and exists in this phase.

    What lasts exists throughout; what one phase hands to another, from the step that makes it, or
    the phase's start, to the last use in the last phase that uses it, or the phase's end.
    """
    count, steps = len(census.names), len(table.costs)
    lives = np.array([life.value for life in census.lives], dtype=np.str_)
    first, last = _uses(table, count)
    inside = first <= last
    begun = np.zeros(count, dtype=np.bool_)
    begun[table.fixed.object[table.fixed.kind == CREATE]] = True
    ended = np.zeros(count, dtype=np.bool_)
    ended[table.ends[1]] = True
    order = list(tables)
    here = order.index(table.name)
    phases = np.array([_used(other, count) for other in tables.values()], dtype=np.bool_)
    anywhere = phases.any(axis=0)
    between = phases[: here + 1].any(axis=0) & phases[here:].any(axis=0)
    lasting = (lives == Life.LASTING.value) & anywhere
    handed = (lives == Life.WINDOW.value) & between
    own = np.isin(lives, (Life.RUN.value, Life.FETCHED.value)) & inside
    begin = np.where(own | (begun & inside), first, 0)
    end = np.where((own | (ended & handed)) & inside, last, steps - 1)
    objects = np.flatnonzero(own | lasting | handed)
    return objects, begin[objects], end[objects]


def _uses(table: PhaseTable, count: int) -> tuple[Ints, Ints]:
    """Return the first and the last step that touches each object; 0 and -1 where none does."""
    fixed = table.fixed
    places = first_places(fixed.object, count)
    used = places < len(fixed)
    back = len(fixed) - 1 - first_places(fixed.object[::-1], count)
    first = np.zeros(count, dtype=np.int64)
    last = np.full(count, -1, dtype=np.int64)
    first[used] = fixed.step[places[used]]
    last[used] = fixed.step[back[used]]
    return first, last


def _used(table: PhaseTable, count: int) -> Flags:
    used = np.zeros(count, dtype=np.bool_)
    used[table.fixed.object] = True
    for route in table.routes:
        used[np.concatenate(route.members)] = True
    return used


def _sums(steps: Ints, sizes: Ints, count: int) -> Ints:
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, steps, sizes)
    return sums


def _live(first: Ints, last: Ints, sizes: Ints, steps: int) -> Ints:
    """Return the bytes of inclusive intervals at each step, by differences."""
    change = np.zeros(steps + 1, dtype=np.int64)
    np.add.at(change, first, sizes)
    np.subtract.at(change, last + 1, sizes)
    sums: Ints = np.cumsum(change[:steps])
    return sums


def kept_bytes(pattern: Pattern, before: int, tokens: int) -> int:
    """Return the bytes of one sequence's blocks that a run may read, in whole blocks.

    All ``tokens``, or those that the window still holds at the run's start: wherever it lies
    between two blocks.
    """
    oldest = max(0, before - pattern.window_tokens + 1)
    if not oldest:
        return written_bytes(pattern, 0, tokens)
    block = pattern.block_tokens
    blocks = min(-(-tokens // block), -(-(tokens - oldest) // block) + 1)
    return blocks * (pattern.token_bytes * block or pattern.fixed_bytes)


def written_bytes(pattern: Pattern, low: int, high: int) -> int:
    """Return the bytes of one sequence's blocks that hold tokens ``low`` to before ``high``."""
    if high <= low:
        return 0
    block = pattern.block_tokens
    if block == WHOLE:  # all tokens of the sequence are allotted at once
        return pattern.token_bytes * high or pattern.fixed_bytes
    blocks = -(-high // block) - low // block
    return blocks * (pattern.token_bytes * block or pattern.fixed_bytes)
