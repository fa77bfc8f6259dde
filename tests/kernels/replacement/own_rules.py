"""Rules as users write them: one that is LRU, and some that do wrong."""

from mirc.controller.own import Policy


class Oldest(Policy):
    """LRU, as a user would write it."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.order: dict[int, None] = {}

    def admitted(self, x: int) -> None:
        self.order[x] = None

    def touched(self, x: int) -> None:
        del self.order[x]
        self.order[x] = None

    def evicted(self, x: int) -> None:
        del self.order[x]

    def removed(self, x: int) -> None:
        self.order.pop(x, None)

    def choose(self) -> int | None:
        return next((x for x in self.order if self.may_leave(x)), None)


class Careless(Oldest):
    """It lets go what is held."""

    def choose(self) -> int | None:
        return next(iter(reversed(self.order)))


class Dreaming(Oldest):
    """It lets go what is not there."""

    def choose(self) -> int | None:
        return 1 << 70


class Failing(Oldest):
    """It raises."""

    def missed(self, x: int) -> None:
        raise ValueError(f"{x} again")


class Silent(Oldest):
    """It lets nothing go."""

    def choose(self) -> int | None:
        return None


class Leaving(Oldest):
    """It ends the program."""

    def choose(self) -> int | None:
        raise SystemExit(0)


class Unspeakable(Oldest):
    """It fails, and cannot say how."""

    def choose(self) -> int | None:
        class Wordless(Exception):  # noqa: N818
            def __str__(self) -> str:
                raise ValueError("no words")

        raise Wordless


class Hollow(Oldest):
    """It leaves out what the class above begins with."""

    def __init__(self, capacity: int) -> None:  # noqa: ARG002
        self.order = {}


class Unmade(Oldest):
    """It cannot be made."""

    def __init__(self) -> None:
        super().__init__(1)


class Stranger:
    """It is no rule."""
