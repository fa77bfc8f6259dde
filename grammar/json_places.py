"""Paths of a JSON text into the spans where they stand, and into words."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from mirc.diagnostics import Span
from mirc.grammar.json_values import Path, Step
from mirc.ir.module import Block
from mirc.ir.places import Path as Indices
from mirc.ir.places import Places

_BLANKS = re.compile(r"[ \t\r\n]*")
_SAID = 10  # steps of a path that are written out
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Numbers stay text: what is stepped over costs no arithmetic, however many digits it has.
_skip = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


@attrs.frozen(slots=True)
class Wanted:
    """A path to find: the value there, or its key."""

    path: Path
    key: bool = False


def locate(text: str, wanted: Iterable[Wanted]) -> dict[Wanted, Span]:
    """Return where each path stands in a text that is JSON; what it has not is left out.

    Only what lies on the way to a path is looked into, the rest is stepped over.
    """
    found: dict[Wanted, Span] = {}
    _find(text, _blanks(text, 0), [(w, w.path) for w in wanted], found)
    return found


def _find(
    text: str, start: int, wanted: list[tuple[Wanted, Path]], found: dict[Wanted, Span]
) -> None:
    """Find the paths, given from here on, in the value that begins at ``start``."""
    deeper: dict[Step, list[tuple[Wanted, Path]]] = {}
    here = []
    for want, path in wanted:
        if path:
            deeper.setdefault(path[0], []).append((want, path[1:]))
        else:
            here.append(want)
    if here:
        end = _skip(text, start)[1]
        found.update((want, Span(start, end)) for want in here if want not in found)
    if not deeper:
        return
    for step, key, inner in _members(text, start):
        inside = deeper.pop(step, None)
        if inside is not None:
            found.update((want, key) for want, path in inside if want.key and not path)
            _find(text, inner, inside, found)
        if not deeper:
            return


def _members(text: str, start: int) -> Iterator[tuple[Step, Span, int]]:
    """Yield the step to, the key of and the start of each member of a list or an object."""
    if text[start] not in "[{":
        return
    named = text[start] == "{"
    seen: dict[str, int] = {}
    at = _blanks(text, start + 1)
    index = 0
    while text[at] not in "]}":
        key = Span(at, at)
        step: Step = index
        if named:
            name, end = _skip(text, at)
            key = Span(at, end)
            at = _blanks(text, _blanks(text, end) + 1)  # over the colon
            nth = seen[name] = seen.get(name, -1) + 1
            step = (name, nth) if nth else name
        yield step, key, at
        at = _blanks(text, _skip(text, at)[1])
        if text[at] == ",":
            at = _blanks(text, at + 1)
        index += 1


def _blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def said_path(path: Path) -> str:
    """Return a path in words: ``declarations[3].reads[0]``; nothing for the whole file."""
    said = ""
    for step in path[:_SAID]:
        if isinstance(step, int):
            said += f"[{step}]"
            continue
        name = step if isinstance(step, str) else step[0]
        plain = _WORD.fullmatch(name)
        said += f".{name}" if plain else f"[{json.dumps(name[:80])}]"
    more = "..." if len(path) > _SAID else ""
    return said.removeprefix(".") + more


class JsonPlaces(Places):
    """Answers with numbers: a span's start is an index into ``wanted``, to be found afterwards.

    A block's extent is its index into ``paths``, the paths of all blocks.
    """

    def __init__(self, data: Any, paths: list[Path], keywords: list[str]) -> None:
        self.data = data
        self.paths = paths
        self.keywords = keywords
        self.wanted: list[Wanted] = []

    def _want(self, path: Path, *, key: bool = False) -> Span:
        self.wanted.append(Wanted(path, key))
        return Span(len(self.wanted) - 1, len(self.wanted) - 1)

    def _path(self, block: Block) -> Path:
        return self.paths[block.extent.start] if block.extent is not None else ()

    def name(self, block: Block) -> Span:
        """Return the number of the block's name."""
        keyword = self.keywords[block.extent.start] if block.extent is not None else ""
        return self._want((*self._path(block), keyword))

    def field(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the number of what stands under a key."""
        del nth  # a key that stands twice is no JSON form
        return self._want((*self._path(block), key))

    def key(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the number of a key."""
        del nth
        return self._want((*self._path(block), key), key=True)

    def value(self, block: Block, key: str, path: Indices = ()) -> Span:
        """Return the number of a value, or of an element in it."""
        found = (*self._path(block), key)
        data = self._at(found)
        if isinstance(data, dict) and data.keys() == {"value", "confidence"}:
            found, data = (*found, "value"), data["value"]
        for index in path:
            if isinstance(data, dict) and len(data) == 1:
                ((word, data),) = data.items()
                found = (*found, word)
            if not isinstance(data, list) or index >= len(data):
                break
            found, data = (*found, index), data[index]
        return self._want(found)

    def confidence(self, block: Block, key: str) -> Span:
        """Return the number of a confidence."""
        return self._want((*self._path(block), key, "confidence"))

    def _at(self, path: Path) -> Any:
        data = self.data
        for step in path:
            data = data[step]
        return data
