"""The clauses of the contract by number: ``docs/claims.md`` says each at length."""

from typing import NamedTuple


class Clause(NamedTuple):
    """One promise of the contract."""

    number: int
    title: str


CLAUSES = tuple(
    Clause(number, title)
    for number, title in enumerate(
        (
            "every question about a claim has one answer, at once, and its event",
            "a claim that fits is granted, however full the pool",
            "claims leave active work the least that it needs",
            "no block of a hard claim leaves while the claim is in force",
            "active work that needs claimed room is refused whole, before it takes anything",
            "every refusal carries its reason, and the claims that are in the way",
            "no block of a soft claim leaves before an event that says so, and for whom",
            "what nobody claims yields first, then the lowest priority, its latest block first",
            "a claim that asks for it keeps its blocks in the lower tier, and hears of it",
            "a claim materializes once, when its last block can be read, and not before",
            "a claim whose blocks cannot be made ends, says so, and frees its room",
            "a claim ends at its time or at its event, not before and not after",
            "a release frees the room at once; only its holder releases, and only once",
            "a claim that has ended protects nothing",
            "of claims asked for together, the order of asking decides nothing",
            "a later edition takes the place of an earlier one whole, or leaves it as it was",
            "a block under two claims counts once, and stays until the last of them ends",
            "a claim is clipped or waits as far as its holder allows, and no further",
            "what was said is enough to tell what is there",
            "a tenant's hard claims stay within its quota",
            "the same questions have the same answers",
        ),
        start=1,
    )
)
