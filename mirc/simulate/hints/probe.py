"""A name into a question that may be asked of a file's hints."""

from enum import StrEnum


class Probe(StrEnum):
    """What to measure beside the policies."""

    CURVE = "curve"
    """Intent with a growing share of its hints wrong."""
    ABLATION = "ablation"
    """Intent without each field of the file."""
