"""A model into a program: loading, capture, lowering (torch lives here)."""

from mirc.frontend.entry import CaptureOptions
from mirc.frontend.program import capture

__all__ = ["CaptureOptions", "capture"]
