"""The steps of a phase into the bytes that each of them needs near compute: what is certain."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from mirc.ir.enums import AccessMode, DType, InstanceAxis, ObjectClass, SharingScope, bits_of
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.meaning import Access, Amount, Applied, PerSequence, PerToken, evaluate
from mirc.ir.module import Phase, Step, Template
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.ir.values import Name, Text
from mirc.lint.context import Context
from mirc.lint.said import Said

_SHAPING = ("access", "precision_ladder", "shard", "sharing_scope", "retire")


class Partial(NamedTuple):
    """``size_bytes`` of an object or family, nobody knows which; ``words`` name them."""

    size_bytes: int
    words: str
    mark: Mark


class Need(NamedTuple):
    """What must be near at once while a step runs; ``partial`` is by object or family."""

    wholes: dict[str, int]
    partial: dict[str, Partial]
    transient_bytes: int


class Batch(NamedTuple):
    """How much a phase's captured run does; what is not written counts as the least, 1 or 0."""

    sequences: int
    tokens: int  # new ones of each sequence
    context: int

    @classmethod
    def of(cls, phase: Phase) -> "Batch":
        """Read the captured sizes."""
        return cls(read(phase, "batch"), read(phase, "tokens"), read(phase, "context"))

    def amount(self, value: Amount) -> int:
        """Evaluate an amount for one run."""
        return evaluate(value, sequences=self.sequences, tokens=self.sequences * self.tokens)


class Needs:
    """What steps need, by phase and plan: a lower bound, whatever a controller does.

    A step's operands are whole and near while it runs (nothing streams within a step), and so is
    its inner peak. Each object counts once, at the least size that it may have:

    - ``PER_TOKEN`` and ``PER_SEQUENCE`` amounts at the phase's captured ``batch`` and ``tokens``;
    - at the narrowest type of its ``precision_ladder`` that its floor allows; a ``SPLIT`` one at
      one shard's size;
    - ``TOUCH`` at the bytes that it names, ``ROUTED(family, k)`` at the k smallest experts: every
      token is sent to k different ones;
    - a template at the live tokens of the captured ``context``, once where sequences share it.

    Left out: what has no size, or may be consumed where it lies (``access``); phases without steps.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.said = context.once(Said)

    def of(self, phase: Phase, plan: str | None = None) -> tuple[Need, ...]:
        """Return the need of each step, in order."""
        key = (phase.name, plan if plan in self._shaping_plans else None)
        if key not in self._known:
            self._known[key] = tuple(_Reading(self, phase, key[1]).needs())
        return self._known[key]

    def uses(self, phase: Phase, plan: str | None = None) -> dict[str, tuple[int, int]]:
        """Return the first and the last step that surely use all of an object, by name."""
        needs = self.of(phase, plan)
        key = (phase.name, plan if plan in self._shaping_plans else None)
        if key not in self._spans:
            found: dict[str, tuple[int, int]] = {}
            for step, need in enumerate(needs):
                for name in need.wholes:
                    found[name] = (found[name][0] if name in found else step, step)
            self._spans[key] = found
        return self._spans[key]

    def batch(self, phase: Phase) -> Batch:
        """Return a phase's captured sizes."""
        if phase.name not in self._batches:
            self._batches[phase.name] = Batch.of(phase)
        return self._batches[phase.name]

    def size_of(self, name: str, batch: Batch, phase: str | None, plan: str | None) -> int:
        """Return the least bytes of a declared object in a run; 0 where unknown."""
        amount = self.amount_of(name)
        size = amount if isinstance(amount, int) else 0 if amount is None else batch.amount(amount)
        return self.least(name, size, phase, plan)

    def sizes(self, phase: Phase, plan: str | None) -> Callable[[str], int]:
        """Return ``size_of`` in a phase and plan."""
        batch, amounts, shaped = self.batch(phase), self._amounts, self._shaped

        def size(name: str) -> int:
            amount = amounts.get(name)
            if type(amount) is int and name not in shaped:
                return amount
            return self.size_of(name, batch, phase.name, plan)

        return size

    def least(self, name: str, size: int, phase: str | None, plan: str | None) -> int:
        """Return what of ``size`` bytes is near at least, by access, precision and shard."""
        if name not in self._shaped:
            return size

        def value(key: str) -> Any:
            return self.said.value(name, key, phase, plan)

        if any(mode.word != AccessMode.STAGE for mode in value("access")):
            return 0
        return narrowest(size, value) // shards(value("shard"), self._mesh)

    def fixed_experts(self, family: str) -> tuple[int, ...] | None:
        """Return the bytes of each expert, smallest first, if they are the same in all phases."""
        if family not in self._experts:
            parts = self.context.module.parts(family)
            amounts = {name: self.amount_of(name) or 0 for name in parts}
            sizes = {name: size for name, size in amounts.items() if isinstance(size, int)}
            fixed = len(sizes) == len(parts) and self._shaped.isdisjoint(parts)
            found = _experts(family, parts, sizes.__getitem__) if fixed else None
            self._experts[family] = found
        return self._experts[family]

    def amount_of(self, name: str) -> Amount | None:
        """Return the declared size, or None."""
        if name not in self._amounts:
            value = self.context.module.data[name].value("size_bytes")
            if value is None or type(value) is int:
                self._amounts[name] = value
            else:
                self._amounts[name] = FIELD_BY_KEY["size_bytes"].type.read(value)
        return self._amounts[name]

    @cached_property
    def _known(self) -> dict[tuple[str, str | None], tuple[Need, ...]]:
        return {}

    @cached_property
    def _spans(self) -> dict[tuple[str, str | None], dict[str, tuple[int, int]]]:
        return {}

    @cached_property
    def _batches(self) -> dict[str, Batch]:
        return {}

    @cached_property
    def _experts(self) -> dict[str, tuple[int, ...] | None]:
        return {}

    @cached_property
    def _amounts(self) -> dict[str, Amount | None]:
        return {}

    @cached_property
    def _shaped(self) -> frozenset[str]:
        keys = ("access", "precision_ladder", "shard")
        return frozenset(name for key in keys for name in self.said.about(key))

    @cached_property
    def _shaping_plans(self) -> frozenset[str]:
        return frozenset(
            plan
            for plan in self.context.module.plans
            if any(self.said.overridden(plan, key) for key in _SHAPING)
        )

    @cached_property
    def _mesh(self) -> dict[str, int]:
        info = self.context.module.info
        axes = () if info is None else read(info, "mesh") or ()
        return {str(axis.args[0]): int(axis.args[1]) for axis in axes}


