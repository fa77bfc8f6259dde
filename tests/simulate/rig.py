"""A world that is played step by step, with everything that can be done to it between two."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

from mirc.claims import Pool, Terms
from mirc.controller.signals import Raised
from mirc.simulate.faults import Fault, FaultKind
from tests.simulate.deployment import PHASES, drawn_terms
from tests.simulate.playing import Playing
from tests.simulate.scenes import Step

Operation: TypeAlias = tuple[int, Callable[[], None]]  # how often, and what
LASTING = (FaultKind.SLOW, FaultKind.SHRINK, FaultKind.FULL)


class Rig(Playing):
    """One world under one policy, and everything that may be done to it.

    Each method is an operation; numbers that they take are reduced to what there is.
    """

    def step(self, pick: int) -> None:
        """Play a step of the repertoire."""
        self._play(self.drawn.repertoire[pick % len(self.drawn.repertoire)])

    def enter(self, phase: int) -> None:
        """Let the next step begin a run of a phase."""
        self.phase, self.position = phase % PHASES, 0

    def retire(self, which: int) -> None:
        """Play a step that ends the lives of some of what was made."""
        made = [o for o in range(self.drawn.count) if self.drawn.made[o]]
        self._play(Step(retires=[o for o in made if which >> o & 1]))

    def rest(self) -> None:
        """Play a step that only computes."""
        self._play(Step(compute_ps=90_000_000))

    def raise_event(self, pick: int) -> None:
        """Let the last step have raised one of the events of its phase."""
        last = self.next - 1
        words = sorted(self.words[int(self.phase_of[last])]) if last >= 0 else []
        if words and last not in self.ends:
            word = words[pick % len(words)]
            self.raises[last] = (Raised(word),)
            self.ends[self.next] = [word]

    def calamity(self, kind: FaultKind, pick: int, amount: int, lasts: int) -> None:
        """Let something fail before the next step, for so many steps if it is of that kind."""
        over = {*self.less, *self.slow}
        names: Sequence[str] = {
            FaultKind.SLOW: self.links,
            FaultKind.STOP: self.links,
            FaultKind.SHRINK: self.names,
            FaultKind.FULL: self.names[1:],
            FaultKind.END: ("a", "b"),
        }.get(kind, self.drawn.known.names)
        target = names[pick % len(names)]
        step = self.next
        until = step + 1 + lasts if kind in LASTING else None
        if kind is FaultKind.LIE or target in over or self.over:
            return
        fault = Fault(kind=kind, target=target, amount=amount, step=step, until=until)
        if until is not None:
            (self.slow if kind is FaultKind.SLOW else self.less)[target] = until
        if kind is FaultKind.STOP and amount == 0:
            self.stopped.add(pick % len(names))
        if kind is FaultKind.FAIL:
            self.harm[pick % len(names)] += amount
        if kind is FaultKind.END:
            number = "ab".index(target)
            objects = {o for o, tenant in enumerate(self.drawn.whose) if tenant == number}
            self.watch.gone |= objects
        self._fail(fault, {name: self._of(number) for number, name in enumerate("ab")})
        self._play(Step())

    def release(self, name: str, holder: str) -> None:
        """Give a claim back; a stranger cannot."""
        if self.claims is not None and self._claims_look():
            before = self.claims.ledger.blocks(name)
            self.claims.ledger.release(name, holder)
            if holder != "gateway":
                assert self.claims.ledger.blocks(name) == before

    def request(self, name: str, seed: int) -> None:
        """Ask for a claim in mid-run: a soft one, which takes nothing from anybody."""
        dice = Random(seed)  # noqa: S311 - rolled, not kept secret
        terms = drawn_terms(dice, name, self.drawn.sizes)
        known = {o for each in self.drawn.claims for o in _objects(each)}
        if self.claims is None or not self._claims_look() or terms.hard:
            return
        if name in self.watch.claimed or not _objects(terms) <= known or terms.tenant:
            return
        self.watch.terms[name] = terms
        self.claims.ledger.request([terms], Pool(capacity=1 << 40))

    def _claims_look(self) -> bool:
        return self.claims is not None and self.claims.due(self.next) == self.next > 0

    def anything(self, dice: Random) -> None:
        """Do something, most often a step."""
        operations: tuple[Operation, ...] = (
            (30, lambda: self.step(dice.randrange(7))),
            (6, lambda: self.enter(dice.randrange(PHASES))),
            (2, lambda: self.retire(dice.randrange(512))),
            (2, self.rest),
            (4, lambda: self.raise_event(dice.randrange(3))),
            (2, lambda: self._anything_fails(dice)),
            (3, self.repair),
            (1, lambda: self.release(dice.choice("pq"), dice.choice(["gateway", "stranger"]))),
            (1, lambda: self.request(dice.choice("pq"), dice.randrange(1 << 16))),
        )
        self.operations += 1
        weights = [weight for weight, _ in operations]
        dice.choices([each for _, each in operations], weights)[0]()

    def _anything_fails(self, dice: Random) -> None:
        kind = dice.choice([kind for kind in FaultKind if kind is not FaultKind.LIE])
        amounts = {
            FaultKind.SLOW: dice.randint(1, 20),
            FaultKind.STOP: dice.choice([0, 1_000_000, 70_000_000]),
            FaultKind.SHRINK: dice.randint(0, 300),
            FaultKind.FAIL: dice.randint(1, 2),
        }
        if kind is FaultKind.END and dice.random() < 0.5:
            return
        self.calamity(kind, dice.randrange(64), amounts.get(kind, 0), dice.randrange(8))


def _objects(terms: Terms) -> set[int]:
    return {int(block.key) for block in terms.blocks}
