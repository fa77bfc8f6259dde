"""Claims: what simulating costs, each as a ratio to a reference timed in the same run.

libCacheSim's binding is timed as `LRU(capacity)` makes it, which is what its users get, and with a
table of keys made for the capacity, which it can be given; claims are about the first.

    (a) plain LRU, numbering scattered 64-bit keys included: >= 3 times libCacheSim's binding
    (b) the timed core of tiers on the same accesses: >= 1.5 times that binding's plain LRU
    (c) `mirc simulate` of 512 decode steps of llama3-70b, a whole process whose kernels are on
        disk: <= 2 times `python -c "import torch, transformers"`
    (d) accesses take no longer each where there are more of them, and bounded memory
    (e) what the schedule's own engine plays in a second: said, and not claimed
    (f) what the wired SRAM's lines play in a second, in machine code and in Python: said

10^7 accesses, Zipf(1.0) over 10^6 keys, drawn with a seed and written once as an oracleGeneral
trace that both sides read from the page cache. Each figure is the best of several, the two sides in
turn, one process at a time. Loops are timed in seconds of their one CPU, whole processes by the
clock, their CPU seconds beside. Other work on the machine still shows, most in the caches that it
shares: the load is printed. Exits 1 if a claim does not hold.

    python benchmarks/speed.py [--parts a,b,c,d,e,f] [--times 3] [--most 100_000_000] [FILE.mir]
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.kernels.build import compiled
from mirc.kernels.replacement.names import RULES
from mirc.kernels.replacement.replay import COUNTED, HITS, replay
from mirc.kernels.replacement.state import LRU, replacement
from mirc.lint.errors import load_right
from mirc.lint.sources import read as source_of
from mirc.machine import Replacement
from mirc.machine.load import load
from mirc.packed.pack import seal
from mirc.simulate.accesses.model import Accesses
from mirc.simulate.accesses.numbering import Numbering
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.timed import Player
from mirc.simulate.case import known_of
from mirc.simulate.comparison import plan_for
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from mirc.sram import DRIVER, BindFlags, Device, Geometry, Range

ROOT = Path(__file__).parents[1]
KEYS, ACCESSES, CHUNK = 1_000_000, 10_000_000, 1_000_000
CAPACITY = KEYS // 10
OBJECT_BYTES = 16 << 10
MACHINE = "h100-sxm"
STEPS = 512
RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])
Raw = NDArray[np.uint64]
Done = TypeVar("Done")


@attrs.frozen
class Figure:
    """One line: what was timed, and whether its claim holds (None: it claims nothing)."""

    text: str
    holds: bool | None = None


def main() -> None:
    """Print every figure that was asked for."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("file", nargs="?", type=Path, help="llama3-70b, compiled for " + MACHINE)
    asked.add_argument("--parts", default="a,b,c,d,e,f")
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--most", type=int, default=100_000_000, help="accesses of the last of (d)")
    options = asked.parse_args()
    parts = options.parts.split(",")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs; best of {options.times}")
    broken = 0
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        for figure in figures(parts, options.times, options.most, options.file, Path(folder)):
            word = {None: "", True: "  holds", False: "  DOES NOT HOLD"}[figure.holds]
            print(figure.text + word, flush=True)
            broken += figure.holds is False
    sys.exit(int(broken > 0))


def figures(
    parts: list[str], times: int, most: int, file: Path | None, folder: Path
) -> Iterator[Figure]:
    """Yield the lines of each part."""
    if {"a", "b"} & set(parts):
        yield from against_libcachesim(parts, times, folder)
    if "c" in parts or "e" in parts:
        file = file or compile_llama(folder)
    if "c" in parts and file is not None:
        yield from whole_process(file, times, folder)
    if "d" in parts:
        yield from growth(most)
    if "e" in parts and file is not None:
        yield from engine(file, times)
    if "f" in parts:
        yield from lines_of_sram(times)


def against_libcachesim(parts: list[str], times: int, folder: Path) -> Iterator[Figure]:
    """Time (a) and (b) beside the binding, in turn."""
    trace = folder / "zipf.oracleGeneral"
    write(trace, ACCESSES)
    default, fitted, lru, timed, share = [], [], [], [], 0.0
    for _ in range(times):
        miss_ratio, seconds = libcachesim(trace, "default")
        default.append(seconds)
        fitted.append(libcachesim(trace, "fitted")[1])
        if "a" in parts:
            seconds, share = timing(lambda: plain_lru(read(trace)))
            lru.append(seconds)
            if round((1 - miss_ratio) * ACCESSES) != round(share * ACCESSES):
                raise SystemExit(f"hits differ: {1 - miss_ratio} and {share}")
        if "b" in parts:
            timed.append(timing(lambda: tiers(read(trace)))[0])
    yield Figure(f"    libCacheSim LRU         {_rate(default)}, as its LRU(capacity) stands")
    yield Figure(f"    libCacheSim LRU, fitted {_rate(fitted)}, its table made for the capacity")
    for name, took, claimed in (("a", lru, 3.0), ("b", timed, 1.5)):
        if took:
            what = "plain LRU              " if name == "a" else "timed tiers, prefetcher"
            ratio = min(default) / min(took)
            text = f"({name}) {what} {_rate(took)}, {ratio:.2f} times"
            beside = f"{text} ({min(fitted) / min(took):.2f} times the fitted)"
            said = f"; hit ratio {share:.4f}, equal" if name == "a" else ""
            yield Figure(f"{beside}{said}", ratio >= claimed)


