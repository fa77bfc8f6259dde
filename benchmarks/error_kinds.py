"""A right text into one with a mistake: one function for each kind, and where it is to be found."""

from collections.abc import Callable
from random import Random

from error_texts import Damage, Text

VALUES = ("INT", "FLOAT", "SIZE", "TIME", "STRING", "NAME", "TRUE", "FALSE")
INNER = ("STEP", "OVERRIDE")


Kind = Callable[[Text, Random], Damage | None]


def _swap(terminals: tuple[str, ...], write: Callable[[str], str]) -> Kind:
    """Write something else for a token."""

    def kind(text: Text, random: Random) -> Damage | None:
        i = text.pick(
            random,
            lambda i: text.kind(i) in terminals and write(text.tokens[i]) != text.tokens[i],
        )
        if i is None:
            return None
        start, end = text.span(i)
        return Damage(((start, end, write(text.tokens[i])),), (start,))

    return kind


def _colon(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "EQUAL")
    if i is None:
        return None
    return Damage(((text.span(i - 1)[1], text.span(i)[1], ":"),), (text.span(i - 1)[0],))


def _field_end(mark: str) -> Kind:
    def kind(text: Text, random: Random) -> Damage | None:
        i = text.pick(
            random,
            lambda i: (
                text.kind(i) in (*VALUES, "RSQB", "RPAR")
                and text.depths[i] > 0
                and "\n" in text.text[text.span(i)[1] : text.span(i + 1)[0]]
                and (text.kind(i + 1) == "RBRACE" or text.kind(i + 2) == "EQUAL")
            ),
        )
        if i is None:
            return None
        end = text.span(i)[1]
        return Damage(((end, end, mark),), (end - 1,))

    return kind


def _hash(text: Text, random: Random) -> Damage | None:
    damage = _field_end("  # note")(text, random)
    comment = text.text.find("//")
    if comment >= 0 and random.random() < 0.5:
        return Damage(((comment, comment + 2, "#"),), (comment,))
    return damage


def _no_value(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "EQUAL")
    if i is None:
        return None
    end = i + 1
    while end in text.partners or text.kind(end + 1) == "LPAR":
        end = text.partners.get(end, end + 1)
        if text.kind(end) == "LPAR":
            end = text.partners[end]
        break
    if "\n" in text.text[text.span(i)[0] : text.span(end)[1]]:
        return None
    return Damage(((text.span(i)[1], text.span(end)[1], ""),), (text.span(i - 1)[0],))


def _comma(mark: str) -> Kind:
    def kind(text: Text, random: Random) -> Damage | None:
        i = text.pick(
            random,
            lambda i: text.kind(i) == "COMMA" and text.kind(i + 1) not in ("RSQB", "RPAR"),
        )
        if i is None:
            return None
        start, end = text.span(i)
        following = text.span(i + 1)[0]
        places = (start,) if mark else (start, following)
        return Damage(((start, end, mark),), places)

    return kind


def _dropped(terminals: tuple[str, ...]) -> Kind:
    """Leave out a bracket; it is to be blamed at its partner, on whose line it stands."""

    def kind(text: Text, random: Random) -> Damage | None:
        i = text.pick(random, lambda i: text.kind(i) in terminals)
        if i is None:
            return None
        return Damage(((*text.span(i), ""),), (text.span(text.partners[i])[0],))

    return kind


def _no_opening_brace(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "LBRACE" and text.kind(i - 3) != "EXTERN")
    if i is None:
        return None
    return Damage(((*text.span(i), ""),), (text.span(i - 1)[0],))


def _head_sign(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "LBRACE")
    if i is None:
        return None
    start = text.span(i - 1)[1]
    return Damage(((start, start, random.choice((":", " ="))),), (start - 1,))


def _no_closing_brace(text: Text, random: Random) -> Damage | None:
    """Leave out a ``}`` on a line of its own: noticed at the next token, or at the opener."""
    i = text.pick(random, lambda i: text.kind(i) == "RBRACE" and text.multiline(i))
    if i is None:
        return None
    following = text.span(i + 1)[0] if i + 1 < len(text.tokens) else text.span(text.partners[i])[0]
    return Damage(((*text.span(i), ""),), (following,))


