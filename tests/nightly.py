"""How far the tests go that may go on for as long as there is time."""

import os

NIGHTLY = os.environ.get("MIRC_NIGHTLY") == "1"


def by_night(usual: int, many: int) -> int:
    """Return how many examples or operations: ``usual`` in the suite, ``many`` by night."""
    return many if NIGHTLY else usual
