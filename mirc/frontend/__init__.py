"""A model into a program: loading, capture, lowering (torch lives here)."""

from mirc.frontend.entry import CaptureOptions, Fold
from mirc.frontend.program import capture

__all__ = ["CaptureOptions", "Fold", "capture"]
