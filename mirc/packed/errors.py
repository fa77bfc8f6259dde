"""What is wrong with a packed file into where, and why."""


class DamageError(Exception):
    """A record says what no record can: ``section`` and ``index`` tell which, ``reason`` why."""

    def __init__(self, section: str, index: int, reason: str) -> None:
        super().__init__(reason)
        self.section = section
        self.index = index
        self.reason = reason
