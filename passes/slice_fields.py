"""What was observed of a router's experts into the fields of each slice."""

from collections import Counter
from collections.abc import Iterator, Sequence

from mirc.ir import Call, Field, Name
from mirc.passes.expert_routing import Routed

Fields = tuple[Field, ...]


def slice_fields(family: Routed, steps: float, between: int) -> tuple[Fields, ...]:
    """Return, for each slice, how likely it is routed and how it is reused; none unobserved.

    ``steps`` are the steps of a run that choose from the family, ``between`` the steps of a run
    that is followed by another (0: it is not). Figures have three digits, confidences two: more
    would be read as knowledge.
    """
    pairs = zip(family.shares, family.confidences, strict=True)
    return tuple(tuple(_of_slice(share, sure, steps, between)) for share, sure in pairs)


def _of_slice(share: float, sure: float, steps: float, between: int) -> Iterator[Field]:
    confidence = round(sure, 2)
    shown, uses = float(f"{share:.3g}"), float(f"{share * steps:.3g}")
    if uses == 1:
        yield Field("reuse", Call("EVERY", (Name("ITERATION"),)), confidence)
    else:
        yield Field("reuse", uses, confidence)
    if between and uses:
        yield Field("reuse_window", float(f"{between / uses:.3g}"), confidence)
    yield Field("route_probability", shown, confidence)


def replaced(fields: Fields, own: Fields) -> Fields:
    """Return ``fields`` with those of ``own`` in the places of the same keys."""
    by_key = {field.key: field for field in own}
    return tuple(by_key.get(field.key, field) for field in fields)


def changes(base: Sequence[Fields], wanted: Sequence[Fields]) -> tuple[Fields, dict[int, Fields]]:
    """Return what changes for a family, and for those slices that differ from most of it.

    Both are empty where ``wanted`` says of each slice what ``base`` says already.
    """
    if not wanted:
        return (), {}
    said = base or ((),) * len(wanted)
    if all(set(mine) <= set(old) for mine, old in zip(wanted, said, strict=True)):
        return (), {}
    common = Counter(wanted).most_common(1)[0][0]
    return common, {part: mine for part, mine in enumerate(wanted) if mine != common}
