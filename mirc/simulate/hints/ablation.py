"""A case into what each field of its file is worth: intent run without it, one field at a time."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors, as_they_are
from mirc.ir import (
    Block,
    Claim,
    Coalition,
    Declaration,
    Field,
    Module,
    Phase,
    Plan,
    PlanPhase,
    Signal,
)
from mirc.ir.fields.spec import Strength
from mirc.ir.fields.table import FIELD_BY_KEY
from mirc.packed.model import Packed
from mirc.packed.pack import seal
from mirc.packed.unpack import unpack
from mirc.simulate.case import Case, known_of, run
from mirc.simulate.metrics import Figures, over
from mirc.simulate.stages import Truth, stages_of

_INTENT = "intent"
_KINDS: dict[str, type[Block]] = {
    "plan": Plan,
    "coalition": Coalition,
    "claim": Claim,
    "on": Signal,
}
_Whole = TypeVar("_Whole", bound=Block)


@attrs.frozen(kw_only=True)
class Without:
    """Intent's run of a file from which ``what`` was taken, in ``lines`` places.

    ``what`` is a key, or the word that begins a declaration: then all of those were. ``slower`` is
    by what share the run takes longer, ``moved`` by what share more bytes come into near memory.
    """

    what: str
    lines: int
    total_ps: int
    near_bytes: int
    slower: float
    moved: float


@attrs.frozen(kw_only=True)
class Ablation:
    """What intent makes of the whole file, and of it without each part, what costs most first."""

    total_ps: int
    near_bytes: int
    rows: tuple[Without, ...]


def ablation(case: Case, told: Callable[[str], None] = lambda _: None) -> Ablation:
    """Run intent on a file that is believed without one of its fields, for each that it writes.

    Facts (what an object is, how large, where its master lies) are no hints and stay; so does what
    really happens. Raises CouldNotRun where a run cannot go on.
    """
    told("the whole file")
    whole = run(case, _INTENT)
    module, real = unpack(case.packed), _real(case)
    rows = []
    for what, lines in written(module).items():
        told(f"without `{what}`")
        row = _figures(case, seal(without(module, what)), real, whole)
        rows.append(
            Without(
                what=what,
                lines=lines,
                total_ps=row.total_ps,
                near_bytes=row.near_bytes,
                slower=over(row.total_ps, whole.total_ps),
                moved=over(row.near_bytes, whole.near_bytes),
            )
        )
    rows.sort(key=lambda row: (-row.total_ps, -row.near_bytes, row.what))
    return Ablation(total_ps=whole.total_ps, near_bytes=whole.near_bytes, rows=tuple(rows))


def written(module: Module) -> dict[str, int]:
    """Return how often each thing that can be left out is written: keys in table order, kinds."""
    keys: Counter[str] = Counter()
    for declared in module.declarations:
        if not isinstance(declared, Claim | Coalition):  # half of one of these means nothing
            keys.update(field.key for block in _blocks(declared) for field in block.fields)
    found = {key: keys[key] for key in FIELD_BY_KEY if keys[key] and _optional(key)}
    for word, kind in _KINDS.items():
        count = sum(isinstance(declared, kind) for declared in module.declarations)
        if count:
            found[word] = count
    return found


def without(module: Module, what: str) -> Module:
    """Return a module from which a key, or each declaration that a word begins, has been taken."""
    kind = _KINDS.get(what)
    if kind is not None:
        kept = tuple(each for each in module.declarations if not isinstance(each, kind))
        return attrs.evolve(module, declarations=kept)
    taken: dict[int, tuple[Field, ...]] = {}  # equal bodies share one tuple before and after

    def spared(block: _Whole) -> _Whole:
        fields = taken.get(id(block.fields))
        if fields is None:
            fields = tuple(field for field in block.fields if field.key != what)
            taken[id(block.fields)] = fields
        inside: dict[str, Any] = {
            name: tuple(map(spared, getattr(block, name)))
            for name in ("overrides", "phases")
            if hasattr(block, name)
        }
        return attrs.evolve(block, fields=fields, **inside)

    kept = tuple(
        each if isinstance(each, Claim | Coalition) else spared(each)
        for each in module.declarations
    )
    return attrs.evolve(module, declarations=kept)


def _blocks(declared: Declaration | PlanPhase) -> Iterator[Block]:
    yield declared
    if isinstance(declared, Phase | Signal | Plan | PlanPhase):
        yield from declared.overrides
    if isinstance(declared, Plan):
        for phase in declared.phases:
            yield from _blocks(phase)


def _optional(key: str) -> bool:
    spec = FIELD_BY_KEY[key]
    return spec.strength is not Strength.FACT and not spec.required


def _real(case: Case) -> Descriptors:
    """Return the objects as the file that runs says, whatever is believed of them."""
    if case.truth is None:
        return case.known
    return known_of(case.truth.packed, case.scenario, case.machine, case.truth.plan, None)


def _figures(case: Case, packed: Packed, real: Descriptors, whole: Figures) -> Figures:
    """Run intent on what another file says; what changes nothing that it is told is not run."""
    plan = case.plan if case.plan in packed.plans else None
    known = as_they_are(known_of(packed, case.scenario, case.machine, plan, None), real)
    truth = case.truth or Truth(packed=case.packed, plan=case.plan)
    told = attrs.evolve(case, packed=packed, plan=plan, known=known, truth=truth)
    if _same(known, case.known) and not _stages(case) and not _stages(told):
        return whole
    return run(told, _INTENT)


def _stages(case: Case) -> tuple[object, ...]:
    return stages_of(
        case.packed,
        case.scenario,
        case.known,
        case.machine,
        policy=_INTENT,
        plan=case.plan,
        truth=case.truth,
    )


def _same(one: Descriptors, other: Descriptors) -> bool:
    """Tell whether two tables say the same, phase by phase."""
    phases = zip(one.phases, other.phases, strict=True)
    return _equal(one, other) and all(_equal(each, its) for each, its in phases)


def _equal(one: attrs.AttrsInstance, other: attrs.AttrsInstance) -> bool:
    pairs = (
        (getattr(one, field.name), getattr(other, field.name))
        for field in attrs.fields(type(one))
        if field.name != "phases"
    )
    return all(
        np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
        for mine, theirs in pairs
    )
