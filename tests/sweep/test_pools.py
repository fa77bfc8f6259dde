"""Each task is answered exactly once, wherever it runs and whatever becomes of who runs it."""

import subprocess
import sys

import pytest

from mirc.diagnostics import CouldNotRun
from mirc.sweep.local import in_processes, in_turn
from mirc.sweep.pools import Place, pool_of
from tests.sweep.deeds import doubled, lost

NUMBERS = [str(number) for number in range(9)]
DOUBLED = sorted(f"{number} {2 * int(number)}" for number in NUMBERS)


def test_one_process_answers_in_order() -> None:
    assert list(in_turn(doubled, lost, NUMBERS)) == [f"{n} {2 * int(n)}" for n in NUMBERS]
    assert pool_of(Place.LOCAL, 1, None) is in_turn


def test_a_task_that_kills_its_process_is_lost_alone() -> None:
    tasks = [*NUMBERS[:2], "die", *NUMBERS[2:]]
    answers = sorted(in_processes(2)(doubled, lost, tasks))
    assert answers[:-1] == DOUBLED
    assert answers[-1] == "die the process that ran it was killed; it may have needed more memory"


def test_an_address_without_a_cluster_is_a_mistake() -> None:
    with pytest.raises(CouldNotRun, match="`--address` names a cluster"):
        pool_of(Place.LOCAL, 2, "tcp://there:1")


@pytest.mark.parametrize("place", ["ray", "dask"])
def test_a_cluster_without_its_package_is_one_sentence(place: str) -> None:
    # a process of its own, in which the package cannot be found
    script = (
        "import sys\n"
        "sys.modules['ray'] = sys.modules['distributed'] = None\n"
        "from mirc.diagnostics import CouldNotRun\n"
        "from mirc.sweep.pools import Place, pool_of\n"
        "try:\n"
        f"    pool_of(Place('{place}'), 1, None)\n"
        "except CouldNotRun as error:\n"
        "    print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"`--on {place}` needs {place}" in done.stdout
    assert f"pip install 'mirc[{place}]'" in done.stdout
