"""``ID[:OBJECT]`` as given on a command line into the changes that it lets pass."""

import re
from collections.abc import Iterable

import attrs

from mirc.changes.model import Change, ChangeRule, Diff, Judgement
from mirc.changes.rules import CHANGE_RULES
from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest

ANY = "any"
LEVELS = (Judgement.BREAKING.value, Judgement.RISKY.value, ANY)


@attrs.frozen
class Allowance:
    """A rule's code, the beginning of codes, or a rule's name; and which declarations."""

    text: str
    rules: frozenset[str]
    names: re.Pattern[str]

    def covers(self, change: Change) -> bool:
        """Say whether it lets a change pass."""
        return change.rule.code in self.rules and self.names.fullmatch(change.name) is not None


@attrs.frozen
class Verdict:
    """What was let pass, what is left at or above the level, and what let nothing pass."""

    allowed: tuple[Change, ...]
    failing: tuple[Change, ...]
    unused: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything is left, else 0."""
        return int(bool(self.failing))


def allowance(text: str) -> Allowance:
    """Read ``ID`` or ``ID:OBJECT``; raise ``CouldNotRun`` for an unknown rule.

    In OBJECT ``*`` stands for any characters and ``?`` for one; brackets mean themselves.
    """
    named, _, pattern = text.partition(":")
    rules = frozenset(rule.code for rule in CHANGE_RULES if _is(rule, named))
    if not rules:
        near = closest(named, (word for rule in CHANGE_RULES for word in (rule.code, rule.name)))
        raise CouldNotRun(
            f"there is no kind of change `{named[:100]}`",
            f"did you mean `{near}`?" if near else "see the table in docs/diff.md",
        )
    parts = {"*": ".*", "?": "."}
    glob = "".join(parts.get(char) or re.escape(char) for char in pattern or "*")
    return Allowance(text, rules, re.compile(glob, re.DOTALL))


def judge(diff: Diff, allowances: Iterable[Allowance], fail_level: str) -> Verdict:
    """Take away what is allowed, and keep what is at or above the level."""
    given = tuple(allowances)
    order = list(Judgement)
    least = order[-1] if fail_level == ANY else Judgement(fail_level)
    used: dict[str, None] = {}
    allowed, failing = [], []
    for change in diff.changes:
        passes = [each.text for each in given if each.covers(change)]
        used.update(dict.fromkeys(passes))
        if passes:
            allowed.append(change)
        elif order.index(change.rule.judgement) <= order.index(least):
            failing.append(change)
    unused = tuple(each.text for each in given if each.text not in used)
    return Verdict(tuple(allowed), tuple(failing), unused)


def _is(rule: ChangeRule, named: str) -> bool:
    return rule.name == named or (named.startswith("MIRD") and rule.code.startswith(named))
