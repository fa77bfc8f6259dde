"""Graphs into facts, one kind a pass."""

from mirc.passes.base import Facts, Pass
from mirc.passes.pipeline import PIPELINE, explain, run
from mirc.passes.seeds import Machines, Options, Schedule

__all__ = ["PIPELINE", "Facts", "Machines", "Options", "Pass", "Schedule", "explain", "run"]
