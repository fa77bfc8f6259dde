"""A word that does not exist into the one that was probably meant."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."
_FEW = 500  # words up to which each is compared
_LONGEST = 200  # characters beyond which nobody's slip is looked for


def nearest(word: str, words: Sequence[str], count: int, cutoff: float) -> list[str]:
    """Return up to ``count`` of a few words that are like ``word``, the nearest first.

    ``cutoff`` is the least likeness, from 0 to 1.
    """
    import difflib  # noqa: PLC0415 - 6 ms, and only needed where something is wrong

    return difflib.get_close_matches(word[:_LONGEST], words, count, cutoff)


def closest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of a few words that is nearest to ``word``, or None; of many, one slip off."""
    words = tuple(words)
    if len(words) > _FEW:
        return Names(frozenset(words)).closest(word)
    known = {known.casefold(): known for known in words}
    near = nearest(word.casefold(), tuple(known), 1, 0.65)
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
