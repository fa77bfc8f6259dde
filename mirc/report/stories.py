"""A recorded study and an object's name into the stories of ``mirc simulate --why``."""

import json

from mirc.report.why import as_object, as_text, asked, story
from mirc.simulate.study import Study


def written(study: Study, question: str, form: str) -> str:
    """Return a story for each machine and policy, as ``text`` or ``json``.

    Raises CouldNotRun for an object or a step that no run has.
    """
    wanted = asked(question)
    rows = [row for comparison in study.comparisons for row in comparison.runs]
    found = [story(log, row.happenings, wanted) for log, row in zip(study.logs, rows, strict=True)]
    return json.dumps(as_object(found), indent=2) + "\n" if form == "json" else as_text(found)
