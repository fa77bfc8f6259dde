"""Work for a pool's processes: a task is a number, or a word."""

import os


def doubled(task: str) -> str:
    """Answer a number with twice of it; `die` ends the process without an answer."""
    if task == "die":
        os.abort()
    return f"{task} {2 * int(task)}"


def lost(task: str, why: str) -> str:
    """Answer for one that did not."""
    return f"{task} {why}"
