"""A folder with a file whose plan matters, and sweeps of it."""

from pathlib import Path

from tests.simulate.hints.mended import text

SMALL = """
machines = ["card-24g"]

[[run]]
file = "toy.mir"
schedule = "REPEAT(3, decode)"
policies = ["lru", "intent"]
capacities_gb = [3, 0.5]
hints_wrong = [0.0, 1.0]
"""
"""Eight points: two policies in 3 GB, and in 0.5 GB, where no weight of 1 GB fits."""

LARGE = """
machines = ["card-24g"]
policies = ["static", "lru", "mru", "intent"]
capacities_gb = [3.0, 3.5, 4, 4.5, 5]
hints_wrong = [0.0, 0.1, 0.2, 0.5, 1.0]
seeds = [0, 1]

[[run]]
file = "toy.mir"
schedule = "REPEAT(6, decode)"
"""
"""Two hundred points: four policies, five capacities, five shares, two seeds."""


def laid(folder: Path, sweep: str = SMALL) -> Path:
    """Write the file and a sweep of it into a folder; return the path of the sweep."""
    mir = text().replace('"toy"', '"card-24g"')
    (folder / "toy.mir").write_text(mir, encoding="utf-8")
    path = folder / "sweep.toml"
    path.write_text(sweep, encoding="utf-8")
    return path
