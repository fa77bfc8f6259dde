"""What a text may not exceed, so that a stranger's file is read in bounded time and memory."""

from mirc.diagnostics import CouldNotRun, Source

MAX_DEPTH = 32  # brackets within brackets
MAX_LINE = 1 << 22  # characters of one physical line
MAX_FIELDS = 1 << 17  # fields of one block: the language has not a hundred keys
MAX_TEXT = 1 << 28  # characters of a text, and bytes of a file


def refuse_too_long(source: Source) -> None:
    """Raise ``CouldNotRun`` if the text, or a line of it, is longer than any that is meant."""
    text = source.text
    if len(text) > MAX_TEXT:
        raise too_large(source.name)
    start = 0
    while start + MAX_LINE < len(text):
        end = text.rfind("\n", start, start + MAX_LINE + 1)  # skips over all the short ones
        if end < 0:
            line = text.count("\n", 0, start) + 1
            raise CouldNotRun(
                f"line {line} of `{source.name}` is longer than {MAX_LINE:,} characters",
                "break the line: a list may stand on several",
            )
        start = end + 1


def too_many_fields(text: str, start: int) -> CouldNotRun:
    """Return the refusal of a block that holds what stands at an offset."""
    line = text.count("\n", 0, start) + 1
    return CouldNotRun(
        f"a block near line {line} has more than {MAX_FIELDS:,} fields", "write each key once"
    )


def too_large(name: str) -> CouldNotRun:
    """Return the refusal of a file."""
    return CouldNotRun(
        f"`{name}` is larger than {MAX_TEXT >> 20} MiB", "split it: `extern object` names the rest"
    )