def narrowest(size_bytes: int, value: Any) -> int:
    """Return the bytes at the narrowest type that ladder and floor allow."""
    ladder: tuple[DType, ...] = value("precision_ladder") or ()
    floor: DType | None = value("precision_floor")
    stored: DType | None = value("dtype") or (ladder[0] if ladder else None)
    if not ladder or stored is None:
        return size_bytes
    least = 0 if floor is None else bits_of(floor)
    widths = [bits_of(rung) for rung in ladder if bits_of(rung) >= least]
    return size_bytes * min([*widths, bits_of(stored)]) // bits_of(stored)


def shards(shard: Applied, mesh: dict[str, int]) -> int:
    """Return into how many shards an object is split; a great many over an unknown axis."""
    return 1 if shard.word != "SPLIT" else mesh.get(str(shard.args[1]), 1 << 64)


class _Reading:
    """One phase under one plan."""

    def __init__(self, needs: Needs, phase: Phase, plan: str | None) -> None:
        self.module = needs.context.module
        self.source = needs
        self.phase = phase
        self.plan = plan
        self.batch = needs.batch(phase)
        self.size = needs.sizes(phase, plan)
        self.routes: dict[str, tuple[int, ...]] = {}
        self.grown: set[str] = set()  # templates written so far in this run

    def needs(self) -> Iterator[Need]:
        for step in self.phase.steps:
            need = Need({}, {}, self.batch.amount(read(step, "transient_bytes")))
            writes = tuple(_uses(step, "writes"))
            self.grown.update(use.name for _, use in writes if use.name in self.module.templates)
            for place, use in writes:
                self._enter(need, use, Mark(step, "writes", (place,)), written=True)
            for place, use in _uses(step, "reads"):
                self._enter(need, use, Mark(step, "reads", (place,)), written=False)
            yield need

    def _enter(self, need: Need, use: Access, mark: Mark, *, written: bool) -> None:
        name = use.name
        if name in self.module.templates:
            size = self._cached(self.module.templates[name], written=written)
            need.wholes[name] = max(size, need.wholes.get(name, 0))
            return
        if use.top_k is not None:
            found = self._routed(name, use.top_k, mark)
        elif use.touched is not None:
            touched = self.batch.amount(use.touched)
            all_of_it = sum(map(self.size, self.module.parts(name)))
            found = Partial(min(touched, all_of_it), f"rows of `{name}`", mark)
        else:
            for part in self.module.parts(name):
                need.wholes[part] = self.size(part)
            return
        if name not in need.partial or need.partial[name].size_bytes < found.size_bytes:
            need.partial[name] = found

    def _routed(self, family: str, chosen: int, mark: Mark) -> Partial:
        known = self.routes.get(family)
        if known is None:
            known = self.source.fixed_experts(family)
            if known is None:
                known = _experts(family, self.module.parts(family), self.size)
            self.routes[family] = known
        words = f"{min(chosen, len(known))} of the {len(known)} experts of `{family}`"
        return Partial(sum(known[:chosen]), words, mark)

    def _cached(self, template: Template, *, written: bool) -> int:
        """Return what the instances of a template that a step touches take at least."""
        name, said = template.name, self.source.said
        amount = self.source.amount_of(name)
        if amount is None:
            return 0
        axes = read(template, "instance") or ()
        shared = said.value(name, "sharing_scope", self.phase.name, self.plan)
        alone = shared is None or shared.word == SharingScope.SEQUENCE
        copies = self.batch.sequences if InstanceAxis.SEQUENCE in axes and alone else 1
        size = self._instance(template, amount, axes, self._live(template, written=written))
        return self.source.least(name, copies * size, self.phase.name, self.plan)

    def _live(self, template: Template, *, written: bool) -> int:
        """Return the tokens of a sequence that are touched: new ones, or all that there are."""
        grown = self.batch.tokens if template.name in self.grown else 0
        live = self.batch.tokens if written else self.batch.context + grown
        retire = self.source.said.value(template.name, "retire", self.phase.name, self.plan)
        return min(live, retire.args[0]) if retire.word == "WINDOW" else live

    def _instance(self, template: Template, amount: Amount, axes: Any, live: int) -> int:
        """Return the bytes of one sequence."""
        grows = self.source.said.class_of(template.name) is ObjectClass.KV_BLOCK
        if isinstance(amount, PerToken):
            if InstanceAxis.SEQUENCE not in axes and not grows:
                return self.batch.amount(amount)
            return amount.amount * (live if grows else self.batch.tokens)
        fixed = amount.amount if isinstance(amount, PerSequence) else amount
        if InstanceAxis.BLOCK not in axes:
            return fixed
        block = read(template, "block_tokens")
        return fixed * (-(-live // block) if block else min(live, 1))


def _experts(family: str, parts: tuple[str, ...], size: Callable[[str], int]) -> tuple[int, ...]:
    """Return the bytes of each expert, which may be several tiles, smallest first."""
    experts: dict[str, int] = {}
    begin = len(family)
    for name in parts:
        end = name.find("]", begin)
        experts[name[begin:end]] = experts.get(name[begin:end], 0) + size(name)
    return tuple(sorted(experts.values()))


def _uses(step: Step, key: str) -> Iterator[tuple[int, Access]]:
    value = step.value(key)
    for place, item in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(item, Name | Text):
            yield place, Access(item.text)
        else:
            yield place, FIELD_BY_KEY[key].type.item.read(item)  # type: ignore[attr-defined]
