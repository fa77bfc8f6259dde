"""LALR tables into which block may stand in which, and what each keyword opens where."""

from collections.abc import Iterable, Mapping

Row = Mapping[str, int]
Bodies = tuple[dict[str, tuple[int, str]], ...]
Stack = tuple[int, ...]

END = "$END"
_FIELD = ("NAME", "EQUAL", "INT")


class Walker:
    """States without values: which terminals may follow a stack of them."""

    def __init__(self, rows: tuple[Row, ...], rules: tuple[tuple[str, int], ...]) -> None:
        self.rows = rows
        self.rules = rules

    def fed(self, stack: Stack | None, *terminals: str) -> Stack | None:
        """Return the stack after some terminals, or None where they may not stand."""
        for terminal in terminals:
            while stack is not None:
                action = self.rows[stack[-1]].get(terminal)
                if action is None:
                    return None
                if action >= 0:
                    stack = (*stack, action)
                    break
                name, length = self.rules[~action]
                stack = stack[: len(stack) - length]
                stack = (*stack, self.rows[stack[-1]][name])
        return stack

    def accepted(self, stack: Stack, terminals: Iterable[str]) -> set[str]:
        """Return those of some terminals that may come next."""
        return {name for name in terminals if self.fed(stack, name) is not None}

    def completed(self, stack: Stack) -> str:
        """Return the rule that is complete here, whatever follows."""
        (action,) = set(self.rows[stack[-1]].values())
        return self.rules[~action][0]


def bodies_of(walker: Walker, start: int, words: Mapping[str, str]) -> Bodies:
    """Return for each body (0: the file) what each keyword opens: (the body, the rule).

    Raises ValueError where items of a body have an order: then no reader may take them one by one.
    """
    numbers = {start: 0}
    made: list[dict[str, tuple[int, str]]] = []
    todo: list[Stack] = [(start,)]
    for stack in todo:  # it grows as it is walked
        opened: dict[str, tuple[int, str]] = {}
        made.append(opened)
        for word, terminal in words.items():
            inner = walker.fed(stack, terminal, "NAME", "LBRACE")
            closed = walker.fed(inner, "RBRACE")
            if inner is None or closed is None:
                continue
            if inner[-1] not in numbers:
                numbers[inner[-1]] = len(numbers)
                todo.append(inner)
            opened[word] = (numbers[inner[-1]], walker.completed(closed))
            _same_after(walker, stack, closed, words.values())
        if stack != (start,):
            after = walker.fed(stack, *_FIELD)
            if after is None:
                raise ValueError("a body that takes no field")
            _same_after(walker, stack, after, (*words.values(), "NAME", "RBRACE"))
    return tuple(made)


def _same_after(walker: Walker, before: Stack, after: Stack, terminals: Iterable[str]) -> None:
    if walker.accepted(before, terminals) != walker.accepted(after, terminals):
        raise ValueError("what may stand in a body depends on what stands before it")
