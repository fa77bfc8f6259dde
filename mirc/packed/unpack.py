"""A packed file into a module without steps and schedule; a stranger's only if it is right."""

from mirc.diagnostics import CouldNotRun
from mirc.ir import Block, Declaration, Module, Object, Template, verify
from mirc.packed.codec import loads
from mirc.packed.model import Packed
from mirc.packed.tables import WHAT_EXTERN, WHAT_TEMPLATE


def unpack(packed: Packed) -> Module:
    """Return the module: objects first, then each kind of declaration, fields in table order.

    Every field of every object resolves as in the module that was packed. What steps read, write
    and cost is not in the file, nor in which order phases run.
    """
    data = (_data(packed, name, row) for name, row in packed.data.items())
    others: tuple[tuple[Declaration, ...], ...] = (
        tuple(packed.tenants.values()),
        tuple(packed.coalitions.values()),
        tuple(packed.claims.values()),
        tuple(packed.phases.values()),
        tuple(packed.signals.values()),
        tuple(packed.plans.values()),
    )
    declarations = (*data, *(each for kind in others for each in kind))
    return Module(declarations, packed.info, packed.tables.version)


def _data(packed: Packed, name: str, row: int) -> Object | Template:
    what, fields = packed.what(row), packed.fields(name)
    if what == WHAT_TEMPLATE:
        return Template(name, fields)
    return Object(name, fields, extern=what == WHAT_EXTERN)


def read(data: bytes, name: str) -> Packed:
    """Read a stranger's packed file, called ``name`` in messages, as carefully as a .mir file.

    Raises CouldNotRun for bytes that are damaged (with the offset), of another version, or that
    say what ``mirc check`` calls an error of names and types.
    """
    packed = Packed(loads(data, name))
    module = unpack(packed)
    blocks: tuple[Block, ...] = module.declarations
    if module.info is not None:
        blocks = (module.info, *blocks)
    found = verify(blocks).diagnostics
    if found:
        more = f", and {len(found) - 1:_} more like it" if len(found) > 1 else ""
        raise CouldNotRun(
            f"`{name}` says what is not right: {found[0].message}{more}",
            "pack a file that `mirc check` finds right",
        )
    return packed
