"""Every import of the tree, also those inside functions, against one tuple of layers."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

# The architecture: a room uses only what stands before it.
LAYERS = (
    "diagnostics",
    "ir",
    "grammar",
    "machine",
    "traces",
    "graph",
    "bounds",
    "lint",
    "explain",
    "changes",
    "frontend",
    "passes",
    "emit",
    "fill",
    "packed",
    "kernels",
    "sram",
    "claims",
    "controller",
    "conform",
    "simulate",
    "answers",
    "observe",
    "sweep",
    "report",
    "lsp",
    "cli",
)
# The controller is never to see the workload, and the simulator none of torch.
TORCH_ROOMS = ("frontend", "observe")
TORCH = ("torch", "transformers")
# `mirc check` starts light: these rooms import nothing heavy.
LIGHT_ROOMS = ("diagnostics", "ir", "grammar", "machine", "lint", "explain", "changes")
HEAVY = ("torch", "transformers", "networkx", "numpy", "numba", "scipy")
LONGEST_MODULE = 400


class Import(NamedTuple):
    """One import: the module that holds it, its line, and what it names."""

    importer: str
    line: int
    imported: str


def modules() -> dict[str, Path]:
    # Both links are followed: mirc/passes and mirc/grammar are rooms like the others.
    found = {}
    for folder in (ROOT / "mirc", *(entry for entry in (ROOT / "mirc").iterdir())):
        paths = folder.glob("*.py") if folder == ROOT / "mirc" else folder.rglob("*.py")
        for path in paths:
            relative = path.relative_to(ROOT).with_suffix("")
            found[".".join(relative.parts).removesuffix(".__init__")] = path
    return dict(sorted(found.items()))


MODULES = modules()


def imports_of(name: str, tree: ast.AST, *, package: bool) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                parent = parts[: len(parts) - node.level + package]
                base = ".".join([*parent, base] if base else parent)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(name, node.lineno, full if full in MODULES else base)


def all_imports() -> list[Import]:
    found: list[Import] = []
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text("utf-8"), str(path))
        found += imports_of(name, tree, package=path.name == "__init__.py")
    return found


IMPORTS = all_imports()


def room(module: str) -> str | None:
    """Return the room of a module of mirc; ``None`` for the package itself and others."""
    parts = module.split(".")
    return parts[1] if parts[0] == "mirc" and len(parts) > 1 else None


def test_every_room_on_disk_has_its_place_in_the_layers() -> None:
    rooms = {room(name) for name in MODULES} - {None, "__main__"}
    assert rooms <= set(LAYERS)


def test_a_room_uses_only_what_stands_before_it() -> None:
    wrong = []
    for found in IMPORTS:
        user, used = room(found.importer), room(found.imported)
        if user in (None, "__main__") or used is None or used == user:
            continue
        if LAYERS.index(used) > LAYERS.index(str(user)):
            wrong.append(f"{found.importer}:{found.line} imports {found.imported}")
    assert wrong == []


def test_only_the_front_end_and_the_observer_import_torch() -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in IMPORTS
        if found.imported.split(".")[0] in TORCH and room(found.importer) not in TORCH_ROOMS
    ]
    assert wrong == []


def test_the_rooms_that_check_uses_import_nothing_heavy() -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in IMPORTS
        if found.imported.split(".")[0] in HEAVY and room(found.importer) in LIGHT_ROOMS
    ]
    assert wrong == []


def test_the_two_linked_rooms_are_imported_by_their_full_names() -> None:
    wrong = [found for found in IMPORTS if found.imported.split(".")[0] in ("passes", "grammar")]
    assert wrong == []


def test_no_module_imports_itself_round_a_corner() -> None:
    # Depth-first search over the import graph; a module that is met again on its own path is a
    # cycle. A package's own __init__ is no node of its own: it only re-exports.
    graph: dict[str, list[str]] = {name: [] for name in MODULES}
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    for found in IMPORTS:
        if found.imported in MODULES and found.imported not in packages:
            graph[found.importer].append(found.imported)
    done: dict[str, None] = {}
    cycles: list[list[str]] = []

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            cycles.append([*path[path.index(name) :], name])
            return
        if name in done:
            return
        for target in graph[name]:
            visit(target, [*path, name])
        done[name] = None

    for name in graph:
        visit(name, [])
    assert cycles == []


def test_an_init_only_re_exports() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    wrong = []
    for name, path in MODULES.items():
        if path.name != "__init__.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        wrong += [f"{name}:{node.lineno}" for node in tree.body if not isinstance(node, allowed)]
    assert wrong == []


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {name: path.read_text("utf-8").count("\n") for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_a_module_says_in_one_line_what_it_turns_into_what() -> None:
    wrong = []
    for name, path in MODULES.items():
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        first_paragraph = docstring.split("\n\n")[0]
        if path.name != "__init__.py" and (not docstring or "\n" in first_paragraph):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import torch.nn", "torch.nn"),
        ("def f():\n    from mirc.cli import main", "mirc.cli.main"),
        ("from mirc.machine.model import Machine", "mirc.machine.model"),
        ("from . import model", "mirc.machine.model"),
        ("from .model import Machine", "mirc.machine.model"),
        ("from ..ir import values", "mirc.ir.values"),
    ],
)
def test_imports_are_seen_in_every_form(source: str, imported: str) -> None:
    found = imports_of("mirc.machine.load", ast.parse(source), package=False)
    assert [each.imported for each in found] == [imported]
