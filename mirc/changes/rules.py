"""THE table of changes: from what changed, and which way, to how it is judged."""

from functools import cache
from typing import Any

from mirc.changes.model import ChangeRule, Direction, Judgement
from mirc.ir.fields import Strength

_B, _R, _S = Judgement.BREAKING, Judgement.RISKY, Judgement.SAFE
_D = Direction
_DATA = ("object", "template", "extern object")
_PROMISES = (Strength.HARD, Strength.WIRED)


def _rule(
    number: int,
    name: str,
    judged: Judgement,
    about: str,
    /,
    way: Direction | None = None,
    **to: Any,
) -> ChangeRule:
    code, ways = f"MIRD{number}", () if way is None else (way,)
    return ChangeRule(code=code, name=name, judgement=judged, about=about, directions=ways, **to)


_SIZES = ("size_bytes",)
_WORK = ("flops", "transient_bytes", "traffic_bytes")
_RIGHTS = (
    "replication_allowed",
    "multicast_eligible",
    "promotion_safe",
    "replay_safe",
    "side_effects",
)
_QUOTAS = ("quota_bytes", "wired_quota_bytes")
_TIERS = ("preferred_tiers", "fallback_tiers")
_DEADLINES = ("deadline_class", "deadline_us")

# fmt: off
DECLARATION_RULES = (
    _rule(101, "object-removed", _B, "Who uses it finds nothing.", kinds=_DATA, way=_D.REMOVED),
    _rule(102, "object-added", _S, "Its bytes are judged by `peak-grown`.",
          kinds=_DATA, way=_D.ADDED),
    _rule(103, "object-renamed", _B, "Runtimes bind data by its name.",
          kinds=_DATA, way=_D.RENAMED),
    _rule(104, "object-recast", _B, "An object, a template or extern became another.",
          kinds=_DATA, way=_D.RECAST),
    _rule(110, "claim-revoked", _B, "Its holder relied on it.", kinds=("claim",), way=_D.REMOVED),
    _rule(111, "claim-added", _R, "Others may be refused for it.", kinds=("claim",), way=_D.ADDED),
    _rule(112, "tenant-removed", _B, "Its quota and domain are gone.",
          kinds=("tenant",), way=_D.REMOVED),
    _rule(113, "tenant-added", _R, "Its quota is taken from others.",
          kinds=("tenant",), way=_D.ADDED),
    _rule(114, "coalition-removed", _S, "A hint is gone.", kinds=("coalition",), way=_D.REMOVED),
    _rule(115, "coalition-added", _S, "A hint more.", kinds=("coalition",), way=_D.ADDED),
    _rule(120, "phase-removed", _B, "Whoever enters it is refused.",
          kinds=("phase",), way=_D.REMOVED),
    _rule(121, "phase-added", _S, "Nobody enters it yet.", kinds=("phase",), way=_D.ADDED),
    _rule(122, "signal-removed", _S, "What it said is judged by field.",
          kinds=("signal",), way=_D.REMOVED),
    _rule(123, "signal-added", _S, "What it says is judged by field.",
          kinds=("signal",), way=_D.ADDED),
    _rule(124, "plan-removed", _R, "Its machine is left with the intent alone.",
          kinds=("plan",), way=_D.REMOVED),
    _rule(125, "plan-added", _S, "Other machines do not see it.", kinds=("plan",), way=_D.ADDED),
    _rule(126, "contract-renamed", _B, "Events and requests name it.",
          kinds=("phase", "claim", "tenant"), way=_D.RENAMED),
    _rule(127, "label-renamed", _R, "Only command lines name it.",
          kinds=("coalition", "plan"), way=_D.RENAMED),
    _rule(128, "module-renamed", _S, "The name is a label.", kinds=("module",), way=_D.RENAMED),
    _rule(129, "version-changed", _R, "An older reader may not know the language.",
          kinds=("file",), way=_D.OTHER),
    _rule(201, "step-removed", _R, "Progress and residencies may name it.",
          kinds=("step",), way=_D.REMOVED),
    _rule(202, "step-added", _S, "What it uses is judged by its bytes.",
          kinds=("step",), way=_D.ADDED),
    _rule(203, "steps-reordered", _R, "First and last uses move with it.",
          kinds=("phase",), way=_D.REORDERED),
)
"""For whole declarations."""

