"""A seed into a .mir text with mistakes and odd layouts, to hold readers against each other."""

import random
import re

_TOP = ("object", "template", "coalition", "tenant", "claim", "phase", "on", "plan")
_INSIDE = {"phase": ("step", "override"), "on": ("override",), "plan": ("override", "phase")}
_KEYS = ("class", "size_bytes", "reuse", "reads", "x", "a.b", "w[3]", "objects")
_WORDS = ("WEIGHT_TILE", "HBM", "model.layers.0.w", "e[17]", "w[0:1024]", "0.weight", "mir", "ons")
_NUMBERS = (
    "0",
    "12",
    "134_217_728",
    "-3",
    "1.5",
    "1e9",
    "-2.5e-3",
    "128MiB",
    "1.5GB",
    "12us",
    "7s",
)
_TEXTS = ('"card"', '"a b"', '"x\\n\\u00e9"', '"}"', '"// no"', '"{"', '""')
_COMMENTS = ("// note", "// }", "// object a {", '// "', "//")
_INSERTED = (
    *("{", "}", "=", "[", "]", "(", ")", ",", "@", ";", "#", "?", "\0", "é", "\ufeff"),
    *("object", "phase", "step", "override", "extern", "on", "true", "x", "3", "0.5", "128MiB"),
    *("\n", "\r\n", " ", "\t", "//", '"', '"a', "mir 1.0", "mir 1.0\n", "1.", "12x", "\v", "a.b"),
)
_BODY = re.compile(r"\{[^{}]*(?=\})")
_AFTER = ("}\n", "}", "\n", " ", "", "/", "// }", "x")
_TOKEN = re.compile(r'//[^\n]*|"[^"\n]*"|[\w.]+|\s+|.')


class _Writer:
    """Writes one text; every choice is the random generator's."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.commented = chance.choice((0.0, 0.05, 0.5))

    def value(self, depth: int = 0) -> str:
        kind = self.chance.random()
        if depth < 3 and kind < 0.12:
            return f"[{self.values(depth)}{self.chance.choice(('', '', ','))}]".replace("[,]", "[]")
        if depth < 3 and kind < 0.2:
            return f"{self.chance.choice(('PER_TOKEN', 'HBM'))}({self.values(depth)})"
        return self.chance.choice(
            self.chance.choice((_WORDS, _NUMBERS, _NUMBERS, _TEXTS, ("true", "false")))
        )

    def values(self, depth: int) -> str:
        return ", ".join(self.value(depth + 1) for _ in range(self.chance.randrange(4)))

    def comment(self) -> str:
        return f"  {self.chance.choice(_COMMENTS)}" if self.chance.random() < self.commented else ""

    def field(self, indent: str) -> str:
        confidence = f" @ {self.chance.choice(('0.5', '1', '0.25'))}"
        confidence = confidence if self.chance.random() < 0.2 else ""
        key = self.chance.choice(_KEYS)
        return f"{indent}{key:<10} = {self.value()}{confidence}{self.comment()}\n"

    def block(self, keyword: str, indent: str = "") -> str:
        name = self.chance.choice((*_WORDS, '"a b"'))
        head = f"{indent}{keyword} {name} {{{self.comment()}\n"
        inside = indent + "  "
        parts = [self.field(inside) for _ in range(self.chance.randrange(5))]
        # a plan's phase holds overrides alone
        kinds = ("override",) if indent and keyword == "phase" else _INSIDE.get(keyword, ())
        if kinds:
            inner = self.chance.randrange(4)
            parts += [self.block(self.chance.choice(kinds), inside) for _ in range(inner)]
            self.chance.shuffle(parts)
        return f"{head}{''.join(parts)}{indent}}}{self.comment()}\n"

    def text(self) -> str:
        parts = ["mir 1.0\n\n"] if self.chance.random() < 0.8 else []
        for _ in range(self.chance.randrange(1, 7)):
            odd = self.chance.random()
            if odd < 0.04:
                parts.append(f"extern object {self.chance.choice(_WORDS)}\n")
            elif odd < 0.08:
                parts.append(f"extern {self.block('object')}")
            else:
                parts.append(self.block(self.chance.choice(_TOP)))
            parts.append(self.chance.choice(("\n", "\n", "", f"{self.comment()}\n")))
        return "".join(parts)

    def edited(self, text: str) -> str:
        """Delete, insert, swap, replace or double some tokens."""
        tokens = _TOKEN.findall(text)
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 3))):
            at, other = self.chance.randrange(len(tokens)), self.chance.randrange(len(tokens))
            match self.chance.randrange(5):
                case 0:
                    tokens[at] = ""
                case 1:
                    tokens.insert(at, self.chance.choice(_INSERTED))
                case 2:
                    tokens[at], tokens[other] = tokens[other], tokens[at]
                case 3:
                    tokens[at] = self.chance.choice(_INSERTED)
                case _:
                    tokens.insert(other, tokens[at])
        return "".join(tokens)

    def laid_out(self, text: str) -> str:
        """Wrap and join some lines, mix line ends and indents."""
        how = self.chance.random()
        if how < 0.7:
            return text
        if how < 0.8:
            return text.replace("\n", "\r\n")
        often = self.chance.random() * 0.2
        spaces = ("\n", " ", "\t", "\r\n", "  \n\n ", " // c\n", "\r")
        return re.sub(
            r"\s+",
            lambda m: self.chance.choice(spaces) if self.chance.random() < often else m[0],
            text,
        )

    def body_of(self, text: str) -> str:
        bodies: list[str] = _BODY.findall(text)
        return self.chance.choice(bodies or ["{\n"])

    def cut_short(self, text: str) -> str:
        """Cut the text at any character, or write a block's body, or what it begins with, again.

        What was read once is remembered: all that is written twice must be read as if it were not.
        """
        match self.chance.randrange(12):
            case 0:
                return text[: self.chance.randrange(len(text) + 1)]
            case 1:
                again = f"{text}\nobject b {self.body_of(text)}}}\n"
                return again[: self.chance.randrange(len(text), len(again) + 1)]
            case 2:
                return f"{text}\nobject b {self.body_of(text)}{self.chance.choice(_AFTER)}"
            case _:
                return text


def damaged(seed: int) -> str:
    """Return a text of some declarations, in most seeds edited, laid out oddly or cut."""
    writer = _Writer(random.Random(seed))  # noqa: S311 - no secret
    return writer.cut_short(writer.laid_out(writer.edited(writer.text())))
