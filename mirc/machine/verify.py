"""The parts of a machine into what is wrong between them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mirc.machine.parts import WORK_KINDS, Compute, Link, Memory, Organisation, Sram, ascends


class Problem(NamedTuple):
    """One thing wrong: the key that holds it, a sentence, a way out."""

    key: str
    message: str
    hint: str


class InvalidMachineError(ValueError):
    """A machine that cannot be built, and why (``problem``)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.key}: {problem.message}; {problem.hint}")
        self.problem = problem


def problems(
    memories: Sequence[Memory], links: Sequence[Link], compute: Compute, sram: Sram | None
) -> Iterator[Problem]:
    """Yield what is wrong, in the order of the file; nothing if the parts make a machine."""
    yield from _memory_problems(memories)
    yield from _link_problems(memories, links)
    yield from _compute_problems(memories, compute)
    yield from _sram_problems(memories, sram)
    if any(memory.name == compute.memory for memory in memories):
        yield from _unreachable(memories, links, compute.memory)


def _memory_problems(memories: Sequence[Memory]) -> Iterator[Problem]:
    yield from _repeated("memory", [memory.name for memory in memories])
    for i, memory in enumerate(memories):
        if memory.reserve_bytes >= memory.capacity_bytes:
            yield Problem(
                f"memory[{i}].reserve_bytes",
                f"`{memory.name}` reserves {memory.reserve_bytes:_} bytes and holds "
                f"{memory.capacity_bytes:_}",
                "reserve less than the capacity",
            )


def _link_problems(memories: Sequence[Memory], links: Sequence[Link]) -> Iterator[Problem]:
    yield from _repeated("link", [link.name for link in links])
    for i, link in enumerate(links):
        for key, name in (("source", link.source), ("target", link.target)):
            yield from _unknown(f"link[{i}].{key}", name, memories)
        if link.source == link.target:
            yield Problem(
                f"link[{i}].target",
                f"`{link.name}` leads from `{link.source}` to itself",
                "name another memory",
            )
        if not ascends(link.curve):
            yield Problem(
                f"link[{i}].curve",
                f"the curve of `{link.name}` does not ascend",
                "give [fragment bytes, bytes per second] pairs, sizes rising and rates not falling",
            )
    yield from _mixed_roots(links)


def _mixed_roots(links: Sequence[Link]) -> Iterator[Problem]:
    """Yield links that share another way than an earlier one of their root."""
    first: dict[str, Link] = {}
    for i, link in enumerate(links):
        if link.root is None:
            continue
        other = first.setdefault(link.root, link)
        if other.sharing is not link.sharing:
            yield Problem(
                f"link[{i}].sharing",
                f"is {link.sharing}, and `{other.name}` of the same root says {other.sharing}",
                "give all links of a root the same",
            )


def _compute_problems(memories: Sequence[Memory], compute: Compute) -> Iterator[Problem]:
    yield from _unknown("compute.memory", compute.memory, memories)
    if not compute.peak_flops:
        yield Problem("compute.peak_flops", "is empty", "give at least `bfloat16`")
    for dtype, peak in compute.peak_flops.items():
        if peak <= 0:
            yield Problem(f"compute.peak_flops.{dtype}", f"is {peak}", "give a positive rate")
    for kind in WORK_KINDS:
        if kind not in compute.efficiency:
            yield Problem(f"compute.efficiency.{kind}", "is missing", "give a share of the peak")
    for kind, share in compute.efficiency.items():
        if not 0 < share <= 1:
            yield Problem(
                f"compute.efficiency.{kind}", f"is {share}", "give a share above 0, at most 1"
            )


def _sram_problems(memories: Sequence[Memory], sram: Sram | None) -> Iterator[Problem]:
    if sram is None:
        return
    yield from _unknown("sram.memory", sram.memory, memories)
    for memory in memories:
        if memory.name != sram.memory:
            continue
        if memory.capacity_bytes % (sram.line_bytes * sram.ways):
            yield Problem(
                "sram.ways",
                f"{memory.capacity_bytes:_} bytes do not divide into {sram.ways} ways of "
                f"{sram.line_bytes}-byte lines",
                "choose ways and a line whose product divides the capacity",
            )
        if sram.organisation is Organisation.DIRECT_MAPPED and sram.ways != 1:
            yield Problem(
                "sram.ways",
                f"is {sram.ways}, but a direct-mapped memory has one way a set",
                "give 1, or another organisation",
            )
        if sram.wired_bytes > memory.usable_bytes:
            yield Problem(
                "sram.wired_bytes",
                f"is {sram.wired_bytes:_}, above the {memory.usable_bytes:_} usable bytes of "
                f"`{memory.name}`",
                "wire less",
            )


def _unreachable(memories: Sequence[Memory], links: Sequence[Link], near: str) -> Iterator[Problem]:
    feeding = _closure(near, [(link.target, link.source) for link in links])
    fed = _closure(near, [(link.source, link.target) for link in links])
    for i, memory in enumerate(memories):
        # A memory that is only written to (a sink) or only read from is of use; an island is not.
        if memory.name not in feeding and memory.name not in fed:
            yield Problem(
                f"memory[{i}].name",
                f"no link joins `{memory.name}` to the near memory `{near}`",
                "add a [[link]] to or from it, or remove it",
            )


def _closure(start: str, edges: Sequence[tuple[str, str]]) -> dict[str, None]:
    seen = {start: None}
    pending = [start]
    while pending:
        here = pending.pop()
        for tail, head in edges:
            if tail == here and head not in seen:
                seen[head] = None
                pending.append(head)
    return seen


def _repeated(table: str, names: Sequence[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in first:
            yield Problem(
                f"{table}[{i}].name",
                f"`{name}` is the name of {table}[{first[name]}] too",
                "rename one of them",
            )
        first.setdefault(name, i)


def _unknown(key: str, name: str, memories: Sequence[Memory]) -> Iterator[Problem]:
    names = [memory.name for memory in memories]
    if name in names:
        return
    import difflib  # noqa: PLC0415 - start-up: only a wrong name needs it

    near = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean `{near[0]}`?" if near else f"name one of {', '.join(names)}"
    yield Problem(key, f"there is no memory `{name}`", advice)
