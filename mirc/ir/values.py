"""The values a field may hold, as written: units are kept, the field table gives the meaning."""

from typing import TypeAlias

import attrs


@attrs.frozen(slots=True)
class Text:
    """A quoted string: ``"card-24g"``."""

    text: str


@attrs.frozen(slots=True)
class Name:
    """A bare dotted word: an enum's member or a reference (``WEIGHT_TILE``, ``layers.0.w``)."""

    text: str


@attrs.frozen(slots=True)
class Size:
    """An amount of memory written with a unit: ``128MiB``; ``size_bytes`` is exact."""

    size_bytes: int


@attrs.frozen(slots=True)
class Time:
    """A duration written with a unit: ``12us``; ``picoseconds`` is exact."""

    picoseconds: int


@attrs.frozen(slots=True)
class Call:
    """A word applied to values: ``PER_TOKEN(4_096)``, ``HBM(layers.0.mlp, layers.18.mlp)``."""

    name: str
    args: tuple["Value", ...]


Value: TypeAlias = bool | int | float | Text | Name | Size | Time | Call | tuple["Value", ...]
