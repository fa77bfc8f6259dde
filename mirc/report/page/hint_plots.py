"""What hints, claims and pins were worth and what became of them into plots."""

from collections.abc import Iterator, Sequence

from mirc.report.page.charts import PERCENT, SECONDS, bars, lines, ticks
from mirc.report.page.model import Frame, Plot
from mirc.report.page.values import PS_PER_S, most, rounded
from mirc.report.units import percent_text
from mirc.simulate.claims import ClaimStage
from mirc.simulate.comparison import Comparison
from mirc.simulate.promises import PromiseStage

MOST_MARKS = 1500  # of one run: a page with more is slow, and shows no more
_TELLS = 1e-4  # of the time: a bar for less cannot be seen


def hint_curves(comparisons: Sequence[Comparison]) -> Iterator[Plot]:
    """Yield what intent takes with ever more of its hints wrong, if that was asked for."""
    frames = []
    for comparison in comparisons:
        curve = comparison.hints
        if curve is None:
            continue
        shares = [point.share for point in curve.points]
        columns: dict[str, Sequence[object]] = {
            "share": [*shares] * 3,
            "seconds": rounded(
                ps / PS_PER_S
                for ps in (
                    *(point.intent_ps for point in curve.points),
                    *(point.static_ps for point in curve.points),
                    *(curve.lru_ps for _ in shares),
                )
            ),
            "run": [
                name
                for name in ("intent", "static, told the same", "lru, told nothing")
                for _ in shares
            ],
        }
        frames.append(Frame(key={"machine": comparison.machine}, columns=columns))
    if frames:
        yield Plot(
            name="hint-curve",
            title="When hints are wrong",
            caption="Total time with a share of the hints corrupted: where intent's line crosses "
            "the others, hints are no longer worth having.",
            chart=lines(
                "share",
                "seconds",
                "run",
                units=(PERCENT, SECONDS),
                titles=("hints that are wrong", "total time"),
                shape="dots",
            ),
            frames=tuple(frames),
        )


def ablations(comparisons: Sequence[Comparison]) -> Iterator[Plot]:
    """Yield what intent takes without each field of its file, if that was asked for."""
    frames = []
    for comparison in comparisons:
        if comparison.ablation is not None:
            rows = [row for row in comparison.ablation.rows if abs(row.slower) > _TELLS]
            frames.append(
                Frame(
                    key={"machine": comparison.machine},
                    columns={
                        "what": [row.what for row in rows],
                        "slower": rounded(row.slower for row in rows),
                        "text": [percent_text(row.slower) for row in rows],
                    },
                )
            )
    if frames:
        yield Plot(
            name="ablation",
            title="Without one field",
            caption="How much longer intent takes when the file does not say this; nothing, or "
            "less, where it is not worth saying. What changes the time by less than 0.01 % is left "
            "out.",
            chart=bars("slower", "what", most(frames, "what"), unit=PERCENT, label="text"),
            frames=tuple(frames),
        )


def promises(comparisons: Sequence[Comparison]) -> Plot | None:
    """Return what became of claims, soft pins and dwell timers under intent, if there were any."""
    frames = []
    for comparison in comparisons:
        for row in comparison.rows:
            said = [
                (
                    f"claim {each.outcome}" if each.actor == ClaimStage.name else each.what,
                    each.what if each.actor == ClaimStage.name else each.outcome,
                    each.object,
                    each.time_ps / PS_PER_S,
                )
                for each in row.happenings
                if each.actor in (ClaimStage.name, PromiseStage.name)
            ]
            if row.policy != "intent" or not said:
                continue
            said = said[:: -(-len(said) // MOST_MARKS)]
            frames.append(
                Frame(
                    key={"machine": comparison.machine},
                    columns={
                        "promise": [each[0] for each in said],
                        "what": [each[1] for each in said],
                        "object": [each[2] for each in said],
                        "seconds": rounded(each[3] for each in said),
                    },
                )
            )
    if not frames:
        return None
    return Plot(
        name="claims",
        title="Claims, soft pins and dwell timers",
        caption="What began, held and was lost under intent, and when; of more than "
        f"{MOST_MARKS:,} every so many-th.",
        chart=ticks("seconds", "promise", most(frames, "promise"), "what"),
        frames=tuple(frames),
    )
