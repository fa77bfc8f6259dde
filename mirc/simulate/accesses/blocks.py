"""A trace of accesses and a file's caches into what becomes of blocks of keys and values."""

from collections.abc import Callable

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.kernels.replacement.names import RULES
from mirc.machine.load import load
from mirc.packed.pack import seal
from mirc.simulate.accesses.reading import Reading, read_so_far
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.study import Asked, Blocks, Replayed, replayed
from mirc.simulate.serving.caches import caches_of
from mirc.simulate.serving.serve import capacity_of
from mirc.simulate.study import planned, title_of


@attrs.frozen(kw_only=True)
class OnBlocks:
    """How a trace is played: each id is a block of ``block_tokens`` tokens.

    ``kv_gb`` of near memory are for blocks (None: what weights leave of it), and at most ``window``
    accesses are under way. ``policies`` are names, ``all`` every rule.
    """

    machines: tuple[str, ...] = ()
    policies: str = "all"
    kv_gb: float | None = None
    block_tokens: int = 512
    window: int = 1


def replay_blocks(
    module: Module,
    trace: str,
    reading: Reading,
    asked: OnBlocks,
    tell: Callable[[str], None] | None = None,
) -> Replayed:
    """Play a trace whose ids are blocks of the file's templates through the tiers of a machine.

    An id stands for the blocks of every template over the same tokens, and for no place in a
    prefix: any block may leave alone. Raises CouldNotRun for a file without caches, more than one
    machine, or a trace that is wrong from the start.
    """
    caches = caches_of(seal(module), asked.block_tokens)
    machines = asked.machines or planned(module)
    if len(machines) > 1:
        raise CouldNotRun(
            f"a trace of accesses is played on one machine, and {len(machines)} are asked for",
            "name one with `--machine`",
        )
    names = tuple(dict.fromkeys(filter(None, map(str.strip, asked.policies.split(",")))))
    found = replayed(
        trace,
        read_so_far(trace, attrs.evolve(reading, object_bytes=caches.block_bytes), tell),
        Asked(
            policies=tuple(RULES) if {"all", "every"} & {*names} else names,
            capacities=(capacity_of(load(machines[0]), caches, asked.kv_gb),),
            in_bytes=True,
            machine=machines[0],
            settings=Settings(window=asked.window, fragment_bytes=caches.fragment_bytes),
        ),
        tell,
    )
    return attrs.evolve(
        found,
        blocks=Blocks(
            model=title_of(module),
            templates=caches.templates,
            tokens=caches.block_tokens,
            size_bytes=caches.block_bytes,
        ),
    )
