"""Numbers that are spelled as in another language, and units that are apart or unknown."""

import re

from mirc.diagnostics import Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, Word
from mirc.grammar.mending import replacement
from mirc.grammar.reading import Reading
from mirc.ir.fields import FIELD_BY_KEY, FieldSpec

_UNITS = ("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "ps", "ns", "us", "ms", "s")
_THOUSANDS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNIT_SLIPS = {"K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB", "sec": "s", "µs": "us", "μs": "us"}
_LONGER = {
    "m": ("minutes", 60),
    "min": ("minutes", 60),
    "mins": ("minutes", 60),
    "h": ("hours", 3600),
    "d": ("days", 86_400),
}
_KEY = re.compile(r"\w+")
_DIGITS = re.compile(r"[-+]?\.?[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][-+]?[0-9_]+)?")
_TAIL = re.compile(r"[\w.µμ]*")
_BASES = {"x": 16, "b": 2, "o": 8}
_PREFIXED = re.compile(r"([-+]?)0([xbo])([0-9a-fA-F_]+)", re.IGNORECASE)
_LONGEST = 40  # characters of a number that are shown
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![\w.,])", re.ASCII)
_NUMBER_BEFORE = re.compile(r"-?[0-9][0-9_.]*[ \t]*$")
_PLAIN = re.compile(r"-?[0-9](?:_?[0-9])*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)


def bad_number(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain digits that begin no number: ``128QB``, ``0x10``, ``1__0``, ``.5``, ``1.2.3``."""
    if word.kind != CHARACTER or "INT" not in accepts:
        return False
    digits = _DIGITS.match(reading.text, word.start)
    if digits is None:
        return False
    tail = _TAIL.match(reading.text, digits.end())
    unit = tail[0] if tail is not None else ""
    _report(reading, Span(word.start, digits.end() + len(unit)), digits[0], unit)
    reading.supply("INT", word.start)
    reading.guess()
    reading.again(digits.end() + len(unit))
    return True


def grouped(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``1,048,576``."""
    del accepts
    last = reading.automaton.last
    if word.kind != "COMMA" or reading.automaton.inner != "LBRACE" or last is None:
        return False
    match = _GROUPED.match(reading.text, last.start)
    if last.kind != "INT" or match is None:
        return False
    plain = match[0].replace(",", "_")
    fix = replacement(*match.span(), plain)
    place = Span(*match.span())
    reading.report(rules.BAD_NUMBER, place, found=match[0], hint=f"write `{plain}`", fix=fix)
    reading.guess()
    reading.erase(word.start, match.end())
    reading.again(match.end())
    return True


def bad_unit(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``128 MiB``, and ``128`` before what begins no number."""
    recent = reading.automaton.recent
    number, unit = None, word
    if word.kind == "NAME" and recent and recent[-1].is_number and recent[-1].end == word.start:
        number = recent[-1]
    elif (
        word.kind == "NAME"
        and recent
        and recent[-1].is_number
        and "COMMA" in accepts
        and meant_unit(word.text) is not None
        and "\n" not in reading.text[recent[-1].end : word.start]
    ):
        number = recent[-1]  # within a list
    elif len(recent) == 1 and accepts == {"EQUAL"} and recent[0].kind == "NAME":
        unit = recent[0]
        number = _number_before(reading, unit)
    if number is None:
        return False
    _report(reading, Span(number.start, unit.end), number.text, unit.text)
    previous = reading.automaton.previous
    if unit is word:
        reading.guess()
        reading.skip(word)
    else:
        reading.drop(unit.end)
        reading.erase(previous.offset if previous else number.start, unit.end)
        reading.again(word.start)
    return True


def _report(reading: Reading, place: Span, number: str, unit: str) -> None:
    written = reading.text[place.start : place.end]
    plain = None if len(written) > _LONGEST else _decimal(written)
    found = written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"
    if plain is not None:
        fix = replacement(place.start, place.end, plain)
        reading.report(rules.BAD_NUMBER, place, found=found, hint=f"write `{plain}`", fix=fix)
        return
    if not unit or "." in unit or not any(letter.isalpha() for letter in unit):
        reading.report(rules.BAD_NUMBER, place, found=found)
        return
    longer = _LONGER.get(unit.lower())
    if longer is not None and number.isdigit() and len(number) < _LONGEST and _is_time(reading):
        name, seconds = longer
        text = f"{int(number) * seconds}s"
        fix = replacement(place.start, place.end, text)
        hint = f"there are no {name}: write `{text}`"
        reading.report(rules.BAD_UNIT, place, found=found, hint=hint, fix=fix)
        return
    meant = meant_unit(unit)
    if meant is None or len(number) > _LONGEST:
        reading.report(rules.BAD_UNIT, place, found=found)
        return
    number = (_decimal(number) or number).strip("_")
    if unit in _THOUSANDS and number.isdigit() and not _is_size(reading):
        hint = f"write `{int(number) * _THOUSANDS[unit]:_}`: it is no size, so it has no unit"
        reading.report(rules.BAD_UNIT, place, found=found, hint=hint)
        return
    sure = meant.lower() == unit.lower() and not (meant == "s" and unit == "S")
    reading.report(
        rules.BAD_UNIT,
        place,
        found=found,
        hint=f"did you mean `{number}{meant}`?",
        fix=replacement(place.start, place.end, number + meant) if sure else None,
    )


def _is_time(reading: Reading) -> bool:
    """Whether the key of the value being read holds a time."""
    spec = _spec(reading)
    return spec is not None and spec.type.unit == "us"


def _is_size(reading: Reading) -> bool:
    """Whether the key of the value being read may hold a size: it does, or nothing is known."""
    spec = _spec(reading)
    return spec is None or spec.key.endswith("_bytes") or spec.type.unit is not None


def _spec(reading: Reading) -> FieldSpec | None:
    anchor = reading.automaton.anchor
    key = _KEY.match(reading.text, anchor.offset) if anchor is not None else None
    return FIELD_BY_KEY.get(key[0]) if key is not None else None


def _decimal(written: str) -> str | None:
    """Return how a number is written here: ``0x10`` is 16, ``1__0`` is 1_0, ``.5`` is 0.5."""
    prefixed = _PREFIXED.fullmatch(written)
    if prefixed is not None:
        try:
            value = int(prefixed[3].strip("_").replace("__", "_"), _BASES[prefixed[2].lower()])
        except ValueError:
            return None
        return f"{'-' if prefixed[1] == '-' else ''}{value}"
    plain = re.sub(r"_+", "_", written.removeprefix("+"))
    plain = re.sub(r"_(?=[^0-9]|$)|(?<![0-9])_", "", plain)
    plain = re.sub(r"(?<![0-9])\.(?=[0-9])", "0.", plain)
    plain = re.sub(r"\.(?![0-9])", ".0", plain)
    if "." in plain:
        whole, _, fraction = plain.partition(".")
        plain = f"{whole}.{fraction.replace('_', '')}"
    return plain if _PLAIN.fullmatch(plain) and plain != written else None


def _number_before(reading: Reading, unit: Word) -> Word | None:
    """Return the number that a word would be the unit of: beside it, or before a known unit."""
    head = reading.text[max(0, unit.start - 60) : unit.start]
    match = _NUMBER_BEFORE.search(head)
    if match is None or (head[-1:].isspace() and meant_unit(unit.text) is None):
        return None
    text = match[0].rstrip()
    start = unit.start - len(match[0])
    return Word("INT", text, start, start + len(text))


def meant_unit(text: str) -> str | None:
    """Return the unit that a word is or misspells."""
    if text in _UNITS:
        return text
    folded = {unit.lower(): unit for unit in _UNITS}
    return _UNIT_SLIPS.get(text) or folded.get(text.lower())