FIELD_RULES = (
    _rule(407, "confidence-changed", _S, "The same estimate, believed more or less.",
          way=_D.CONFIDENCE),
    _rule(320, "first-declared", _S, "Nobody could rely on what was not said.", way=_D.DECLARED),
    _rule(204, "phase-unscheduled", _B, "A phase that ran does not any more.",
          keys=("schedule",), way=_D.WITHDRAWN),
    _rule(205, "schedule-changed", _R, "Phases run in another order.", keys=("schedule",)),
    _rule(206, "event-withdrawn", _B, "What waits `UNTIL_` it waits for ever.",
          keys=("raises",), way=_D.WITHDRAWN),
    _rule(207, "event-added", _S, "Nothing waited for it.", keys=("raises",)),
    _rule(208, "uses-changed", _R, "Other bytes are needed there.", keys=("reads", "writes")),
    _rule(301, "size-grown", _R, "It may not fit where it did.", keys=_SIZES, way=_D.GROWN),
    _rule(302, "size-shrunk", _S, "It fits where it did.", keys=_SIZES, way=_D.SHRUNK),
    _rule(303, "size-withdrawn", _B, "Nobody can place it any more.",
          keys=_SIZES, way=_D.WITHDRAWN),
    _rule(304, "size-declared", _S, "It can be placed now.", keys=_SIZES, way=_D.GRANTED),
    _rule(305, "size-recast", _R, "Fixed, per token and per sequence do not compare.", keys=_SIZES),
    _rule(306, "work-grown", _R, "The step takes longer, or more room.", keys=_WORK, way=_D.GROWN),
    _rule(307, "work-shrunk", _S, "The step takes less.", keys=_WORK, way=_D.SHRUNK),
    _rule(308, "class-changed", _B, "It is another thing, with other defaults.", keys=("class",)),
    _rule(309, "bytes-recast", _B, "The same bytes mean something else.",
          keys=("dtype", "block_tokens", "instance", "token_range", "shard")),
    _rule(310, "mutability-loosened", _B, "Copies may now be stale.",
          keys=("mutability",), way=_D.WEAKER),
    _rule(311, "mutability-tightened", _S, "Copies stay true longer.",
          keys=("mutability",), way=_D.STRONGER),
    _rule(312, "backing-withdrawn", _B, "A dropped copy may be the last.",
          keys=("backing",), way=_D.WITHDRAWN),
    _rule(313, "backing-added", _S, "Another tier keeps a master.",
          keys=("backing",), way=_D.GRANTED),
    _rule(314, "life-shortened", _B, "It is reclaimed while somebody may still count on it.",
          keys=("persistence_scope",), way=_D.SHRUNK),
    _rule(315, "life-lengthened", _R, "Its room is free later.",
          keys=("persistence_scope",), way=_D.GROWN),
    _rule(316, "right-withdrawn", _B, "What was done is now forbidden.",
          keys=_RIGHTS, way=_D.WITHDRAWN),
    _rule(317, "right-granted", _S, "More is allowed.", keys=_RIGHTS, way=_D.GRANTED),
    _rule(318, "plan-retargeted", _R, "It was chosen for another machine.", keys=("machine",)),
    _rule(319, "note-changed", _S, "Nothing acts on it.", keys=("producer", "model", "revision")),
    _rule(401, "tier-forbidden", _B,
          "A tier is neither preferred nor fallback any more, and `runtime_override` is FORBID.",
          keys=_TIERS, way=_D.FORBIDDEN),
    _rule(402, "tier-withdrawn", _R, "A tier is neither preferred nor fallback any more.",
          keys=_TIERS, way=_D.WITHDRAWN),
    _rule(403, "tier-offered", _S, "A tier more, and none less.", keys=_TIERS, way=_D.GRANTED),
    _rule(404, "tiers-reordered", _R, "The same tiers, wanted otherwise.", keys=_TIERS),
    _rule(501, "deadline-softened", _B, "A reader may now wait.", keys=_DEADLINES, way=_D.WEAKER),
    _rule(502, "deadline-hardened", _R, "What was in time may be late.",
          keys=_DEADLINES, way=_D.STRONGER),
    _rule(509, "quota-lowered", _B, "The tenant may hold too much.",
          keys=_QUOTAS, way=_D.WITHDRAWN),
    _rule(510, "quota-raised", _R, "Others have less.", keys=_QUOTAS, way=_D.GRANTED),
    _rule(601, "floor-lowered", _B, "Less precision is legal now.",
          keys=("precision_floor",), way=_D.WEAKER),
    _rule(602, "floor-raised", _R, "Narrower copies must be widened first.",
          keys=("precision_floor",), way=_D.STRONGER),
    _rule(603, "domain-changed", _B, "Bytes cross a border that nothing crosses.",
          keys=("security_domain", "tenant_id")),
    _rule(405, "estimate-overturned", _R,
          "It says something else, or is off by more than a factor of 2.",
          strengths=(Strength.PRIOR,), way=_D.FAR),
    _rule(406, "estimate-adjusted", _S, "It stays within a factor of 2.",
          strengths=(Strength.PRIOR,)),
    _rule(408, "hint-changed", _S, "A hint may be ignored anyway.", strengths=(Strength.HINT,)),
    _rule(503, "contract-weakened", _B, "Somebody relied on it.",
          strengths=_PROMISES, way=_D.WEAKER),
    _rule(504, "contract-strengthened", _R, "It takes room from others.",
          strengths=_PROMISES, way=_D.STRONGER),
    _rule(505, "contract-changed", _B, "It promises something else.", strengths=_PROMISES),
    _rule(506, "promise-weakened", _R, "A loss that was an event is none.",
          strengths=(Strength.SOFT,), way=_D.WEAKER),
    _rule(507, "promise-changed", _R, "Other things yield first.", strengths=(Strength.SOFT,)),
    _rule(604, "safety-changed", _B, "Nothing may cross it.", strengths=(Strength.SAFETY,)),
    _rule(399, "fact-changed", _R, "What is so is otherwise.", strengths=(Strength.FACT,)),
)
"""For fields: the first rule whose keys, strengths and directions fit judges a change."""

