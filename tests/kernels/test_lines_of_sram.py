"""The array's lines in machine code against the same source in Python, and against known states."""

from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.machine import Organisation, Replacement
from mirc.sram import (
    DRIVER,
    BindFlags,
    Device,
    Fault,
    Geometry,
    Handle,
    Probe,
    Range,
    ReleaseMode,
    tags,
)

LINE = 8
TENANTS = ("a", "b")
CASES = [(organisation, rule) for organisation in Organisation for rule in Replacement]


def device(
    organisation: Organisation, replacement: Replacement, ways: int, sets: int, path: str | None
) -> Device:
    if organisation is Organisation.DIRECT_MAPPED:
        ways, sets = 1, ways * sets
    lines = ways * sets
    geometry = Geometry(
        line_bytes=LINE,
        ways=ways,
        sets=sets,
        wired_bytes=lines * LINE * 3 // 4,
        organisation=organisation,
        replacement=replacement,
        generation_bits=1,
    )
    quotas = {"a": (lines // 2 + 1) * LINE, "b": lines * LINE}
    return Device(geometry, quotas, {"near": 2 * lines * LINE, "far": 5 * LINE}, 7, path)


def draws(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - for draws that can be repeated


def command(sram: Device, chance: Random) -> object:
    """Give a device one command that is drawn, and return its answer."""
    lines = 2 * sram.geometry.capacity_bytes // LINE
    target = Range("near", chance.randrange(lines) * LINE, chance.choice((1, 1, 2, 3, 9)) * LINE)
    drawn = chance.random()
    if drawn < 0.3:
        return sram.read(target)
    if drawn < 0.45:
        return sram.write(target)
    if drawn < 0.55:
        return sram.probe(target, chance.choice(tuple(Probe)))
    if drawn < 0.8:
        flags = BindFlags(chance.randrange(8))
        return sram.bind(DRIVER, target, chance.choice(TENANTS), flags)
    if drawn < 0.95:
        handle = Handle(chance.randrange(1, 20))
        return sram.release(DRIVER, handle, chance.choice(tuple(ReleaseMode)))
    return sram.invalidate(DRIVER, chance.choice(TENANTS))


@pytest.mark.parametrize(("organisation", "replacement"), CASES)
@settings(max_examples=6)
@given(ways=st.integers(1, 6), sets=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_machine_code_and_python_agree_on_every_command(
    organisation: Organisation, replacement: Replacement, ways: int, sets: int, seed: int
) -> None:
    plain, fast = (
        device(organisation, replacement, ways, sets, path) for path in (tags.PYTHON, tags.COMPILED)
    )
    chances = [draws(seed) for _ in range(2)]
    whole = Range("near", 0, 2 * plain.geometry.capacity_bytes)
    for _ in range(40):
        answers = [
            command(sram, chance) for sram, chance in zip((plain, fast), chances, strict=True)
        ]
        assert answers[0] == answers[1]
        assert plain.take_events() == fast.take_events()
        assert plain.counters == fast.counters
        assert plain.contents(whole) == fast.contents(whole)
    assert plain.state_hash() == fast.state_hash()


def test_a_device_goes_over_to_machine_code_in_the_midst_of_its_work_and_forgets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tags, "PYTHON_LINES", 60)
    for organisation, replacement in CASES:
        plain = device(organisation, replacement, 4, 3, tags.PYTHON)
        either = device(organisation, replacement, 4, 3, None)
        first, second = draws(5), draws(5)
        for _ in range(90):
            assert command(plain, first) == command(either, second)
        assert plain.state_hash() == either.state_hash()
        assert plain.take_events() == either.take_events()


def test_many_reads_at_once_are_those_reads_one_after_another() -> None:
    one, all_at_once = (device(*CASES[0], 4, 3, tags.PYTHON) for _ in range(2))
    reads = [Range("near", at * LINE, size * LINE) for at, size in ((0, 9), (4, 6), (0, 3))]
    each = [one.read(source) for source in reads]
    total = all_at_once.read_all(reads)
    assert not isinstance(total, Fault)
    assert (total.hits, total.misses) == (8, 10)
    assert not any(isinstance(answer, Fault) for answer in each)
    assert one.state_hash() == all_at_once.state_hash()
    before = one.state_hash()
    assert one.read_all([reads[0], Range("nowhere", 0, LINE)]) is Fault.TARGET_INVALID
    assert one.state_hash() == before
    assert one.read_all([]) == all_at_once.read_all([])


@pytest.mark.parametrize("path", [tags.PYTHON, tags.COMPILED])
def test_a_tenant_may_have_no_name_and_its_lines_count_all_the_same(path: str) -> None:
    geometry = Geometry(line_bytes=LINE, ways=4, sets=3, wired_bytes=9 * LINE, generation_bits=1)
    sram = Device(geometry, {"a": 9 * LINE, "": 9 * LINE}, {"near": 40 * LINE}, path=path)
    assert isinstance(sram.bind(DRIVER, Range("near", 0, 5 * LINE), ""), Handle)
    assert (sram.wired_bytes, sram.quota("").used_bytes) == (5 * LINE, 5 * LINE)
    assert sram.quota("a").used_bytes == 0
    assert sram.bind(DRIVER, Range("near", 5 * LINE, 5 * LINE), "") is Fault.QUOTA_EXCEEDED
    for _ in range(2):  # the second time round every set is swept
        assert sram.invalidate(DRIVER, "") is None
    assert [*sram.lines()] == []
    assert sram.wired_bytes == 0


def test_the_hash_of_a_state_is_what_it_always_was() -> None:
    text = ""
    for organisation, replacement in CASES:
        sram, chance = device(organisation, replacement, 4, 3, tags.PYTHON), draws(3)
        for _ in range(60):
            command(sram, chance)
        text += sram.state_hash()
    assert (
        sha256(text.encode()).hexdigest()
        == "b1f910b31cf853760b2f7a1c5dd83ecb772f753b003c6fc3ab5a89cb02bf3eac"
    )
