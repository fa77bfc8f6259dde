"""Keywords into the blocks that they begin, with marks where the author goes on typing."""

import attrs


@attrs.frozen(slots=True)
class Skeleton:
    """A block to fill in; ``snippet`` has ``$1`` marks, ``plain`` is its beginning alone."""

    label: str
    plain: str
    snippet: str
    about: str


def _block(keyword: str, name: str, body: str, about: str) -> Skeleton:
    snippet = f"{keyword} ${{1:{name}}} {{\n  {body}\n}}"
    return Skeleton(keyword, f"{keyword} ", snippet, about)


_OVERRIDE = _block("override", "object", "$0", "What changes for one object in here.")

TOP: tuple[Skeleton, ...] = (
    _block("object", "name", "class      = ${2:WEIGHT_TILE}\n  size_bytes = ${3:1MiB}$0", "Data."),
    Skeleton(
        "extern object",
        "extern object ",
        "extern object ${1:name}$0",
        "Data that another file declares.",
    ),
    _block(
        "template",
        "name",
        "class    = ${2:KV_BLOCK}\n  instance = [${3:SEQUENCE, BLOCK}]$0",
        "One object per instance, made as the run goes.",
    ),
    _block("phase", "name", "$0", "A stretch of execution that reshapes urgency and locality."),
    _block("on", "tool_wait", "$0", "What holds once an event has happened."),
    _block("plan", "name", 'machine = "${2:h100-sxm}"$0', "What was chosen for one machine."),
    _block("coalition", "name", "members = [$0]", "Objects that are used together."),
    _block("tenant", "name", "$0", "A holder of quota and security domain."),
    _block("claim", "name", "holder = ${2:holder}$0", "A promise about resident blocks."),
    _block("module", "name", "$0", "What the file as a whole is."),
)
"""Declarations that stand on top."""

NESTED: dict[tuple[str, ...], tuple[Skeleton, ...]] = {
    ("phase",): (
        _block("step", "name", "reads = [$0]", "One unit of progress inside the phase."),
        _OVERRIDE,
    ),
    ("on",): (_OVERRIDE,),
    ("plan",): (_block("phase", "name", "$0", "What the plan decides inside a phase."), _OVERRIDE),
    ("plan", "phase"): (_OVERRIDE,),
}
"""Blocks that stand in others, by the keywords around them."""
