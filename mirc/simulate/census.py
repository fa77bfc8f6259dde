"""The objects that a run uses into dense ids with sizes, classes and lives."""

from enum import Enum

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import Mutability, ObjectClass, PersistenceScope
from mirc.ir.meaning import Amount
from mirc.simulate.reading import Batch, Reader

CLASS_ORDER = tuple(ObjectClass)


class Life(Enum):
    """Where an object's bytes come from, and what ends them."""

    MASTER = "master"
    """A copy lies below from the start: a weight, or optimizer state."""
    RUN = "run"
    """Made by its first use in a run of a phase, gone after its last use in that run."""
    LASTING = "lasting"
    """Made by its first use, kept until the simulation ends."""
    WINDOW = "window"
    """Made in one phase for another: gone after its last use in the last phase that uses it."""
    FETCHED = "fetched"
    """Comes from below in every run and is gone after its last use there: gathered rows, inputs."""


FROM_BELOW = (
    ObjectClass.WEIGHT_TILE,
    ObjectClass.EXPERT_WEIGHT,
    ObjectClass.CONSTANT,
    ObjectClass.OPTIMIZER_STATE,
    ObjectClass.CHECKPOINT_FRAGMENT,
    ObjectClass.METADATA_PAGE,
)
"""Classes of which a master lies below from the start."""

_LASTING_SCOPES = (
    PersistenceScope.TOKEN_PROGRESS,
    PersistenceScope.SESSION,
    PersistenceScope.PERSISTENT,
)


@attrs.define(eq=False)
class Census:
    """Grows while phases are read: the position of an object in the lists is its id."""

    reader: Reader
    names: list[str] = attrs.field(factory=list)
    sizes: list[int] = attrs.field(factory=list)
    classes: list[int] = attrs.field(factory=list)
    lives: list[Life] = attrs.field(factory=list)
    streamed: list[bool] = attrs.field(factory=list)
    ids: dict[str, int] = attrs.field(factory=dict)
    declared_sizes: dict[int, Amount] = attrs.field(factory=dict)

    def whole(self, name: str, batch: Batch) -> tuple[int, int]:
        """Return the id of a declared object and its bytes in a run of ``batch``.

        What a run makes may be larger in one phase than in another; its size is then the largest.
        Raises CouldNotRun for an object without a size.
        """
        ident = self.ids.get(name)
        if ident is None:
            ident = self._declare(name)
        size = batch.amount(self.declared_sizes[ident])
        self.sizes[ident] = max(self.sizes[ident], size)
        return ident, size

    def rows(self, name: str, label: str, touched: int) -> int:
        """Return the id of what one run of a phase gathers out of ``name``: ``touched`` bytes."""
        full = f"{name}({label})"
        if full not in self.ids:
            self._add(full, touched, self.class_of(name), Life.FETCHED, streamed=True)
        return self.ids[full]

    def size_value(self, name: str) -> Amount:
        """Return the typed ``size_bytes`` of an object or template; raise CouldNotRun if absent."""
        value: Amount | None = self.reader.view.value(name, "size_bytes")
        if value is not None:
            return value
        module = self.reader.module
        block = module.objects.get(name) or module.templates[name]
        raise CouldNotRun(
            f"`{name}`{self.reader.place(block)} is used and has no `size_bytes`",
            "write `size_bytes = ...`: bytes that nobody knows cannot be moved",
        )

    def _declare(self, name: str) -> int:
        view = self.reader.view
        size, klass = self.size_value(name), self.class_of(name)
        below = klass in FROM_BELOW
        scope = view.value(name, "persistence_scope")
        life = Life.MASTER if below else Life.LASTING if scope in _LASTING_SCOPES else Life.RUN
        if klass is ObjectClass.INPUT:
            life = Life.FETCHED
        elif scope is PersistenceScope.UPDATE_WINDOW and not below:
            life = Life.WINDOW
        fixed = view.value(name, "mutability") is Mutability.READ_ONLY
        ident = self._add(name, 0, klass, life, streamed=below and fixed)
        self.declared_sizes[ident] = size
        return ident

    def class_of(self, name: str) -> ObjectClass:
        """Return the class of a declared object or template; raise CouldNotRun if it has none."""
        klass = self.reader.view.class_of(name)
        if klass is None:
            raise CouldNotRun(f"`{name}` is used and has no `class`", "write `class = ...`")
        return klass

    def _add(self, name: str, size: int, klass: ObjectClass, life: Life, *, streamed: bool) -> int:
        ident = len(self.names)
        self.names.append(name)
        self.sizes.append(size)
        self.classes.append(CLASS_ORDER.index(klass))
        self.lives.append(life)
        self.streamed.append(streamed)
        self.ids[name] = ident
        return ident
