"""A word into its explanation, or into the words that were probably meant."""

from collections.abc import Iterator
from functools import cache

from mirc.explain.keys import key
from mirc.explain.language import calls, keywords, protection, quantity, units
from mirc.explain.model import Explanation, Meaning, Subject, Table
from mirc.explain.rules import rule
from mirc.explain.words import classes, members, signals, strengths
from mirc.ir.clauses import Protection
from mirc.ir.fields import FIELDS
from mirc.ir.types import Mismatch
from mirc.ir.values import Name
from mirc.lint.registry import ALL_RULES

_LONGEST = 200  # characters; no word of the language comes near


def word(text: str) -> Explanation | None:
    """Explain a word of the language, a rule's code or name, or a quantity; None if unknown.

    A word as written comes first; only where there is none does case not matter. The beginning
    of rule codes (``MIR4``) gives all of those rules.
    """
    if len(text) > _LONGEST:
        return None
    exact = _index().get(text, ())
    others = tuple(each for each in _folded().get(text.casefold(), ()) if each != text)
    if exact:
        return Explanation(text, exact, others)
    if others:
        meant, *also = others
        return Explanation(meant, _index()[meant], tuple(also))
    made = quantity(text) or _protection(text) or _codes(text)
    return None if made is None else Explanation(text, (made,))


def near(text: str) -> tuple[str, ...]:
    """Return up to three words that an unknown one may misspell, the nearest first."""
    import difflib  # noqa: PLC0415 - 6 ms, and only needed where something is wrong

    folded = {known.casefold(): known for known in _index()}
    found = difflib.get_close_matches(text[:_LONGEST].casefold(), folded, n=3, cutoff=0.65)
    return tuple(folded[each] for each in found)


def words() -> dict[Subject, tuple[str, ...]]:
    """Return every word that can be explained, by subject, in the order of the documentation."""
    found: dict[Subject, dict[str, None]] = {subject: {} for subject in Subject}
    for name, meanings in _index().items():
        for meaning in meanings:
            found[meaning.subject][name] = None
    return {subject: tuple(names) for subject, names in found.items() if names}


@cache
def _index() -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, list[Meaning]] = {}
    for known in ALL_RULES:
        explained = rule(known)
        found.setdefault(known.code, []).append(explained)
        found.setdefault(known.name, []).append(explained)
    for meaning in _of_the_language():
        found.setdefault(str(meaning.name), []).append(meaning)
    return {name: tuple(meanings) for name, meanings in found.items()}


def _of_the_language() -> Iterator[Meaning]:
    yield from keywords()
    yield from map(key, FIELDS)
    yield from classes()
    yield from members()
    yield from calls()
    yield from signals()
    yield from strengths()
    yield from units()


@cache
def _folded() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in _index():
        found.setdefault(name.casefold(), []).append(name)
    return found


def _protection(text: str) -> Meaning | None:
    try:
        Protection().read(Name(text))
    except Mismatch:
        return None
    return protection(text)


def _codes(text: str) -> Meaning | None:
    beginning = text.upper()
    if not beginning.startswith("MIR"):
        return None
    rows = tuple(
        (rule.code, rule.name, rule.severity.value)
        for rule in ALL_RULES
        if rule.code.startswith(beginning)
    )
    if not rows:
        return None
    return Meaning(
        subject=Subject.RULE,
        name=beginning,
        noun="rules",
        summary=f"The {len(rows)} rules whose code begins with `{beginning}`.",
        tables=(Table("rules", ("code", "name", "severity"), rows),),
    )
