"""``mirc trace make`` of requests: what is written can be read, and is the same for one seed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.traces.requests import read


@pytest.mark.parametrize(
    "made",
    [
        ("agents", "--sessions", "5"),
        ("retrieval", "--requests", "20", "--documents", "9"),
        ("tenants", "--sessions", "5"),
    ],
)
def test_a_trace_of_requests_is_made_from_a_seed(made: tuple[str, ...], tmp_path: Path) -> None:
    texts = []
    for seed in ("3", "3", "4"):
        path = tmp_path / f"{made[0]}.jsonl"
        arguments = ["trace", "make", *made, "--seed", seed, "-o", str(path)]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
        assert len(read(str(path))) >= 5
        texts.append(path.read_bytes())
    assert texts[0] == texts[1] != texts[2]


def test_more_bursts_than_documents_is_refused_by_the_option() -> None:
    found = CliRunner().invoke(cli, ["trace", "make", "retrieval", "--documents", "2"])
    assert found.exit_code == 2
    assert "--documents" in found.output
