"""A module's steps and schedule under the intent of a packed file."""

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Block, Module, Phase, verify
from mirc.packed.model import Packed
from mirc.packed.unpack import unpack

_SCHEDULE = "schedule"


def under(packed: Packed, module: Module, name: str) -> Module:
    """Return the module as the packed file declares it, with the steps and schedule of ``module``.

    Objects, phases, plans and all else are those of the file, which messages call ``name``. Raises
    CouldNotRun where steps or schedule name what it does not declare.
    """
    told = unpack(packed)
    declarations = tuple(
        attrs.evolve(each, steps=module.phases[each.name].steps)
        if isinstance(each, Phase) and each.name in module.phases
        else each
        for each in told.declarations
    )
    info = told.info
    if module.info is not None:
        schedule = tuple(field for field in module.info.fields if field.key == _SCHEDULE)
        info = info or Block(module.info.name)
        info = attrs.evolve(info, fields=(*info.fields, *schedule))
    blocks: tuple[Block, ...] = declarations if info is None else (info, *declarations)
    found = verify(blocks).diagnostics
    if found:
        raise CouldNotRun(
            f"`{name}` is not the intent of these steps: {found[0].message}",
            "pack the file that declares what they name",
        )
    return Module(declarations, info, module.version)
