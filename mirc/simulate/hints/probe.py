"""A name into a question that may be asked beside what the policies make of a run."""

from enum import StrEnum


class Probe(StrEnum):
    """What to measure beside the policies."""

    CURVE = "curve"
    """Intent with a growing share of its hints wrong."""
    ABLATION = "ablation"
    """Intent without each field of the file."""
    MISSES = "misses"
    """What LRU misses at every capacity, class by class."""
