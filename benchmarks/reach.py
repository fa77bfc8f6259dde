"""Test files into those that can see a change: what they import, by whatever chain."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


def reaching(files: Sequence[str], changed: Iterable[str]) -> tuple[str, ...]:
    """Return the test files that import, themselves or through others, a changed module.

    An import inside a function counts, and so does a module's name in a text (commands and room
    tables are imported by name): a file that is left out holds no test that could fail.
    """
    names = set(changed)
    return tuple(file for file in files if _closure(_name(ROOT / file)) & names)


@cache
def _closure(name: str) -> frozenset[str]:
    found, ahead = {name}, [name]
    while ahead:
        for each in _named(ahead.pop()) - found:
            found.add(each)
            ahead.append(each)
    return frozenset(found)


@cache
def _modules() -> dict[str, Path]:
    # Room by room: two of them are links, which a search from above does not follow.
    rooms = (path for path in (ROOT / "mirc").iterdir() if path.is_dir())
    paths = [path for room in rooms for path in room.rglob("*.py")]
    paths += [*(ROOT / "mirc").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    return {_name(path): path for path in paths}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def _named(name: str) -> frozenset[str]:
    """Return the modules that one names, the packages that they lie in, and its conftests."""
    path = _modules()[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    folder = name.split(".")[:-1]
    found = {".".join((*folder[:end], "conftest")) for end in range(1, len(folder) + 1)}
    for text in _texts(tree):
        parts = text.partition(":")[0].split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        if not parts[-1]:  # the beginning of a name that is completed when the code runs
            found |= {each for each in _modules() if each.startswith(text)}
    return frozenset(found & _modules().keys())


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and _is_ours(node.value):
            yield str(node.value)


def _is_ours(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("mirc.", "tests."))
