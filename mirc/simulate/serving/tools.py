"""What tools took so far into how long the next one is expected to take."""

USUAL_US = 30_000_000  # before any has answered, where the file declares nothing


class Tools:
    """The client's guess: what the file's ``on tool_wait`` declares, else the mean until now.

    Nobody knows how long a tool takes before it has answered. Times are microseconds.
    """

    def __init__(self, declared_us: int | None) -> None:
        self._declared = declared_us
        self._taken = 0
        self._count = 0
        self._running: dict[str, int] = {}

    @property
    def expected_us(self) -> int:
        """How long the next tool is expected to take, at least 1."""
        if self._declared is not None:
            return max(1, self._declared)
        return max(1, round(self._taken / self._count)) if self._count else USUAL_US

    def begins(self, session: str, takes_us: int) -> int:
        """Let a tool run, which will have taken ``takes_us``; return how long it is expected to."""
        self._running[session] = takes_us
        return self.expected_us

    def answers(self, session: str) -> None:
        """Learn from a tool that has answered."""
        taken = self._running.pop(session, None)
        if taken is not None:
            self._taken += taken
            self._count += 1
