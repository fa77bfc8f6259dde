"""The id or name of a kind of change into its explanation."""

from mirc.changes.handbook import what
from mirc.changes.model import ChangeRule, Judgement
from mirc.changes.rules import CHANGE_RULES
from mirc.explain.members import meanings
from mirc.explain.model import Explanation, Meaning, Subject


def word(text: str) -> Explanation | None:
    """Explain ``MIRD301`` or ``size-grown``, what ``mirc diff`` prints; None if unknown."""
    for rule in CHANGE_RULES:
        if text.casefold() in (rule.code.casefold(), rule.name):
            return Explanation(text, (_meaning(rule),))
    return None


def _meaning(rule: ChangeRule) -> Meaning:
    return Meaning(
        subject=Subject.RULE,
        name=f"{rule.code} {rule.name}",
        noun="a kind of change",
        summary=rule.about,
        facts=(
            ("judged", f"{rule.judgement}: {meanings(Judgement)[rule.judgement]}"),
            ("applies to", what(rule)),
            ("allow", f"mirc diff OLD NEW --allow {rule.name}"),
        ),
    )