PEAK_RULES = (
    _rule(701, "peak-grown", _R, "More bytes are asked for at the busiest step.",
          kinds=("tier",), way=_D.GROWN),
    _rule(702, "peak-shrunk", _S, "Fewer bytes are asked for at the busiest step.",
          kinds=("tier",), way=_D.SHRUNK),
)
"""For the bytes that a tier is asked for."""
# fmt: on

CHANGE_RULES: tuple[ChangeRule, ...] = tuple(
    sorted((*DECLARATION_RULES, *FIELD_RULES, *PEAK_RULES), key=lambda rule: rule.code)
)
"""All of them, by code."""


@cache
def rule_of_kind(kind: str, direction: Direction) -> ChangeRule:
    """Return the rule for a whole declaration; StopIteration would be a hole in the table."""
    return next(
        rule
        for rule in (*DECLARATION_RULES, *PEAK_RULES)
        if kind in rule.kinds and direction in rule.directions
    )


@cache
def rule_of_field(key: str, strength: Strength, direction: Direction) -> ChangeRule:
    """Return the first rule that fits a field's change; the last rows fit every strength."""
    return next(rule for rule in FIELD_RULES if _fits(rule, key, strength, direction))


def _fits(rule: ChangeRule, key: str, strength: Strength, direction: Direction) -> bool:
    return (
        (not rule.keys or key in rule.keys)
        and (not rule.strengths or strength in rule.strengths)
        and (not rule.directions or direction in rule.directions)
    )
