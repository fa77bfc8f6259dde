"""What the hints of a file are worth: how wrong they may be, and which of them matter."""

from mirc.simulate.hints.ablation import Ablation, Without, ablation
from mirc.simulate.hints.curve import HintCurve, HintPoint, corrupted, hint_curve
from mirc.simulate.hints.probe import Probe

__all__ = [
    "Ablation",
    "HintCurve",
    "HintPoint",
    "Probe",
    "Without",
    "ablation",
    "corrupted",
    "hint_curve",
]
