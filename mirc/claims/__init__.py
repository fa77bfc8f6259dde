"""Promises about resident bytes: what may be admitted beside them, and what became of each."""

from mirc.claims.admission import Admission, Pool, Reason, Take, admit
from mirc.claims.coverage import HARD, UNCLAIMED, Standing
from mirc.claims.events import Answer, Cause, Event, Kind, State
from mirc.claims.ledger import Ledger
from mirc.claims.terms import FOREVER, Block, Directive, Key, Terms, dwell

__all__ = [
    "FOREVER",
    "HARD",
    "UNCLAIMED",
    "Admission",
    "Answer",
    "Block",
    "Cause",
    "Directive",
    "Event",
    "Key",
    "Kind",
    "Ledger",
    "Pool",
    "Reason",
    "Standing",
    "State",
    "Take",
    "Terms",
    "admit",
    "dwell",
]