def _extra_brace(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "RBRACE" and text.depths[i] == 0)
    if i is None:
        return None
    end = text.span(i)[1]
    return Damage(((end, end, "\n}"),), (end - 1, end))


def _misspelt(word: str, random: Random) -> str:
    """Return a word with one slip of the pen: left out, doubled, or two letters swapped."""
    i = random.randrange(1, len(word) - 1) if len(word) > 2 else 0
    slips = (word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:])
    swapped = word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :]
    return random.choice((*slips, swapped) if swapped != word else slips)


def _keyword(text: Text, random: Random) -> Damage | None:
    i = text.pick(
        random,
        lambda i: (
            text.tokens[i].isalpha()
            and text.kind(i) == str(text.tokens[i]).upper()
            and text.kind(i) not in ("TRUE", "FALSE", "ON")
        ),
    )
    if i is None:
        return None
    return Damage(((*text.span(i), _misspelt(text.tokens[i], random)),), (text.span(i)[0],))


def _unit(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) in ("SIZE", "TIME"))
    if i is None:
        return None
    written = str(text.tokens[i])
    unit = written.lstrip("0123456789_.")
    number = written.removesuffix(unit)
    apart = f"{number} {unit}"
    other = f"{number}{unit.lower() if unit != unit.lower() else 'sec'}"
    return Damage(((*text.span(i), random.choice((apart, other))),), (text.span(i)[0],))


def _reserved(text: Text, random: Random) -> Damage | None:
    i = text.pick(
        random, lambda i: text.kind(i) == "NAME" and (text.depths[i] > 0 or text.kind(i - 1) != "")
    )
    if i is None or text.kind(i + 1) == "LPAR":
        return None
    word = random.choice(("phase", "object", "plan", "step", "module"))
    return Damage(((*text.span(i), word),), (text.span(i)[0],))


def _bare_list(text: Text, random: Random) -> Damage | None:
    i = text.pick(
        random,
        lambda i: (
            text.kind(i) == "LSQB"
            and text.kind(i - 1) == "EQUAL"
            and text.kind(i + 2) == "COMMA"
            and not text.multiline(i)
        ),
    )
    if i is None:
        return None
    spans = text.span(i), text.span(text.partners[i])
    return Damage(tuple((*span, "") for span in spans), (text.span(i)[0],))


def _no_name(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) == "LBRACE")
    if i is None:
        return None
    return Damage(((*text.span(i - 1), ""),), (text.span(i)[0],))


def _number(text: Text, random: Random) -> Damage | None:
    i = text.pick(
        random,
        lambda i: (
            text.kind(i) == "INT" or (text.kind(i) == "FLOAT" and text.tokens[i].startswith("0."))
        ),
    )
    if i is None:
        return None
    written = str(text.tokens[i])
    slip = (
        written[1:]
        if written.startswith("0.")
        else random.choice((f"0x{written}", f"{written}__0"))
    )
    return Damage(((*text.span(i), slip),), (text.span(i)[0],))


def _dash(text: Text, random: Random) -> Damage | None:
    i = text.pick(
        random,
        lambda i: (
            text.kind(i) == "NAME"
            and text.kind(i + 1) in ("LBRACE", "COMMA", "RSQB")
            and any(sign in text.tokens[i] for sign in "._")
        ),
    )
    if i is None:
        return None
    start, _ = text.span(i)
    at = start + max(text.tokens[i].rfind("."), text.tokens[i].rfind("_"))
    return Damage(((at, at + 1, random.choice("-/")),), (start,))


def _quoted_key(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i + 1) == "EQUAL")
    if i is None:
        return None
    return Damage(((*text.span(i), f'"{text.tokens[i]}"'),), (text.span(i)[0],))


