"""``--precision-floor PATTERN=DTYPE`` into declared floors."""

import difflib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import click

from mirc.diagnostics import CouldNotRun
from mirc.graph import Program, Role
from mirc.ir.enums import DType


class _Floor(click.ParamType):  # type: ignore[type-arg]
    """A name pattern and an element type: ``model.layers.*.mlp.*=float8_e4m3fn``."""

    name = "pattern=dtype"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, DType]:
        """Return both; a pattern must not be empty, a type one of the language's."""
        pattern, equals, word = str(value).rpartition("=")
        if not equals or not pattern:
            self.fail(f"`{value}` names no type: write it as `lm_head.*=bfloat16`", param, ctx)
        if word not in set(DType):
            near = difflib.get_close_matches(word, list(DType), n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(DType)}"
            self.fail(f"`{word}` is no element type: {advice}", param, ctx)
        return pattern, DType(word)


def floors_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option; it may be given several times, and the first pattern that matches holds."""
    return click.option(
        "--precision-floor",
        "floors",
        type=_Floor(),
        multiple=True,
        metavar="PATTERN=DTYPE",
        help="Declare the narrowest type of the weights of these names (`*` and `?`).",
    )(command)


def check_floors(floors: Sequence[tuple[str, DType]], program: Program) -> None:
    """Raise ``CouldNotRun`` for a pattern that no weight and no cache has a name for."""
    judged = (Role.PARAMETER, Role.CACHE)
    names = [storage.name for storage in program.storages if storage.role in judged]
    for pattern, _ in floors:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.3) or names[:3]
            listed = ", ".join(f"`{name}`" for name in near)
            raise CouldNotRun(
                f"`--precision-floor` names `{pattern}`, and no weight or cache is named so",
                f"the nearest names are {listed}" if listed else "leave it away",
            )
