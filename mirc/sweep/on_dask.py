"""Tasks into answers on a Dask scheduler's workers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

from mirc.diagnostics import CouldNotRun

Work = Callable[[str], str]
Lost = Callable[[str, str], str]
_WAITING = 2  # tasks a worker, of which it has begun one
_PATIENCE_S = 10


def on_dask(jobs: int, address: str | None) -> Callable[[Work, Lost, Iterable[str]], Iterator[str]]:
    """Return the pool on the scheduler at ``address``, or on ``jobs`` workers made for it.

    Raises CouldNotRun without Dask. A cluster's machines need this package, and the files of the
    sweep under the same paths.
    """
    try:
        import distributed  # noqa: PLC0415 - a second, where it is asked for
    except ImportError as error:
        raise CouldNotRun(
            "`--on dask` needs dask and distributed, which are not installed",
            "pip install 'mirc[dask]'",
        ) from error

    def run(work: Work, lost: Lost, tasks: Iterable[str]) -> Iterator[str]:
        with ExitStack() as stack:
            client = _client(distributed, jobs, address, stack)
            yield from _answers(distributed, client, work, lost, iter(tasks))

    return run


def _client(distributed: Any, jobs: int, address: str | None, stack: ExitStack) -> Any:
    try:
        if address is not None:
            return stack.enter_context(distributed.Client(address, timeout=_PATIENCE_S))
        cluster = distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, processes=True, dashboard_address=None
        )
        return stack.enter_context(distributed.Client(stack.enter_context(cluster)))
    except (OSError, ValueError, TimeoutError) as error:
        where = f"at `{address}`" if address else "on this machine"
        said = str(error).strip().split("\n")[0][:200]
        raise CouldNotRun(
            f"no Dask scheduler answers {where}: {said}", "check `--address`"
        ) from error


def _answers(
    distributed: Any, client: Any, work: Work, lost: Lost, left: Iterator[str]
) -> Iterator[str]:
    workers = max(1, len(client.nthreads()))
    under_way = {}
    finished = distributed.as_completed()

    def ask(most: int) -> None:
        for task in islice(left, most):
            future = client.submit(work, task, pure=False, retries=1)
            under_way[future] = task
            finished.add(future)

    ask(_WAITING * workers)
    for future in finished:
        task = under_way.pop(future)
        error = future.exception()
        if error is None:
            yield future.result()
        else:
            yield lost(task, f"its worker on the cluster ended: {type(error).__name__}")
        ask(1)
