"""A word that does not exist into the one that was probably meant."""

from collections.abc import Collection, Iterable
from functools import cached_property

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
_LONGEST = 200  # characters beyond which nobody's slip is looked for


def closest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of a few words that is nearest to ``word``, or None."""
    import difflib  # noqa: PLC0415 - 6 ms, and only needed where something is wrong

    known = {known.casefold(): known for known in words}
    near = difflib.get_close_matches(word[:_LONGEST].casefold(), known, n=1, cutoff=0.65)
    return known[near[0]] if near else None


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace(".", "")


class Names:
    """Many declared names, asked for the one that an undeclared name misspells.

    Looks up every string at edit distance 1, then names that differ in case, dots or underscores;
    the time does not grow with the number of names.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        return {_folded(name): name for name in self._names}

    def closest(self, name: str) -> str | None:
        """Return the declared name that was probably meant, or None."""
        if len(name) > _LONGEST:
            return None
        near = sorted(other for other in _edits(name) if other in self._names)
        return near[0] if near else self._by_fold.get(_folded(name))


def _edits(name: str) -> Iterable[str]:
    for i in range(len(name) + 1):
        head, tail = name[:i], name[i:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
