"""The words of an enum into what they mean: the sentence that stands under each in its source."""

import ast
import inspect
from enum import StrEnum
from functools import cache
from itertools import pairwise


@cache
def meanings(enum: type[StrEnum]) -> dict[str, str]:
    """Return what each member of an enum means, by its spelling.

    Python keeps no docstring of a member, so the source is read; installed without sources (only
    compiled files), every meaning is empty.
    """
    found = dict.fromkeys((str(member) for member in enum), "")
    try:
        tree = ast.parse(inspect.getsource(enum))
    except (OSError, TypeError):
        return found
    (definition,) = tree.body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for assigned, said in pairwise(body):
        match assigned, said:
            case (
                ast.Assign(value=ast.Constant(value=str(word))),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[word] = text.replace("``", "`")
            case _:
                continue
    return found


def about(enum: type[StrEnum]) -> str:
    """Return what the words of an enum say, as its docstring has it."""
    return inspect.cleandoc(enum.__doc__ or "").replace("``", "`")