def _rate(seconds: list[float]) -> str:
    return f"{ACCESSES / min(seconds) / 1e6:6.2f} M accesses/s"


def libcachesim(trace: Path, table: str) -> tuple[float, float]:
    """Return the miss ratio and the seconds of its LRU, with one of its tables of keys."""
    script = Path(__file__).with_name("speed_libcachesim.py")
    ran = subprocess.run(
        [sys.executable, script, trace, str(CAPACITY), table],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(ran.stdout)
    return found["miss_ratio"], found["seconds"]


def plain_lru(chunks: Iterator[Raw]) -> float:
    """Return the share of hits of one LRU cache; keys are numbered as they come."""
    numbering, table = Numbering("compiled"), replacement(LRU, KEYS, CAPACITY, RULES["lru"].variant)
    play, counted, count = compiled(replay, table), np.zeros(COUNTED, dtype=np.int64), 0
    nothing = np.zeros(0, dtype=np.int64)
    for chunk in chunks:
        play(table, numbering.ids(chunk), nothing, counted)
        count += len(chunk)
    return int(counted[HITS]) / count


def tiers(chunks: Iterator[Raw]) -> float:
    """Return the share of near hits of the timed core: LRU, links, eight accesses of look-ahead."""
    settings = Settings(near_bytes=CAPACITY * OBJECT_BYTES, rule=LRU, lookahead=8, window=4)
    sizes = np.full(KEYS, OBJECT_BYTES, dtype=np.int64)
    numbering, player = Numbering("compiled"), Player(load(MACHINE), sizes, settings)
    count = 0
    for chunk in chunks:
        ids = numbering.ids(chunk)
        player.play(Accesses(ids=ids, size_bytes=sizes), len(ids))
        count += len(ids)
    return player.end().hits[0] / count


def whole_process(file: Path, times: int, folder: Path) -> Iterator[Figure]:
    """Time (c): the reference and each command in turn, then once with nothing on disk."""
    simulate = [
        *(sys.executable, "-m", "mirc", "simulate", str(file.resolve()), "-M", MACHINE),
        *("--steps", str(STEPS), "-o", str(folder / "report.txt")),
    ]
    intent = [*simulate, "--policy", "intent", "--precision", "off"]
    commands = {
        "import torch, transformers": [sys.executable, "-c", "import torch, transformers"],
        "intent, --precision off": intent,
        "intent, with precision": [*simulate, "--policy", "intent"],
        "all policies, the default": simulate,
    }
    for command in commands.values():  # what is on disk from here on
        process(command)
    best = dict.fromkeys(commands, (np.inf, np.inf))
    for _ in range(times):
        for name, command in commands.items():
            best[name] = min(best[name], process(command))
    reference, spent = best.pop("import torch, transformers")
    yield Figure(f"    import torch, transformers    {reference:6.2f} s ({spent:.2f} s of CPU)")
    for number, (name, (seconds, cpu)) in enumerate(best.items()):
        claim = seconds <= 2 * reference if number == 0 else None
        ratio = f"{seconds / reference:.2f} times ({cpu:.2f} s, {cpu / spent:.2f} times)"
        yield Figure(f"(c) {name:28s}  {seconds:6.2f} s, {ratio}", claim)
    shutil.copytree(ROOT / "mirc", folder / "mirc", ignore=shutil.ignore_patterns("__pycache__"))
    cold, cpu = process(intent, cwd=folder, HOME=str(folder), PYTHONPATH=str(folder))
    ratio = f"{cold / reference:.2f} times ({cpu:.2f} s of CPU)"
    yield Figure(f"    intent, nothing on disk       {cold:6.2f} s, {ratio}")


def growth(most: int) -> Iterator[Figure]:
    """Time (d): plain LRU and timed tiers over ever more accesses, drawn as they are played."""
    each: dict[str, list[float]] = {"plain LRU": [], "timed tiers": []}
    count = 1_000_000
    while count <= most:
        spent = dict.fromkeys(each, 0.0)
        for name, play in (("plain LRU", plain_lru), ("timed tiers", tiers)):
            drawing = [0.0]
            begin = time.process_time()
            play(drawn(count, drawing))
            spent[name] = (time.process_time() - begin - drawing[0]) / count * 1e9
            each[name].append(spent[name])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown = ", ".join(f"{name} {value:6.1f} ns" for name, value in spent.items())
        yield Figure(f"(d) {count:>11,} accesses: {shown} each; peak {peak:,.0f} MB resident")
        count *= 10
    for name, found in each.items():
        last = max(found[-1], 1e-9)
        yield Figure(
            f"(d) {name}: an access of the longest run takes {last / found[1]:.2f} times what one "
            "of the second takes",
            last <= 1.5 * found[1],
        )


def engine(file: Path, times: int) -> Iterator[Figure]:
    """Time (e) in this process: the engine alone, its code loaded."""
    source, machine = source_of(str(file)), load(MACHINE)
    module = load_right(source)
    plan, packed = plan_for(module, machine, MACHINE), seal(module)
    schedule = schedule_of(module, STEPS, None)
    scenario = build(module, schedule, machine, source=source, plan=plan)
    workload = scenario.workload
    known = known_of(packed, scenario, machine, plan, None)
    accesses, steps = len(workload.access_object), workload.step_count
    for policy in ("intent", "lru"):
        run = partial(simulate, workload, known, machine, policy, path="compiled")
        run()
        best = min(timing(run)[0] for _ in range(times))
        yield Figure(
            f"(e) schedule engine, {policy:6s} {accesses / best / 1e6:6.2f} M accesses/s, "
            f"{best / steps * 1e6:.2f} us a step of {accesses / steps:.1f} accesses"
        )


def lines_of_sram(times: int) -> Iterator[Figure]:
    """Time (f): a decode whose hot set fits, as benchmarks/wired.py plays it, not wired and wired.

    The same device over the same source, in machine code and in Python, in turn.
    """
    size = 64 << 10
    for rule, wired in (*((rule, False) for rule in Replacement), (Replacement.LRU, True)):
        rates = dict.fromkeys(("python", "compiled"), 0.0)
        for path in [*rates] * times:
            array = Geometry(
                line_bytes=size, ways=8, sets=64, wired_bytes=64 * 7 * size, replacement=rule
            )
            lines = {"hot": 256, "first": 64, "second": 1024}
            memories = {name: count * size for name, count in lines.items()}
            sram = Device(array, {"decode": array.wired_bytes}, memories, path=path)
            step = [Range(name, 0, memories[name]) for name in ("hot", "first", "hot", "second")]
            if wired:
                sram.bind(DRIVER, step[0], "decode", BindFlags.PREFETCH | BindFlags.IMMUTABLE)
            sram.read_all(step)  # its code is loaded from here on
            reads = step * (8 if path == "python" else 512)
            took = timing(partial(sram.read_all, reads))[0]
            played = sum(each.size_bytes for each in reads) / size
            rates[path] = max(rates[path], played / took / 1e6)
        name = f"{rule.value}{', wired' if wired else ''}"
        yield Figure(
            f"(f) lines of the SRAM, {name:10s} {rates['compiled']:6.2f} M lines/s, "
            f"{rates['python']:.2f} in Python: {rates['compiled'] / rates['python']:.0f} times"
        )


def process(command: list[str], cwd: Path | None = None, **said: str) -> tuple[float, float]:
    """Return the seconds of a whole process, by the clock and of its CPUs."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    # With bytecode on disk, as an installation has it: torch's was written when it was installed.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, capture_output=True, cwd=cwd, env={**own, **said})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begin, cpu


def timing(work: Callable[[], Done]) -> tuple[float, Done]:
    """Return the CPU seconds that something took, and what it returned."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def compile_llama(folder: Path) -> Path:
    """Return the file of llama3-70b for the machine."""
    file = folder / "llama3-70b.mir"
    process(
        [
            sys.executable,
            "-m",
            "mirc",
            "compile",
            "preset:llama3-70b",
            "-M",
            MACHINE,
            "-o",
            str(file),
        ]
    )
    return file


def drawn(count: int, seconds: list[float] | None = None) -> Iterator[Raw]:
    """Yield the keys of Zipf(1.0) accesses; what drawing takes is added to ``seconds``."""
    chance = np.random.default_rng(1)
    until = np.cumsum(1 / np.arange(1, KEYS + 1))
    order = chance.permutation(KEYS).astype(np.uint64)
    for begin in range(0, count, CHUNK):
        started = time.process_time()
        place = np.searchsorted(until, chance.random(min(CHUNK, count - begin)) * until[-1])
        keys = (order[place] + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)  # scattered, distinct
        if seconds is not None:
            seconds[0] += time.process_time() - started
        yield keys


def write(trace: Path, count: int) -> None:
    """Write an oracleGeneral trace; what it says of next accesses is not used."""
    with trace.open("wb") as file:
        for keys in drawn(count):
            rows = np.zeros(len(keys), dtype=RECORD)
            rows["id"], rows["size"], rows["next"] = keys, 1, -1
            file.write(rows.tobytes())


def read(trace: Path) -> Iterator[Raw]:
    """Yield the keys of a trace, chunk by chunk."""
    rows = np.memmap(trace, dtype=RECORD, mode="r")
    for begin in range(0, len(rows), CHUNK):
        yield np.ascontiguousarray(rows["id"][begin : begin + CHUNK])


if __name__ == "__main__":
    main()