def _near_name(fits: Callable[[Text, int], bool]) -> Kind:
    def kind(text: Text, random: Random) -> Damage | None:
        i = text.pick(random, lambda i: text.kind(i) == "NAME" and fits(text, i))
        if i is None:
            return None
        return Damage(((*text.span(i), _misspelt(text.tokens[i], random)),), (text.span(i)[0],))

    return kind


def _key(text: Text, i: int) -> bool:
    return text.kind(i + 1) == "EQUAL"


def _class(text: Text, i: int) -> bool:
    return text.kind(i - 1) == "EQUAL" and str(text.tokens[i - 2]) == "class"


def _reference(text: Text, i: int) -> bool:
    """Whether a name in a list of a step refers to an object."""
    while i > 0 and text.kind(i) in ("NAME", "COMMA", "LSQB"):
        if text.kind(i) == "LSQB":
            return str(text.tokens[i - 2]) in ("reads", "writes", "members")
        i -= 1
    return False


def _twice(text: Text, random: Random) -> Damage | None:
    i = text.pick(random, lambda i: text.kind(i) in ("OBJECT", "TENANT", "COALITION"))
    if i is None or text.kind(i - 1) == "EXTERN":
        return None
    start, end = text.span(i)[0], text.span(text.partners[i + 2])[1]
    return Damage(((start, start, text.text[start:end] + "\n\n"),), (start,))


NAMED: dict[str, Kind] = {
    "`:` for `=`": _colon,
    "`==` for `=`": _swap(("EQUAL",), lambda _: "=="),
    "`=` left out": _swap(("EQUAL",), lambda _: ""),
    "value left out": _no_value,
    "`;` after a field": _field_end(";"),
    "`,` after a field": _field_end(","),
    "`#` comment": _hash,
    "block comment": _field_end("  /* note */"),
    "`,` left out of a list": _comma(""),
    "`,` twice in a list": _comma(",,"),
    "`]` or `)` left out": _dropped(("RSQB", "RPAR")),
    "`[` or `(` left out": _dropped(("LSQB", "LPAR")),
    "`)` for `]`": _swap(("RSQB",), lambda _: ")"),
    "list without brackets": _bare_list,
    "`{` left out": _no_opening_brace,
    "`}` left out": _no_closing_brace,
    "`}` too many": _extra_brace,
    "`:` or `=` in a head": _head_sign,
    "keyword misspelt": _keyword,
    "keyword as a name": _reserved,
    "name left out": _no_name,
    "`-` or `/` in a name": _dash,
    "key in quotes": _quoted_key,
    "single quotes": _swap(("STRING",), lambda text: f"'{text[1:-1]}'"),
    "string not closed": _swap(("STRING",), lambda text: text[:-1]),
    "escape that is none": _swap(("STRING",), lambda text: f'{text[:-1]}\\q"'),
    "unit apart or misspelt": _unit,
    "number as in C": _number,
    "key misspelt": _near_name(_key),
    "class misspelt": _near_name(_class),
    "reference misspelt": _near_name(_reference),
    "declared twice": _twice,
}


def _deleted(text: Text, random: Random) -> Damage | None:
    i = random.randrange(len(text.tokens))
    ahead = i + 1 if text.kind(i) == "RBRACE" and i + 1 < len(text.tokens) else i
    return Damage(((*text.span(i), ""),), (text.span(ahead)[0],))


def _inserted(text: Text, random: Random) -> Damage | None:
    i = random.randrange(len(text.tokens))
    token = random.choice(text.tokens)
    at = text.span(i)[0]
    return Damage(((at, at, f"{token} "),), (at,))


def _swapped(text: Text, random: Random) -> Damage | None:
    i = random.randrange(len(text.tokens) - 1)
    a, b = text.span(i), text.span(i + 1)
    edits = ((*a, str(text.tokens[i + 1])), (*b, str(text.tokens[i])))
    return Damage(edits, (a[0], b[0]))


SWAP = "tokens swapped"
RANDOM: dict[str, Kind] = {
    "token deleted": _deleted,
    "token inserted": _inserted,
    SWAP: _swapped,
}
