"""What the tests of claims ask for, in few words."""

from typing import Any

from mirc.claims import Block, Event, Kind, Ledger, Pool, Terms
from mirc.ir.enums import ClaimLoss, Guarantee

POOL = Pool(capacity=80)


def blocks(text: str | int, size: int = 1) -> tuple[Block, ...]:
    """``"ab"`` is two blocks, ``3`` is blocks 0, 1 and 2."""
    keys = text if isinstance(text, str) else range(text)
    return tuple(Block(key, size) for key in keys)


def soft(name: str, text: str | int, **fields: Any) -> Terms:
    return Terms(**({"name": name, "holder": f"{name}'s", "blocks": blocks(text)} | fields))


def hard(name: str, text: str | int, **fields: Any) -> Terms:
    return soft(name, text, guarantee=Guarantee.HARD, **fields)


def demotable(name: str, text: str | int, **fields: Any) -> Terms:
    return soft(name, text, on_loss=ClaimLoss.DEMOTE, **fields)


def place(ledger: Ledger, text: str | int) -> None:
    for block in blocks(text):
        ledger.placed(block)


def told(kind: Kind, terms: Terms | None = None, text: str | int = "", **fields: Any) -> Event:
    """The event that a ledger at time 0 should log of a claim, or of none."""
    of: dict[str, Any] = {"at": 0, "kind": kind, "blocks": blocks(text)}
    if terms is not None:
        of |= {
            "claim": terms.name,
            "holder": terms.holder,
            "guarantee": terms.guarantee,
            "priority": terms.priority,
        }
    return Event(**(of | fields))


def since(ledger: Ledger, start: int) -> list[Event]:
    return ledger.log[start:]
