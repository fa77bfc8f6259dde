"""Tasks into answers on a Ray cluster."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from mirc.diagnostics import CouldNotRun

Work = Callable[[str], str]
Lost = Callable[[str, str], str]
_WAITING = 2  # tasks a processor of the cluster, of which it has begun one


def on_ray(jobs: int, address: str | None) -> Callable[[Work, Lost, Iterable[str]], Iterator[str]]:
    """Return the pool on the cluster at ``address``, or on one of ``jobs`` workers made for it.

    Raises CouldNotRun without Ray. A cluster's machines need this package, and the files of the
    sweep under the same paths.
    """
    try:
        import ray  # noqa: PLC0415 - seconds, where it is asked for
    except ImportError as error:
        raise CouldNotRun(
            "`--on ray` needs ray, which is not installed", "pip install 'mirc[ray]'"
        ) from error

    def run(work: Work, lost: Lost, tasks: Iterable[str]) -> Iterator[str]:
        _begin(ray, jobs, address)
        try:
            yield from _answers(ray, work, lost, iter(tasks))
        finally:
            ray.shutdown()

    return run


def _begin(ray: Any, jobs: int, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address is None:
            # Its own, even where a variable or a file names another cluster.
            ray.init(address="local", num_cpus=jobs, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise _unreached(address, error) from error


def _answers(ray: Any, work: Work, lost: Lost, left: Iterator[str]) -> Iterator[str]:
    remote = ray.remote(max_retries=1, num_cpus=1)(work)
    most = _WAITING * max(1, int(ray.cluster_resources().get("CPU", 1)))
    under_way = {remote.remote(task): task for task in islice(left, most)}
    while under_way:
        (done,), _ = ray.wait(list(under_way), num_returns=1)
        task = under_way.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.RayError as error:
            yield lost(task, f"its worker on the cluster ended: {type(error).__name__}")
        under_way |= {remote.remote(task): task for task in islice(left, 1)}


def _unreached(address: str | None, error: Exception) -> CouldNotRun:
    where = f"at `{address}`" if address else "on this machine"
    said = str(error).strip().split("\n")[0][:200]
    return CouldNotRun(f"no Ray cluster answers {where}: {said}", "check `--address`")
