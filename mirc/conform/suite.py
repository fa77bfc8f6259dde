"""An adapter and the litmus suite into a verdict on every clause."""

from collections.abc import Sequence
from enum import StrEnum

import attrs

from mirc.claims import Event, Kind
from mirc.conform.clauses import CLAUSES, Clause
from mirc.conform.litmus import SUITE, Litmus
from mirc.conform.outcomes import Outcome, outcomes
from mirc.conform.protocol import Adapter
from mirc.conform.stand import Finding, NotOffered, Stand


class Verdict(StrEnum):
    """What became of a clause."""

    KEPT = "kept"
    """Every case that asks for it found it kept."""
    BROKEN = "broken"
    """Some case found it broken."""
    NOT_OFFERED = "not offered"
    """No case could ask for it: the controller says that it makes no such promise."""


@attrs.frozen(kw_only=True)
class Played:
    """One case as it went: what was found, what became of blocks and requests, the log."""

    litmus: Litmus
    findings: tuple[Finding, ...]
    outcomes: tuple[tuple[Outcome, int], ...]
    log: tuple[Event, ...]


@attrs.frozen(kw_only=True)
class Conformance:
    """All cases of one adapter."""

    adapter: str
    played: tuple[Played, ...]

    def verdict(self, clause: Clause) -> Verdict:
        """Return what became of a clause over all cases."""
        found = [
            each.kept
            for played in self.played
            for each in played.findings
            if each.clause == clause.number
        ]
        if not found:
            return Verdict.NOT_OFFERED
        return Verdict.KEPT if all(found) else Verdict.BROKEN

    @property
    def broken(self) -> tuple[tuple[Clause, Litmus, str], ...]:
        """Return each clause that was broken, in which case, and by what; each once."""
        found = {
            (CLAUSES[each.clause - 1], played.litmus, each.sentence): None
            for played in self.played
            for each in played.findings
            if not each.kept
        }
        return tuple(sorted(found, key=lambda row: row[0].number))


def conform(adapter: Adapter, suite: Sequence[Litmus] = SUITE) -> Conformance:
    """Play every case; raises ``CouldNotRun`` if the adapter does not answer."""
    return Conformance(
        adapter=adapter.name, played=tuple(_play(adapter, litmus) for litmus in suite)
    )


def _play(adapter: Adapter, litmus: Litmus) -> Played:
    stand = Stand(adapter)
    try:
        litmus.play(stand)
    except NotOffered:
        pass
    else:
        stand.expect(19, _told(stand) == stand.there(), "the log does not tell what is there")
    counts: dict[Outcome, int] = {}
    for named in outcomes(stand.log):
        counts[named.outcome] = counts.get(named.outcome, 0) + 1
    return Played(
        litmus=litmus,
        findings=tuple(stand.findings),
        outcomes=tuple((outcome, counts[outcome]) for outcome in Outcome if outcome in counts),
        log=tuple(stand.log),
    )


def _told(stand: Stand) -> set[object]:
    """Return what is there, by the log alone."""
    there: set[object] = set()
    for event in stand.log:
        for block in event.blocks:
            if event.kind is Kind.PLACED:
                there.add(block.key)
            if event.kind is Kind.EVICTED:
                there.discard(block.key)
    return there
