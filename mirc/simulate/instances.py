"""Templates and the order of phase runs into cache blocks and what each run touches of them."""

from collections.abc import Sequence

import attrs
import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.ir.meaning import Applied, PerToken
from mirc.simulate.census import CLASS_ORDER, Census
from mirc.simulate.model import READ, WRITE, Flags, Ints
from mirc.simulate.reading import Batch
from mirc.simulate.tables import Accesses, PhaseTable

MOST_ACCESSES = 30_000_000
"""Accesses beyond which a workload is refused: at some 60 bytes each, two gigabytes."""

WHOLE = 1 << 62
"""Tokens of the only "block" of a template that has none."""


@attrs.frozen(kw_only=True)
class Pattern:
    """How a template becomes objects: one per sequence and ``block_tokens`` tokens."""

    name: str
    klass: int
    block_tokens: int
    token_bytes: int
    fixed_bytes: int  # of an instance whose size no token changes; then ``token_bytes`` is 0
    window_tokens: int = WHOLE  # a token is read as long as it is among so many of the last


@attrs.frozen(kw_only=True, eq=False)
class Generation:
    """Sequences that begin together: from run ``first`` to before run ``end``."""

    first: int
    end: int
    lengths: Ints  # [T], tokens of each template at the end
    sequences: int


@attrs.frozen(kw_only=True, eq=False)
class Cached:
    """The instances of all templates, numbered from ``0``, and every use of them.

    ``accesses.step`` counts steps of the whole simulation; ``ends`` are (step, object) pairs;
    ``preloaded`` says whether some cache was there before the first run.
    """

    names: tuple[str, ...]
    sizes: Ints
    classes: Ints
    accesses: Accesses
    ends: tuple[Ints, Ints]
    preloaded: bool


@attrs.frozen(kw_only=True, eq=False)
class Walk:
    """How caches grow, run by run; ``touched`` blocks are read by all runs together."""

    generations: tuple[Generation, ...]
    spans: tuple[tuple[Ints, Ints], ...]  # per run: tokens of each template before and after
    preloaded: bool
    touched: int


def patterns(tables: Sequence[PhaseTable], census: Census) -> tuple[Pattern, ...]:
    """Return the templates that the phases use, in order of first use."""
    names = dict.fromkeys(use.template for table in tables for use in table.caches)
    return tuple(_pattern(name, census) for name in names)


def instantiate(
    found: tuple[Pattern, ...], walked: Walk, runs: Sequence[PhaseTable], starts: Ints
) -> Cached:
    """List what each run touches of caches that grow as ``walk`` found.

    ``starts[r]`` is the first step of run ``r``. Blocks that have left their template's window
    (``retire = WINDOW(n)``) end with the run that wrote the token that they are too old for. Raises
    CouldNotRun if there are more than ``MOST_ACCESSES``.
    """
    index = {pattern.name: place for place, pattern in enumerate(found)}
    refuse_if_huge(walked.touched)
    layout = _Layout(found, walked.generations)
    parts = [
        layout.touch(generation, int(starts[run]), table, index, walked.spans[run])
        for generation, spell in enumerate(walked.generations)
        for run, table in enumerate(runs[spell.first : spell.end], spell.first)
        if table.caches
    ]
    return Cached(
        names=layout.names(),
        sizes=layout.sizes(),
        classes=layout.classes(),
        accesses=concatenate(parts),
        ends=layout.ends(starts, walked.spans),
        preloaded=walked.preloaded,
    )


def concatenate(parts: Sequence[Accesses]) -> Accesses:
    """Join tables end to end."""
    empty = np.zeros(0, dtype=np.int64)
    return Accesses(
        step=np.concatenate([empty, *(part.step for part in parts)]),
        object=np.concatenate([empty, *(part.object for part in parts)]),
        size_bytes=np.concatenate([empty, *(part.size_bytes for part in parts)]),
        kind=np.concatenate([empty.astype(np.int8), *(part.kind for part in parts)]),
    )


def refuse_if_huge(accesses: int) -> None:
    """Raise CouldNotRun for a workload that would not fit into memory."""
    if accesses > MOST_ACCESSES:
        raise CouldNotRun(
            f"this workload has more than {MOST_ACCESSES:_} accesses",
            "ask for fewer `--steps` or a smaller `--batch`, or declare larger `block_tokens`",
        )


def _pattern(name: str, census: Census) -> Pattern:
    view = census.reader.view
    size = census.size_value(name)
    block = view.value(name, "block_tokens")
    retire = view.value(name, "retire")
    slides = isinstance(retire, Applied) and retire.word == "WINDOW"
    klass = CLASS_ORDER.index(census.class_of(name))
    unit = Batch().amount(size)
    per_token = isinstance(size, PerToken)
    return Pattern(
        name=name,
        klass=klass,
        block_tokens=block or WHOLE,
        token_bytes=unit if per_token else 0,
        fixed_bytes=0 if per_token else unit,
        window_tokens=int(str(retire.args[0])) if slides else WHOLE,
    )


