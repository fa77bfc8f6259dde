"""A word that may not stand where it stands into the mistake that was made, and how to read on."""

from collections.abc import Callable

from mirc.grammar import mistaken_blanks as blanks
from mirc.grammar import mistaken_blocks as blocks
from mirc.grammar import mistaken_brackets as brackets
from mirc.grammar import mistaken_characters as characters
from mirc.grammar import mistaken_fields as fields
from mirc.grammar import mistaken_lists as lists
from mirc.grammar import mistaken_numbers as numbers
from mirc.grammar import mistaken_strings as strings
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import END, Word
from mirc.grammar.reading import Reading
from mirc.grammar.words import NAMES, shown, span


def explain(reading: Reading, word: Word) -> None:
    """Report what is wrong at a word that the automaton refused, and prepare to read on."""
    accepts = reading.automaton.accepts()
    for mistake in _MISTAKES:
        if mistake(reading, word, accepts):
            return
    _unexpected(reading, word, accepts)


def _unexpected(reading: Reading, word: Word, accepts: frozenset[str]) -> None:
    reading.report(
        rules.UNEXPECTED,
        span(word),
        expected=expected_words(reading, accepts),
        found=shown(word),
        hint=_way_out(reading, word, accepts),
    )
    following = _peek(reading, word)
    same_line = following.start <= reading.line_end(word.start)
    if word.kind != END and same_line and reading.automaton.takes(following.kind):
        reading.skip(word)
    else:
        reading.abandon(word)


def _way_out(reading: Reading, word: Word, accepts: frozenset[str]) -> str | None:
    """Return what to do about an unexpected word, where that can be told."""
    if accepts == {"INT", "FLOAT"}:
        return "write the confidence as a number from 0 to 1"
    if accepts == {"LBRACE"} and word.kind in ("NAME", *NAMES):
        return "join the words of a name with `_` or `.`, or put it in double quotes"
    if word.text == "@" and reading.automaton.inner in ("LSQB", "LPAR"):
        return "a confidence belongs to the whole value: write it behind the closing bracket"
    if "AT" in accepts and word.kind in ("INT", "FLOAT"):
        return "write `key = value @ confidence`"
    if word.kind == "LBRACE" and not reading.text[: word.start].strip():
        return "convert JSON with `mirc convert`"
    return None


def _peek(reading: Reading, word: Word) -> Word:
    reading.again(word.end)
    following = reading.reader.read()
    reading.again(word.end)
    return following


def expected_words(reading: Reading, accepts: frozenset[str]) -> str:
    """Return what may stand next, in words and in a fixed order: ``a value or `]```."""
    automaton = reading.automaton
    rest = set(accepts)
    words: list[str] = []
    if {"NAME", "STRING", "INT", "LSQB"} <= rest:
        words.append("a value")
        rest -= {"NAME", "STRING", "LSQB", "TRUE", "FALSE"}
        rest = {kind for kind in rest if kind in automaton.literals or kind in (END, "HEADER")}
    elif {"NAME", "STRING"} <= rest:
        words.append("a name")
        rest -= NAMES
    elif {"NAME", "RBRACE"} <= rest:
        words.append("a field")
        rest -= {"NAME"}
    elif {"INT", "FLOAT"} == rest:
        words.append("a number")
        rest -= {"INT", "FLOAT"}
    if len(rest & automaton.top_keywords) > 3:
        words.append("a declaration")
        rest -= automaton.top_keywords
    rest -= {"HEADER"}
    named = {END: "end of file", "NAME": "a name"}
    words += sorted(
        named.get(kind) or f"`{automaton.literals.get(kind, kind.lower())}`" for kind in rest
    )
    if len(words) < 2:
        return words[0] if words else "nothing more"
    return ", ".join(words[:-1]) + " or " + words[-1]


# The order matters: what is certain from the word alone first, then what the place says, and a
# bracket that was left open before the words that it made look wrong.
_MISTAKES: tuple[Callable[[Reading, Word, frozenset[str]], bool], ...] = (
    characters.class_in_head,
    characters.sign_in_head,
    characters.wrong_equals,
    characters.colon,
    characters.semicolon,
    characters.comment,
    strings.unpaired,
    strings.quotes,
    strings.bad_escape,
    strings.open_string,
    strings.quoted_key,
    numbers.bad_number,
    numbers.grouped,
    numbers.bad_unit,
    blanks.invisible,
    blanks.full_width_equals,
    blanks.bar,
    characters.bad_character,
    brackets.unclosed_bracket,
    fields.missing_value,
    fields.reserved_word,
    fields.value_without_key,
    lists.braces_for_list,
    lists.mismatched_bracket,
    brackets.stray_bracket,
    lists.separator,
    fields.word_before_block,
    brackets.missing_brace,
    brackets.missing_body,
    brackets.unclosed_declaration,
    brackets.never_closed,
    brackets.closed_too_early,
    blocks.header,
    blocks.misplaced_block,
    lists.unopened_bracket,
    blocks.unknown_block,
    blocks.misspelt_object,
    blocks.field_outside,
    blocks.number_as_name,
    blocks.missing_name,
    lists.extra_comma,
    fields.missing_equals,
    lists.missing_comma,
)
