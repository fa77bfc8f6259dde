"""A difference into Markdown, for a comment on a change request."""

from collections.abc import Iterator

from mirc.changes.allow import Verdict
from mirc.changes.groups import grouped
from mirc.changes.model import Diff, Judgement
from mirc.changes.text import MOST_GROUPS, sentence, summary, tier_text
from mirc.diagnostics.markup import code


def as_markdown(diff: Diff, verdict: Verdict, *, most: int | None = MOST_GROUPS) -> str:
    """Return the report; ``most`` groups of each judgement, None for all of them.

    What comes from the files stands in code spans: the comment is posted in somebody's name.
    """
    parts = [f"### Memory intent: {summary(diff, verdict)}", *_judgements(diff, verdict, most)]
    if diff.changes and diff.tiers:
        rows = ["| tier | before | after | difference |", "|---|---|---|---|"]
        rows += [f"| {' | '.join(tier_text(change))} |" for change in diff.tiers]
        parts.append("Asked for at the busiest step:\n\n" + "\n".join(rows))
        parts.append(f"Assumed: {'; '.join(diff.assumptions)}.")
    if verdict.unused:
        unused = ", ".join(code(f"--allow {text}") for text in verdict.unused)
        parts.append(f"Nothing matched {unused}.")
    return "\n\n".join(parts) + "\n"


def _judgements(diff: Diff, verdict: Verdict, most: int | None) -> Iterator[str]:
    allowed = frozenset(verdict.allowed)
    groups = grouped(diff.changes)
    for judgement in Judgement:
        several = [group for group in groups if group.rule.judgement is judgement]
        lines = [f"**{judgement}**", ""] if several else []
        for group in several[:most]:
            passed = all(change in allowed for change in group.changes)
            note = " (allowed)" if passed else ""
            said = sentence(group, code, code)
            lines.append(f"- {said}: {group.rule.name} ({group.rule.code}){note}")
        left = 0 if most is None else len(several[most:])
        if left:
            lines.append(f"- and {left} more groups of changes")
        if lines:
            yield "\n".join(lines)
