"""A module's source into its mutants: the same module with one thing in it changed."""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Exchange = dict[type[ast.AST], type[ast.AST]]

COMPARISONS: Exchange = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: Exchange = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
JUNCTIONS: Exchange = {ast.And: ast.Or, ast.Or: ast.And}
LOOKS = frozenset({"repr", "eq", "kw_only", "order"})  # of attrs: how a class looks
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What says how data looks rather than what is done is not mutated, nor is any text.
SKIPPED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "type_params", "bases"})


class Mutant(NamedTuple):
    """One changed module; ``key`` names the change in a way that survives edits elsewhere."""

    key: str
    module: str
    tree: ast.Module


class _Site(NamedTuple):
    """A node, by its path from the root, what replaces it, and the words for both."""

    path: tuple[tuple[str, int | None], ...]
    scope: str
    before: str
    after: ast.AST


def mutants(module: str, path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module's file, in the order of its text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    seen: Counter[str] = Counter()
    for site in _sites(tree, (), ""):
        name = f"{module}:{site.scope}: {site.before} -> {_words(site.after)}"
        seen[name] += 1
        key = name if seen[name] == 1 else f"{name} #{seen[name]}"
        yield Mutant(key, module, _replaced(tree, site))


def _replaced(tree: ast.Module, site: _Site) -> ast.Module:
    changed = copy.deepcopy(tree)
    node: ast.AST = changed
    for field, index in site.path[:-1]:
        found = getattr(node, field)
        node = found if index is None else found[index]
    field, index = site.path[-1]
    if index is None:
        setattr(node, field, site.after)
    else:
        getattr(node, field)[index] = site.after
    return ast.fix_missing_locations(changed)


def _sites(node: ast.AST, path: tuple[tuple[str, int | None], ...], scope: str) -> Iterator[_Site]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        scope = f"{scope}.{node.name}" if scope else node.name
    if path:
        for after in _changes(node):
            yield _Site(path, scope, _words(node), ast.copy_location(after, node))
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom) or _is_form(node):
        return  # the words of an error, names, and what only describes other code
    for field, index, child in _children(node):
        yield from _sites(child, (*path, (field, index)), scope)


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in SKIPPED_FIELDS or (isinstance(node, ast.keyword) and node.arg in LOOKS):
            continue
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield field, index, item


def _is_form(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases
    )


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.expr):
        yield from _changed_expression(node)
    elif isinstance(node, ast.stmt):
        yield from _changed_statement(node)
    elif isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            changed = copy.deepcopy(node)
            changed.ifs[index] = _negated(test)
            yield changed


def _changed_expression(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield _evolved(node, ops=[COMPARISONS[type(op)]()])
        case ast.BinOp(op=op) if type(op) in OPERATORS and not _of_text(node):
            yield _evolved(node, op=OPERATORS[type(op)]())
        case ast.BoolOp(op=op):
            yield _evolved(node, op=JUNCTIONS[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield copy.deepcopy(operand)
        case ast.IfExp(test=test):
            yield _evolved(node, test=_negated(test))
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _evolved(node, func=ast.Name(CALLS[name], ast.Load()))


def _changed_statement(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()):
            yield ast.Pass()
        case ast.AugAssign(op=op):
            if type(op) in OPERATORS:
                yield _evolved(node, op=OPERATORS[type(op)]())
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Delete() | ast.Continue() | ast.Raise():
            yield ast.Pass()
        case ast.If(test=test):
            yield _evolved(node, test=_negated(test))
        case ast.While():
            yield _evolved(node, test=ast.Constant(value=False))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))


def _evolved(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), copy.deepcopy(test))


def _of_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(s, ast.JoinedStr) or _is_str(s) for s in sides)


def _is_str(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _words(node: ast.AST) -> str:
    """Return the head of a node's text on one line: enough to find it again."""
    if isinstance(node, ast.If | ast.While):
        word = type(node).__name__.lower()
        return f"{word} {ast.unparse(ast.fix_missing_locations(copy.deepcopy(node.test)))}"
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    return " ".join(text.split())
