"""Tasks into answers, one after another or in processes of this machine."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread

Work = Callable[[str], str]
Lost = Callable[[str, str], str]
_WAITING = 2  # tasks a worker, of which it has begun one
_KILLED = "the process that ran it was killed; it may have needed more memory"


def in_turn(work: Work, lost: Lost, tasks: Iterable[str]) -> Iterator[str]:
    """Yield the answers in order, worked out in this process."""
    del lost  # what kills the one who runs them here kills all
    yield from map(work, tasks)


def in_processes(count: int) -> Callable[[Work, Lost, Iterable[str]], Iterator[str]]:
    """Return the pool of ``count`` processes; tasks are different ones.

    Where a process is killed, the tasks that were under way run again, each in a process of its
    own: the one that gets that one killed too is ``lost``, and the others are not.
    """

    def run(work: Work, lost: Lost, tasks: Iterable[str]) -> Iterator[str]:
        left = iter(tasks)
        broken = yield from _until_broken(count, work, left)
        while broken:
            for task in broken:
                yield _alone(work, lost, task)
            broken = yield from _until_broken(count, work, left)

    return run


def _until_broken(
    count: int, work: Work, left: Iterator[str]
) -> Generator[str, None, tuple[str, ...]]:
    """Yield answers; return the tasks that were under way when a process was killed, if one was."""
    asked: dict[str, None] = {}
    futures: dict[Future[str], str] = {}
    pool = _pool(count)

    def ask(most: int) -> None:
        for task in islice(left, most):
            asked[task] = None  # first: a broken pool takes no more
            futures[pool.submit(work, task)] = task

    try:
        ask(count * _WAITING)
        while futures:
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                answer = future.result()
                del asked[futures.pop(future)]
                yield answer
            ask(len(done))
    except BrokenProcessPool:
        return tuple(asked)
    finally:
        pool.shutdown(cancel_futures=True)
    return ()


def _alone(work: Work, lost: Lost, task: str) -> str:
    with _pool(1) as pool:
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return lost(task, _KILLED)


def _pool(count: int) -> ProcessPoolExecutor:
    # spawn: a fork would copy numba's and numpy's threads half
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_with)


def _leave_with() -> None:
    """End this process when the one that began it ends, however it does: nobody else would."""
    parent = parent_process()
    assert parent is not None  # noqa: S101 - this one was begun by another

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
