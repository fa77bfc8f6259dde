"""What is known of a word: its meanings, with facts, tables and examples."""

from enum import StrEnum

import attrs


class Subject(StrEnum):
    """What kind of thing a word names, in the order of the list of all words."""

    RULE = "rule"
    """A kind of finding, by code or name."""
    KEYWORD = "keyword"
    """A word that begins a declaration."""
    KEY = "key"
    """What stands before ``=``."""
    CLASS = "object class"
    """What an object is; picks the defaults."""
    WORD = "word"
    """A value from a closed list."""
    CALL = "call"
    """A word with arguments."""
    SIGNAL = "signal"
    """An event that ``on`` may name."""
    STRENGTH = "strength"
    """How binding a key is."""
    UNIT = "unit"
    """What may follow a number."""


@attrs.frozen
class Table:
    """Rows under a title; ``head`` names the columns."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@attrs.frozen
class Example:
    """Lines of a .mir file under a title: ``bad``, ``good``, ``example``."""

    title: str
    text: str


@attrs.frozen(kw_only=True)
class Meaning:
    """One thing that a word means: a sentence or more, then facts (label, text) and the rest.

    ``noun`` says more closely than the subject what it is: ``a deadline class``.
    """

    subject: Subject
    name: str
    summary: str
    noun: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    examples: tuple[Example, ...] = ()


@attrs.frozen
class Explanation:
    """All meanings of one word; ``also`` are words that differ from it in case alone."""

    word: str
    meanings: tuple[Meaning, ...]
    also: tuple[str, ...] = ()
