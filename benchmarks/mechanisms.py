"""Claim: every mechanism of docs/mechanisms.md has its tests, and removing one fails just those.

Without options: one line a mechanism with the tests that bear its id; exits 1 where a row is
empty or a test bears an id that no row has. With ``--remove``: each row of ``removals.toml`` is
taken out of the code, in memory; of the tests that bear any id, those run that import what was
changed, by whatever chain (no other can fail), and those that fail are held against those that
bear this one; exits 1 where the two differ.

Run it: ``python benchmarks/mechanisms.py [--remove [ID ...]] [--jobs N]``.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import forked
import reach

TABLE = forked.ROOT / "docs/mechanisms.md"
REMOVALS = Path(__file__).with_name("removals.toml")
ROW = re.compile(r"\| (S\d-\w+) \| (.+) \|")
SHOWN = 3


def main(remove: Sequence[str] | None, jobs: int) -> int:
    """Print the matrix, or what removing mechanisms did; return the exit code."""
    rows = dict(ROW.findall(TABLE.read_text(encoding="utf-8")))
    return _matrix(rows) if remove is None else _remove(rows, remove, jobs)


def _matrix(rows: Mapping[str, str]) -> int:
    collected = forked.Trial(
        key="", changed={}, tests=("--collect-only", *_files()), first_failure_only=False
    )
    (found,) = forked.trials([collected], at_once=1, limit_s=600)
    bearing = _by_mechanism(found.bearing)
    for name, sentence in rows.items():
        tests = bearing.get(name, [])
        print(f"{name:6} {len(tests):4}  {sentence}")
        for test in tests[:SHOWN]:
            print(f"             {test}")
        if len(tests) > SHOWN:
            print(f"             and {len(tests) - SHOWN} more")
    empty = [name for name in rows if name not in bearing]
    unknown = sorted(set(bearing) - set(rows))
    print(f"{len(rows)} mechanisms, {len(empty)} without a test, {len(found.bearing)} tests")
    for title, names in (("without a test", empty), ("in no row", unknown)):
        if names:
            print(f"{title}: {', '.join(names)}")
    return int(bool(empty or unknown))


def _remove(rows: Mapping[str, str], asked: Sequence[str], jobs: int) -> int:
    removals = tomllib.loads(REMOVALS.read_text(encoding="utf-8"))
    chosen = {name: removals[name] for name in asked or removals}
    forked.preload()
    files = _files()
    work = [_trial(name, removal["cuts"], files) for name, removal in chosen.items()]
    untouched = forked.Trial(
        key="", changed={}, tests=("-m", "mechanism", *files), first_failure_only=False
    )
    _tell("all tests that bear an id, with nothing removed ...")
    (baseline,) = forked.trials([untouched], at_once=1, limit_s=1800)
    if baseline.noticed:
        raise SystemExit(f"tests fail with nothing removed: {', '.join(baseline.failed)}")
    bearing = _by_mechanism(baseline.bearing)
    differ = 0
    limit_s = 8 * baseline.seconds + 60
    for done, verdict in enumerate(forked.trials(work, at_once=jobs, limit_s=limit_s), start=1):
        own, failed = set(bearing.get(verdict.key, ())), set(verdict.failed)
        differ += failed != own or verdict.broke
        print(f"{verdict.key}: {rows[verdict.key]}")
        print(f"  removed: {chosen[verdict.key]['what']}")
        print(f"  {len(own & failed)} of its {len(own)} tests fail, {len(failed - own)} others")
        for test in sorted(own - failed):
            print(f"  still passes: {test}")
        for test in sorted(failed - own):
            print(f"  fails too: {test}")
        if verdict.broke:
            print("  the run did not end")
        sys.stdout.flush()
        _tell(f"{done} of {len(work)} in {verdict.seconds:.0f} s")
    print(
        f"{len(work)} removed, {differ} of them with other tests failing than their own; "
        f"{len(baseline.bearing)} tests bear an id"
    )
    return int(differ > 0)


def _trial(name: str, cuts: Sequence[Mapping[str, str]], files: Sequence[str]) -> forked.Trial:
    changed = _without(name, cuts)
    concerned = reach.reaching(files, changed)
    if not concerned:
        raise SystemExit(f"{name}: no test imports {', '.join(changed)}")
    return forked.Trial(
        key=name, changed=changed, tests=("-m", "mechanism", *concerned), first_failure_only=False
    )


def _tell(progress: str) -> None:
    if sys.stderr.isatty():
        print(progress, file=sys.stderr)


def _without(name: str, cuts: Sequence[Mapping[str, str]]) -> dict[str, ast.Module]:
    """Return the changed modules of one removal; each cut must be found exactly once."""
    texts: dict[str, str] = {}
    for cut in cuts:
        path = cut["file"]
        text = texts.get(path) or (forked.ROOT / path).read_text(encoding="utf-8")
        if text.count(cut["old"]) != 1:
            raise SystemExit(f"{name}: {path} holds {text.count(cut['old'])} times {cut['old']!r}")
        texts[path] = text.replace(cut["old"], cut["new"])
    return {
        ".".join(Path(path).with_suffix("").parts): ast.parse(text) for path, text in texts.items()
    }


def _by_mechanism(bearing: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for test, names in bearing.items():
        for name in names:
            found.setdefault(name, []).append(test)
    return found


def _files() -> tuple[str, ...]:
    """Name the test files that bear any id: the others need not be imported."""
    paths = sorted((forked.ROOT / "tests").rglob("test_*.py"))
    return tuple(
        str(path.relative_to(forked.ROOT))
        for path in paths
        if "mark.mechanism(" in path.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--remove", nargs="*", metavar="ID")
    options.add_argument("--jobs", type=int, default=2, help="removals tried beside each other")
    given = options.parse_args()
    sys.exit(main(given.remove, given.jobs))
