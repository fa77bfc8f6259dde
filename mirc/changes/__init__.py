from mirc.changes.allow import LEVELS, Allowance, Verdict, allowance, judge
from mirc.changes.compare import diff
from mirc.changes.model import (
    Change,
    ChangeRule,
    Demand,
    Diff,
    Direction,
    Judgement,
    TierChange,
)
from mirc.changes.rules import CHANGE_RULES

__all__ = [
    "CHANGE_RULES",
    "LEVELS",
    "Allowance",
    "Change",
    "ChangeRule",
    "Demand",
    "Diff",
    "Direction",
    "Judgement",
    "TierChange",
    "Verdict",
    "allowance",
    "diff",
    "judge",
]
