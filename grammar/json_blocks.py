"""Plain data into declarations as written, right or wrong, and what is not the form at all."""

from collections.abc import Iterator
from typing import Any

from mirc.diagnostics import Span
from mirc.grammar.json_form import EXTERN, INNER_OF, KEYWORD_OF
from mirc.grammar.json_values import NotInForm, Path, read_confidence, read_value, said
from mirc.ir.module import Block, Field, Object, Override, PlanPhase, Step

MOST_FAULTS = 50  # reported in one file
_INNER: dict[str, type[Block]] = {"steps": Step, "overrides": Override, "phases": PlanPhase}
_TOP: dict[str, type[Block]] = {
    word: kind for kind, word in KEYWORD_OF.items() if kind not in _INNER.values()
} | {EXTERN: Object}


class Repeated(dict[str, Any]):
    """An object in which a key stands twice: ``again`` names the first such key."""

    again: str


def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members, keeping in mind whether one of them came twice."""
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = Repeated(members)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.again = key
            break
        seen.add(key)
    return repeated


class BlockReader:
    """Reads a whole file's data; ``faults`` are the parts that are not the form.

    A block's extent is its index in ``paths`` and ``keywords``, to find it again.
    """

    def __init__(self) -> None:
        self.faults: list[NotInForm] = []
        self.paths: list[Path] = []
        self.keywords: list[str] = []

    def blocks(self, data: Any) -> tuple[Block, ...]:
        """Return the declarations of a file, in order; those that are none are left out."""
        if not isinstance(data, dict):
            self.faults.append(_expected("an object with `declarations`", data, ()))
            return ()
        self._once(data, ())
        for key in data:
            if key not in ("mir", "declarations"):
                self._fault((key,), f"`{key}` does not belong here", "put it in a declaration")
        if "declarations" not in data:
            self._fault((), "there are no `declarations`", 'add `"declarations": [...]`')
        return tuple(self._list(data.get("declarations", []), ("declarations",), None))

    def _fault(self, path: Path, message: str, hint: str | None = None) -> None:
        self.faults.append(NotInForm(path, message, hint))

    def _once(self, data: dict[str, Any], path: Path) -> None:
        if isinstance(data, Repeated):
            message = f"`{data.again}` stands twice in one object"
            self._fault((*path, (data.again, 1)), message, "remove one")

    def _list(self, data: Any, path: Path, kind: type[Block] | None) -> Iterator[Block]:
        if not isinstance(data, list):
            self.faults.append(_expected("a list", data, path))
            return
        for index, item in enumerate(data):
            if len(self.faults) >= MOST_FAULTS:
                return
            try:
                yield self._block(item, (*path, index), kind)
            except NotInForm as fault:
                self.faults.append(fault)

    def _block(self, data: Any, path: Path, kind: type[Block] | None) -> Block:
        if not isinstance(data, dict):
            raise _expected("an object", data, path)
        self._once(data, path)
        keyword = self._keyword(data, path) if kind is None else KEYWORD_OF[kind]
        kind = _TOP[keyword] if kind is None else kind
        name = data.get(keyword)
        if not isinstance(name, str):
            found = f"found {said(name)}" if keyword in data else "it is missing"
            raise NotInForm(path, f"expected the name in `{keyword}`, {found}")
        self.paths.append(path)
        self.keywords.append(keyword)
        extent = Span(len(self.paths) - 1, len(self.paths) - 1)
        fields: list[Field] = []
        parts: dict[str, Any] = {"extern": True} if keyword == EXTERN else {}
        for key, value in data.items():
            if key == keyword:
                continue
            if key not in _INNER:
                fields += self._field(key, value, (*path, key))
            elif key in INNER_OF.get(kind, ()):
                parts[key] = tuple(self._list(value, (*path, key), _INNER[key]))
            else:
                self._fault((*path, key), f"`{key}` do not belong in `{keyword}`")
        return kind(name, tuple(fields), extent=extent, **parts)

    def _keyword(self, data: dict[str, Any], path: Path) -> str:
        found = [key for key in data if key in _TOP]
        if len(found) == 1:
            return found[0]
        if found:
            raise NotInForm(path, f"`{found[0]}` and `{found[1]}` in one declaration")
        words = ", ".join(f"`{word}`" for word in _TOP)
        raise NotInForm(path, "the declaration has no keyword", f"add one of {words} with its name")

    def _field(self, key: str, data: Any, path: Path) -> Iterator[Field]:
        try:
            yield _read_field(key, data, path)
        except NotInForm as fault:
            self.faults.append(fault)


def _read_field(key: str, data: Any, path: Path) -> Field:
    if not isinstance(data, dict) or data.keys() != {"value", "confidence"}:
        return Field(key, read_value(data, path))
    confidence = read_confidence(data["confidence"], (*path, "confidence"))
    return Field(key, read_value(data["value"], (*path, "value")), confidence)


def _expected(what: str, data: Any, path: Path) -> NotInForm:
    return NotInForm(path, f"expected {what}, found {said(data)}")
