"""A task, a point as one line of text, into its answer, another: what every pool runs."""

import json

from mirc.diagnostics import CouldNotRun
from mirc.sweep.figures import figures_of
from mirc.sweep.points import Point


def answer(task: str) -> str:
    """Return what became of a point: its figures, or the sentence that says why there are none.

    A sentence is the point's own result, as figures are. Whatever else goes wrong in one point is
    told as a ``fault``, which is no result: the others go on, and it is tried again next time.
    """
    point = Point.of_task(task)
    try:
        found = {"key": point.key, "figures": dict(figures_of(point))}
    except CouldNotRun as error:
        found = {"key": point.key, "error": error.message}
    except MemoryError:
        found = {"key": point.key, "fault": "there was not enough memory for it"}
    except Exception as error:  # noqa: BLE001 - one point's bug must not end a sweep of many
        found = {"key": point.key, "fault": f"{type(error).__name__}: {error}"}
    return json.dumps(found)


def faulted(task: str, why: str) -> str:
    """Return the answer for a task that never answered."""
    return json.dumps({"key": Point.of_task(task).key, "fault": why})
