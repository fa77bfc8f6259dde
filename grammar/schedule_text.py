"""The text of ``--schedule`` into the value that a module's schedule holds."""

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar.parse import parse
from mirc.ir import Value
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.types import Mismatch


def parse_schedule(text: str) -> tuple[Value, ...]:
    """Read what may stand after ``schedule =`` in a file, brackets optional; never evaluated.

    Raises CouldNotRun if it is no schedule; whether its phases exist is not known yet.
    """
    inner = text.strip().removeprefix("[").removesuffix("]")
    source = Source("--schedule", f"mir 1.0\nmodule m {{\n  schedule = [{inner}]\n}}\n")
    document = parse(source)
    fields = [field for block in document.blocks for field in block.fields]
    whole = len(document.blocks) == len(fields) == 1 and not document.diagnostics
    if not inner.strip() or "\n" in inner or not whole:
        raise _refusal(text)
    value = fields[0].value
    try:
        FIELD_BY_KEY["schedule"].type.read(value)
    except Mismatch as mismatch:
        raise _refusal(text, mismatch.message) from mismatch
    return value if isinstance(value, tuple) else (value,)


def _refusal(text: str, reason: str = "") -> CouldNotRun:
    because = f": {reason}" if reason else ""
    return CouldNotRun(
        f"`{text}` is not a schedule{because}",
        "write it as in a file: `prefill, REPEAT(64, decode_step)`",
    )
