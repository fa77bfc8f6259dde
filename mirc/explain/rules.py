"""A rule's metadata into its explanation."""

from mirc.diagnostics import Rule
from mirc.explain.model import Example, Meaning, Subject
from mirc.grammar.json_rules import JSON_RULES


def rule(known: Rule) -> Meaning:
    """Explain a kind of finding: why it matters, what it says, and how to get rid of it."""
    facts = [("code", known.code), ("severity", known.severity.value)]
    if known.message:
        facts.append(("says", known.message))
    if known.hint:
        facts.append(("help", known.hint))
    if known.fixable:
        facts.append(("fix", "`mirc check --fix` can repair it"))
    if known.machine:
        facts.append(("machine", f"judged on a machine (the example on `{known.machine}`)"))
    if not known.default:
        facts.append(("default", f"off: `mirc check --select {known.code}`"))
    if known not in JSON_RULES:  # JSON has no comments
        facts.append(("ignore", f"// mirc: ignore[{known.code}] reason"))
    examples = [Example("bad", text.strip("\n")) for text in known.bad]
    if known.good:
        examples.append(Example("good", known.good.strip("\n")))
    return Meaning(
        subject=Subject.RULE,
        name=f"{known.code} {known.name}",
        summary=known.about or f"{known.name.replace('-', ' ').capitalize()}.",
        facts=tuple(facts),
        examples=tuple(examples),
    )
