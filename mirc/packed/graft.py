"""A module's steps and schedule under the intent of a packed file."""

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Block, Module, Phase, verify
from mirc.packed.model import Packed
from mirc.packed.unpack import unpack

_SCHEDULE = "schedule"


def under(packed: Packed, module: Module, name: str) -> Module:
    """Return the module as the packed file declares it, with the steps and schedule of ``module``.

    Objects, phases, plans and all else are those of the file, which messages call ``name``; phases
    come in the order of ``module``. Raises CouldNotRun where steps or schedule name what the file
    does not declare, or one's object is the other's template.
    """
    told = unpack(packed)
    for phase in module.phases:
        if phase not in told.phases:
            raise _of_others(name, f"phase `{phase}` is not declared")
    for each in module.data:
        if each in told.data and (each in module.objects) != (each in told.objects):
            raise _of_others(name, f"`{each}` is an object in one of them, a template in the other")
    followed = tuple(
        attrs.evolve(told.phases[each.name], steps=each.steps) for each in module.phases.values()
    )
    others = tuple(
        each
        for each in told.declarations
        if not (isinstance(each, Phase) and each.name in module.phases)
    )
    declarations = (*followed, *others)
    info = told.info
    if module.info is not None:
        schedule = tuple(field for field in module.info.fields if field.key == _SCHEDULE)
        info = info or Block(module.info.name)
        info = attrs.evolve(info, fields=(*info.fields, *schedule))
    blocks: tuple[Block, ...] = declarations if info is None else (info, *declarations)
    found = verify(blocks).diagnostics
    if found:
        raise _of_others(name, found[0].message)
    return Module(declarations, info, module.version)


def _of_others(name: str, why: str) -> CouldNotRun:
    return CouldNotRun(
        f"`{name}` is not the intent of these steps: {why}",
        "pack the file that declares what they name",
    )
