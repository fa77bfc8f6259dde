"""The states of ``tables.py``, each made of its text when it is first entered."""

from mirc.grammar.tables import STATES


class _Rows(dict[int, dict[str, int]]):
    """Rows by number: after each symbol the next state, or ``~n`` where rule n is complete."""

    def __missing__(self, state: int) -> dict[str, int]:
        words = STATES[state].split()
        row = self[state] = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        return row


ROWS = _Rows()
