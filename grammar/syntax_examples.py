"""The texts that most examples of syntax rules are made of."""

from mirc.diagnostics import Rule, Severity


def syntax_rule(
    number: int,
    name: str,
    *bad: str,
    about: str,
    message: str,
    good: str,
    hint: str | None = None,
    fixable: bool = False,
) -> Rule:
    """Return a syntax rule, which is always an error."""
    return Rule(
        f"MIR{number}",
        name,
        Severity.ERROR,
        about=about,
        message=message,
        hint=hint,
        bad=bad,
        good=good,
        fixable=fixable,
    )


def an_object(*fields: str) -> str:
    """Return the text of an object of a class, a field a line."""
    return (
        "object w {\n  class = WEIGHT_TILE\n" + "".join(f"  {field}\n" for field in fields) + "}\n"
    )


SIZED = an_object("size_bytes = 1MiB")
TIERS = an_object("preferred_tiers = [HBM, DRAM]")