def walk(found: tuple[Pattern, ...], runs: Sequence[PhaseTable]) -> Walk:
    """Walk through the runs, letting caches grow.

    Where the phase that began the sequences (it has no context) comes round again after others used
    their caches, it begins new ones, and the old ones end with the run before. A template that a
    phase with a context uses before anything wrote it holds that many tokens from the start.
    """
    index = {pattern.name: place for place, pattern in enumerate(found)}
    lengths = np.zeros(len(found), dtype=np.int64)
    blocks = np.array([pattern.block_tokens for pattern in found], dtype=np.int64)
    generations: list[Generation] = []
    spans: list[tuple[Ints, Ints]] = []
    first, sequences, preloaded, touched = 0, 1, False, 0
    users: dict[str, None] = {}  # phases that used this generation's caches, the opener first
    uses = {table.name: _Uses.of(table, index) for table in runs}
    for run, table in enumerate(runs):
        use, batch = uses[table.name], table.batch
        if len(users) > 1 and table.name == next(iter(users)) and not batch.context:
            generations.append(
                Generation(first=first, end=run, lengths=lengths, sequences=sequences)
            )
            lengths, first, sequences, users = np.zeros_like(lengths), run, 1, {}
        before = lengths.copy()
        fresh = use.used[before[use.used] == 0]
        if batch.context and len(fresh):
            before[fresh], preloaded = batch.context, True
        after = before.copy()
        after[use.written] += batch.tokens
        if len(use.used):
            users[table.name] = None
            sequences = max(sequences, batch.sequences)
            touched += int((-(-after[use.read] // blocks[use.read])).sum()) * batch.sequences
        spans.append((before, after))
        lengths = after
    generations.append(Generation(first=first, end=len(runs), lengths=lengths, sequences=sequences))
    return Walk(
        generations=tuple(generations), spans=tuple(spans), preloaded=preloaded, touched=touched
    )


@attrs.frozen(eq=False)
class _Uses:
    """Indices of the templates that a phase uses, writes and (with repeats) reads."""

    used: Ints
    written: Ints
    read: Ints

    @classmethod
    def of(cls, table: PhaseTable, index: dict[str, int]) -> "_Uses":
        def places(names: Sequence[str]) -> Ints:
            return np.array([index[name] for name in names], dtype=np.int64)

        return cls(
            used=places(list(dict.fromkeys(use.template for use in table.caches))),
            written=places(list(dict.fromkeys(u.template for u in table.caches if u.writes))),
            read=places([use.template for use in table.caches if not use.writes]),
        )


class _Layout:
    """Ids of instances: by generation, then template, then sequence, then block."""

    def __init__(self, found: tuple[Pattern, ...], generations: tuple[Generation, ...]) -> None:
        self.found = found
        self.generations = generations
        self.block = np.array([p.block_tokens for p in found], dtype=np.int64)
        self.window = np.array([p.window_tokens for p in found], dtype=np.int64)
        self.token = np.array([p.token_bytes for p in found], dtype=np.int64)
        self.whole = np.array([p.fixed_bytes for p in found], dtype=np.int64)
        self.blocks = [-(-g.lengths // self.block) for g in generations]
        counts = [b * g.sequences for b, g in zip(self.blocks, generations, strict=True)]
        ends = np.cumsum(np.concatenate(counts)) if counts else np.zeros(0, dtype=np.int64)
        self.count = int(ends[-1]) if len(ends) else 0
        begins = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        self.base = [
            begins[place * len(found) : (place + 1) * len(found)]
            for place in range(len(generations))
        ]

    def touch(
        self,
        generation: int,
        start: int,
        table: PhaseTable,
        index: dict[str, int],
        span: tuple[Ints, Ints],
    ) -> Accesses:
        """List what one run touches: reads see what the run wrote before them."""
        before, after = span
        written: dict[str, int] = {}
        for use in table.caches:
            if use.writes:
                written[use.template] = min(use.position, written.get(use.template, WHOLE))
        template = np.array([index[use.template] for use in table.caches], dtype=np.int64)
        position = np.array([use.position for use in table.caches], dtype=np.int64)
        writes = np.array([use.writes for use in table.caches], dtype=np.bool_)
        grown = np.array(
            [written.get(use.template, WHOLE) <= use.position for use in table.caches],
            dtype=np.bool_,
        )
        low = np.where(writes, before[template], self._oldest(before)[template])
        high = np.where(grown, after[template], before[template])
        return self._cover(
            generation,
            step=start + position,
            template=template,
            tokens=(low, high),
            writes=writes,
            sequences=table.batch.sequences,
        )

    def _cover(
        self,
        generation: int,
        *,
        step: Ints,
        template: Ints,
        tokens: tuple[Ints, Ints],
        writes: Flags,
        sequences: int,
    ) -> Accesses:
        """Spread token ranges [low, high) over the blocks that hold them, for all sequences."""
        low, high = tokens
        block = self.block[template]
        first = low // block
        blocks = np.where(high > low, -(-high // block) - first, 0)
        counts = blocks * sequences
        use = np.repeat(np.arange(len(step)), counts)
        nth = np.arange(len(use)) - (np.cumsum(counts) - counts)[use]
        sequence, number = nth // blocks[use], nth % blocks[use] + first[use]
        begin, end = number * block[use], (number + 1) * block[use]
        covered = np.minimum(high[use], end) - np.maximum(low[use], begin)
        owner = template[use]
        size = np.where(self.token[owner] > 0, covered * self.token[owner], self.whole[owner])
        ident = self.base[generation][owner] + sequence * self.blocks[generation][owner] + number
        return Accesses(
            step=step[use],
            object=ident,
            size_bytes=size,
            kind=np.where(writes[use], WRITE, READ).astype(np.int8),
        )

    def names(self) -> tuple[str, ...]:
        """Name every instance ``template(sequence,block)``, sequences numbered throughout."""
        named: list[str] = []
        born = 0
        for blocks, spell in zip(self.blocks, self.generations, strict=True):
            for place, pattern in enumerate(self.found):
                count = int(blocks[place])
                single = pattern.block_tokens == WHOLE
                for sequence in range(born, born + spell.sequences):
                    if single:
                        named += [f"{pattern.name}({sequence})"] * count
                    else:
                        named += [f"{pattern.name}({sequence},{n})" for n in range(count)]
            born += spell.sequences
        return tuple(named)

    def sizes(self) -> Ints:
        """Return the bytes of every instance: a block is as large as it can grow."""
        return self._spread([self._instance_bytes(spell) for spell in self.generations])

    def classes(self) -> Ints:
        """Return the class of every instance, as an index into the order of classes."""
        klass = np.array([pattern.klass for pattern in self.found], dtype=np.int64)
        return self._spread([klass] * len(self.generations))

    def _instance_bytes(self, spell: Generation) -> Ints:
        # Without blocks all tokens of the sequence are allotted at once.
        tokens = np.where(self.block == WHOLE, spell.lengths, self.block)
        return np.where(self.token > 0, self.token * tokens, self.whole)

    def _spread(self, values: Sequence[Ints]) -> Ints:
        """Repeat each generation's value of a template for all its instances."""
        parts = [
            np.repeat(value, blocks * spell.sequences)
            for value, blocks, spell in zip(values, self.blocks, self.generations, strict=True)
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def _oldest(self, tokens: Ints) -> Ints:
        """Return, per template, the oldest token that the next one still reads."""
        oldest: Ints = np.maximum(tokens - self.window + 1, 0)
        return oldest

    def ends(self, starts: Ints, spans: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
        """Retire what has left its window with its run, a generation before the next begins."""
        steps, objects = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for place, spell in enumerate(self.generations):
            gone = np.zeros_like(self.block)  # blocks of each template that have ended so far
            for run in range(spell.first, spell.end):
                before, after = spans[run]
                # what was too old for a context that nothing made never came into being
                gone = np.maximum(gone, self._oldest(before) // self.block)
                over = run == len(spans) - 1  # the simulation: nothing is left to make room for
                last = run == spell.end - 1
                dead = self.blocks[place] if last else self._oldest(after) // self.block
                if not over and np.any(dead > gone):
                    ended = self._numbered(place, gone, dead)
                    steps.append(np.full(len(ended), starts[run + 1] - 1, dtype=np.int64))
                    objects.append(ended)
                    gone = np.maximum(gone, dead)
        return np.concatenate(steps), np.concatenate(objects)

    def _numbered(self, generation: int, first: Ints, end: Ints) -> Ints:
        """Return the ids of blocks ``first`` to before ``end`` of each template, every sequence."""
        sequences = np.arange(self.generations[generation].sequences)[:, None]
        blocks = self.blocks[generation]
        parts = [
            (self.base[generation][t] + sequences * blocks[t] + np.arange(first[t], end[t])).ravel()
            for t in np.flatnonzero(end > first)
        ]
        return np.sort(np.concatenate(parts)).astype(np.int64)
