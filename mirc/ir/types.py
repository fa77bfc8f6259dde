"""Field types: from a value as written to what it means, or to a sentence about what is wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any

import attrs

from mirc.ir.places import Path
from mirc.ir.units import PS_PER_US
from mirc.ir.values import Call, Name, Size, Text, Time

NAMELESS = frozenset({int, float, bool, Size, Time})
"""Types of values that refer to nothing."""


class Fault(Enum):
    """What kind of wrong a value is; each kind has its rule in ``mirc.ir.rules``."""

    TYPE = "type"
    """A value of another kind: a list where a number belongs."""
    WORD = "word"
    """A word that the enum does not have."""
    UNIT = "unit"
    """A size where a time belongs, or the reverse."""
    RANGE = "range"
    """A number outside its limits, a list too short, an item twice."""
    NUMBER = "number"
    """A number without an exact value."""


class Mismatch(Exception):  # noqa: N818 - read as a sentence: raise Mismatch
    """A value does not fit a type; ``path`` leads to the element inside lists and calls."""

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        words: tuple[str, ...] = (),
        found: str = "",
        path: Path = (),
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.words = words  # what could stand there, for a suggestion
        self.found = found
        self.path = path

    def inside(self, index: int) -> "Mismatch":
        """Return the same mismatch seen from the list or call around it."""
        self.path = (index, *self.path)
        return self


@attrs.frozen(slots=True)
class Broken:
    """Stands where a number has no exact value; only in what a parser hands to ``verify``."""

    message: str


class RefKind(StrEnum):
    """What a name in value position refers to."""

    DATA = "object"
    STEP = "step"
    PHASE = "phase"
    COALITION = "coalition"
    TENANT = "tenant"
    CLAIM = "claim"
    MACHINE = "machine"
    FREE = "name"
    """Anything: an event, a bucket, a mesh axis."""


@attrs.frozen(slots=True)
class Reference:
    """A name found inside a value, and the path to it."""

    kind: RefKind
    name: str
    path: Path

    def inside(self, index: int) -> "Reference":
        """Return the same reference seen from the list or call around it."""
        return Reference(self.kind, self.name, (index, *self.path))


def describe(value: object) -> str:
    """Say what was found, for a message: ``the list [HBM, DRAM]`` shortened."""
    kinds: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
        (bool, lambda v: f"`{str(v).lower()}`"),
        ((int, float), lambda v: f"the number `{v}`"),
        (Text, lambda _: "a text"),
        (Name, lambda v: f"`{v.text}`"),
        (Size, lambda _: "a size"),
        (Time, lambda _: "a time"),
        (Call, lambda v: f"`{v.name}(...)`"),
        (tuple, lambda v: "a list" if v else "an empty list"),
    )
    return next((say(value) for kind, say in kinds if isinstance(value, kind)), "this")


class Type(ABC):
    """What a field may hold: ``matches`` looks at the kind alone, ``read`` gives the meaning."""

    unit: str | None = None

    @abstractmethod
    def matches(self, value: object) -> bool:
        """Say whether the value is of this kind, right or wrong."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """Return the typed value; raise ``Mismatch``."""

    @abstractmethod
    def describe(self) -> str:
        """Say what belongs here: ``a size in bytes``."""

    def references(self, value: object) -> Iterator[Reference]:
        """Yield the names inside a value that ``read`` accepts."""
        del value
        return iter(())

    @property
    def words(self) -> tuple[str, ...]:
        """Every closed word that may begin a value, for completion and suggestions."""
        return ()

    def refuse(self, value: object) -> Mismatch:
        """Build the mismatch for a value of another kind."""
        if isinstance(value, Broken):
            return Mismatch(Fault.NUMBER, value.message)
        if isinstance(value, Name) and self.words:
            text = f"`{value.text}` is not {self.describe()}"
            return Mismatch(Fault.WORD, text, words=self.words, found=value.text)
        return Mismatch(Fault.TYPE, f"expected {self.describe()}, found {describe(value)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@attrs.frozen
class Int(Type):
    """A whole number from ``least`` to ``most``."""

    least: int = 0
    most: int | None = None
    noun: str = "a whole number"

    def matches(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(value)
        if value < self.least or (self.most is not None and value > self.most):
            raise Mismatch(Fault.RANGE, f"`{value}` is not {self.describe()}")
        return value

    def describe(self) -> str:
        if self.most is not None:
            return f"{self.noun} from {self.least} to {self.most}"
        return f"{self.noun} of at least {self.least}"


@attrs.frozen
class Float(Type):
    """A number from ``least`` to ``most``, inclusive."""

    least: float = 0.0
    most: float | None = None

    def matches(self, value: object) -> bool:
        return _is_number(value)

    def read(self, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.refuse(value)
        if not value >= self.least or (self.most is not None and value > self.most):
            raise Mismatch(Fault.RANGE, f"`{value}` is not {self.describe()}")
        return float(value)

    def describe(self) -> str:
        if self.most is not None:
            return f"a number from {self.least:g} to {self.most:g}"
        return f"a number of at least {self.least:g}"


@attrs.frozen
class Bool(Type):
    """``true`` or ``false``."""

    def matches(self, value: object) -> bool:
        return isinstance(value, bool)

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value)
        return value

    def describe(self) -> str:
        return "`true` or `false`"

    @property
    def words(self) -> tuple[str, ...]:
        return ("true", "false")


@attrs.frozen
class Str(Type):
    """Any text, quoted or a bare name."""

    noun: str = "a text"

    def matches(self, value: object) -> bool:
        return isinstance(value, Text | Name)

    def read(self, value: object) -> str:
        if not isinstance(value, Text | Name):
            raise self.refuse(value)
        return value.text

    def describe(self) -> str:
        return self.noun


@attrs.frozen
class Bytes(Type):
    """Bytes: a whole number, or a size with its unit; ``read`` gives an int."""

    unit = "bytes"

    def matches(self, value: object) -> bool:
        return isinstance(value, Size | Time) or _is_number(value)

    def read(self, value: object) -> int:
        if isinstance(value, Size):
            return value.size_bytes
        if isinstance(value, Time):
            raise Mismatch(Fault.UNIT, "expected a size such as `128MiB`, found a time")
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(value)
        if value < 0:
            raise Mismatch(Fault.RANGE, f"`{value}` is not {self.describe()}")
        return value

    def describe(self) -> str:
        return "a size in bytes"


@attrs.frozen
class Micros(Type):
    """A duration: a bare number is in microseconds; ``read`` gives float microseconds."""

    unit = "us"

    def matches(self, value: object) -> bool:
        return isinstance(value, Size | Time) or _is_number(value)

    def read(self, value: object) -> float:
        if isinstance(value, Time):
            return value.picoseconds / PS_PER_US
        if isinstance(value, Size):
            raise Mismatch(Fault.UNIT, "expected a time such as `12us`, found a size")
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.refuse(value)
        if not value >= 0:
            raise Mismatch(Fault.RANGE, f"`{value}` is not {self.describe()}")
        return float(value)

    def describe(self) -> str:
        return "a time in microseconds"


@attrs.frozen
class Interval(Type):
    """A time that must carry its unit, where a bare number would mean something else."""

    unit = "us"

    def matches(self, value: object) -> bool:
        return isinstance(value, Time)

    def read(self, value: object) -> Time:
        if not isinstance(value, Time):
            raise self.refuse(value)
        return value

    def describe(self) -> str:
        return "a time with its unit"


@attrs.frozen(slots=False)
class Word(Type):
    """One word of an enum; ``read`` gives the member. A quoted word counts where ``quoted``."""

    enum: type[StrEnum]
    noun: str
    quoted: bool = False

    @cached_property
    def members(self) -> dict[str, StrEnum]:
        """Members by spelling."""
        return {member.value: member for member in self.enum}

    def matches(self, value: object) -> bool:
        return isinstance(value, Name) or (self.quoted and isinstance(value, Text))

    def read(self, value: object) -> StrEnum:
        if not isinstance(value, Name | Text) or not self.matches(value):
            raise self.refuse(value)
        member = self.members.get(value.text)
        if member is None:
            text = f"`{value.text}` is not {self.noun}"
            raise Mismatch(Fault.WORD, text, words=self.words, found=value.text)
        return member

    def describe(self) -> str:
        return self.noun

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.members)


@attrs.frozen
class Ref(Type):
    """A name, bare or quoted, that something else declares; ``read`` gives a str."""

    kind: RefKind

    def matches(self, value: object) -> bool:
        return isinstance(value, Name | Text)

    def read(self, value: object) -> str:
        if not isinstance(value, Name | Text):
            raise self.refuse(value)
        return value.text

    def describe(self) -> str:
        if self.kind is RefKind.FREE:
            return "a name"
        return f"the name of {'an' if self.kind is RefKind.DATA else 'a'} {self.kind}"

    def references(self, value: object) -> Iterator[Reference]:
        if isinstance(value, Name | Text) and self.kind is not RefKind.FREE:
            yield Reference(self.kind, value.text, ())


@attrs.frozen
class ListOf(Type):
    """A list of one type; ``read`` gives a tuple."""

    item: Type
    least: int = 0
    unique: bool = False

    def matches(self, value: object) -> bool:
        return isinstance(value, tuple)

    def read(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, tuple):
            raise self.refuse(value)
        if len(value) < self.least:
            raise Mismatch(Fault.RANGE, f"the list needs at least {self.least} of them")
        seen = set()
        items = []
        for index, item in enumerate(value):
            try:
                read = self.item.read(item)
            except Mismatch as error:
                raise error.inside(index) from None
            if self.unique:
                if read in seen:
                    message = f"{describe(item)} stands in the list twice"
                    raise Mismatch(Fault.RANGE, message, path=(index,))
                seen.add(read)
            items.append(read)
        return tuple(items)

    def describe(self) -> str:
        return f"a list: {self.item.describe()} each"

    def references(self, value: object) -> Iterator[Reference]:
        if isinstance(value, tuple):
            for index, item in enumerate(value):
                for found in self.item.references(item):
                    yield found.inside(index)

    @property
    def words(self) -> tuple[str, ...]:
        return ()  # a bare word is no list; completion asks the item
