"""Names of rules, as people write them, and settings into the rules that are meant."""

import os
import re
from functools import lru_cache

from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest
from mirc.lint.globs import compiled
from mirc.lint.registry import ALL_RULES, RULE_BY_CODE, RULE_BY_NAME
from mirc.lint.settings import Settings

ALL = "ALL"
_CODE_LIKE = re.compile(r"MIR[0-9](?:[0-9]{2})?(?![0-9])", re.ASCII)
_PREFIX = re.compile(r"MIR[0-9]{0,3}", re.ASCII)
_EXACT = 3  # digits of a whole code


@lru_cache(maxsize=1024)
def matching(word: str) -> frozenset[str]:
    """Return the codes that a code, a prefix, a name or ``ALL`` stands for; none if unknown."""
    if word in RULE_BY_NAME:
        return frozenset((RULE_BY_NAME[word].code,))
    if word == ALL:
        return frozenset(RULE_BY_CODE)
    if _PREFIX.fullmatch(word):
        return frozenset(code for code in RULE_BY_CODE if code.startswith(word))
    return frozenset()


def is_known(word: str) -> bool:
    """Whether a word names any rule."""
    return bool(matching(word))


def only_syntax(word: str) -> bool:
    """Whether a word names nothing but syntax errors."""
    return all(RULE_BY_CODE[code].is_syntax for code in matching(word))


def explain_unknown(word: str) -> str:
    """Return the advice for a word that names no rule."""
    if word.upper() != word and matching(word.upper()):
        return f"did you mean `{word.upper()}`?"
    code = _CODE_LIKE.match(word.upper())
    if code is not None:
        # Rules do not become alike by their numbers: only what the prefix names is near.
        near = code[0] if matching(code[0]) else None
    else:
        near = closest(word, (*RULE_BY_NAME, ALL))
    if near is None:
        return "see docs/rules.md for what there is"
    return f"did you mean `{near}`?"


def check_words(option: str, words: tuple[str, ...]) -> None:
    """Raise ``CouldNotRun`` for a word given to an option that names no rule."""
    for word in words:
        if not is_known(word):
            raise CouldNotRun(
                f"`{option}` names `{word}`: there is no such rule", explain_unknown(word)
            )
        if option == "--ignore" and only_syntax(word):
            raise CouldNotRun(
                f"`{option}` names `{word}`: syntax errors cannot be ignored", "leave it out"
            )


def chosen(settings: Settings, name: str) -> frozenset[str] | None:
    """Return the codes of the rules that speak about a file; None for all but the opt-in ones.

    The more exact name wins (``MIR401`` over ``MIR4`` over ``ALL``), of equals the ignore; what
    is ignored for some files is ignored there however it was selected. Syntax errors always speak.
    """
    quiet = frozenset(
        word
        for pattern, words in settings.per_file_ignores
        if _concerns(pattern, name, settings.root)
        for word in words
    )
    if settings.select is None and not (settings.extend_select or settings.ignore or quiet):
        return None
    return _chosen(settings.select, settings.extend_select, settings.ignore, quiet)


@lru_cache(maxsize=256)
def _chosen(
    select: tuple[str, ...] | None,
    extend: tuple[str, ...],
    ignore: tuple[str, ...],
    quiet: frozenset[str],
) -> frozenset[str]:
    wanted = {} if select is not None else {r.code: 0 for r in ALL_RULES if r.default}
    _weigh(wanted, (*(select or ()), *extend))
    unwanted: dict[str, int] = {}
    _weigh(unwanted, ignore)
    silent = {code for word in quiet for code in matching(word)}
    return frozenset(
        code
        for code, rule in RULE_BY_CODE.items()
        if rule.is_syntax or (code not in silent and wanted.get(code, -1) > unwanted.get(code, -1))
    )


def _weigh(weights: dict[str, int], words: tuple[str, ...]) -> None:
    """Note for each code how exactly the most exact of the words names it."""
    for word in words:
        exactness = 0 if word == ALL else len(word) - 3 if _PREFIX.fullmatch(word) else _EXACT
        for code in matching(word):
            weights[code] = max(exactness, weights.get(code, 0))


def _concerns(pattern: str, name: str, root: str) -> bool:
    """Whether a pattern means a file: its path below ``root``, or its last part."""
    path = os.path.relpath(os.path.abspath(name), root or os.curdir)  # noqa: PTH100
    path = path.replace(os.sep, "/")
    subject = path if "/" in pattern else path.rsplit("/", 1)[-1]
    return compiled(pattern).fullmatch(subject) is not None
