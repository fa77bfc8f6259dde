"""Numbers and nouns into words."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return ``1 error``, ``2 errors``, ``1,024 errors``; ``nouns`` is a plural without an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"
