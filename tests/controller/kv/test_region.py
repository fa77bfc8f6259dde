"""The fast region for what readers share: promoted once, freed with the last, never by chance."""

from collections import OrderedDict

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mirc.controller.kv.events import KvEvent, What, Why
from mirc.controller.kv.region import FastRegion
from tests.controller.kv.scene import Scene, ask

PROMOTIONS = (What.PROMOTED, What.JOINED, What.LEFT, What.FREED)


class TestSharedPrefixes:
    @pytest.mark.mechanism("S2-16")
    def test_a_prefix_is_promoted_once_and_freed_with_its_last_reader(self) -> None:
        log: list[KvEvent] = []
        region = FastRegion(10, log)
        for reader in ("a", "b", "c"):
            assert region.acquire(7, 4, reader)
        assert (region.promotions, region.used, region.readers(7)) == (1, 4, 3)
        for reader in ("b", "a"):
            region.release(7, reader)
            assert region.used == 4
        region.release(7, "c")
        assert (region.used, 7 in region) == (0, False)
        assert [row.what for row in log] == [
            What.PROMOTED,
            What.JOINED,
            What.JOINED,
            What.LEFT,
            What.LEFT,
            What.FREED,
        ]

    @pytest.mark.mechanism("S2-16", "S7-01")
    def test_sequences_share_one_promotion_that_is_there_before_they_decode(self) -> None:
        scene = Scene(40, fast=1)
        assert scene.fast is not None
        for name, new in (("a", 2), ("b", 5)):
            scene.it.request(ask(name, ["system", name], new=new))
            scene.it.step()
        assert (scene.fast.promotions, scene.fast.used) == (1, 1)
        scene.run()
        rows = [(row.what, row.name) for row in scene.log if row.what in PROMOTIONS]
        assert rows == [
            (What.PROMOTED, "a"),
            (What.JOINED, "b"),
            (What.LEFT, "a"),
            (What.FREED, "b"),
        ]
        assert scene.fast.used == 0
        # Nothing was made by decoding before the promotion.
        promoted = next(row for row in scene.log if row.what is What.PROMOTED)
        assert all(row.tick > promoted.tick for row in scene.rows(What.ENDED))

    def test_a_full_region_refuses_and_names_its_readers(self) -> None:
        log: list[KvEvent] = []
        region = FastRegion(4, log)
        region.acquire(1, 3, "a")
        assert not region.acquire(2, 2, "b")
        assert (log[-1].why, log[-1].blockers) == (Why.BUSY, ("a",))
        assert not region.acquire(3, 5, "c")
        assert log[-1].why is Why.TOO_LARGE

    @pytest.mark.mechanism("S2-16")
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), max_size=60))
    def test_counts_are_never_negative_and_room_is_that_of_what_is_read(
        self, moves: list[tuple[bool, int, int]]
    ) -> None:
        region = FastRegion(6, [])
        readers: dict[int, set[str]] = {}
        promotions = 0
        for enters, prefix, who in moves:
            reader, there = str(who), readers.setdefault(prefix, set())
            if enters and reader not in there:
                fits = bool(there) or sum(p + 1 for p in readers if readers[p]) + prefix + 1 <= 6
                promotions += int(fits and not there)
                assert region.acquire(prefix, prefix + 1, reader) == fits
                there |= {reader} if fits else set()
            elif not enters and reader in there:
                region.release(prefix, reader)
                there.discard(reader)
            elif enters:
                with pytest.raises(ValueError, match="already"):
                    region.acquire(prefix, prefix + 1, reader)
            else:
                with pytest.raises(ValueError, match="does not read"):
                    region.release(prefix, reader)
            assert region.used == sum(p + 1 for p in readers if readers[p])
            assert all(region.readers(p) == len(readers[p]) for p in readers)
            assert region.promotions == promotions


@pytest.mark.mechanism("S2-11")
def test_lru_loses_the_sinks_that_a_placement_by_meaning_keeps() -> None:
    # 64 blocks of a prompt, of which 0 and 1 hold the sinks; a fast memory of 8 blocks; each of 20
    # decode steps reads every block once, in order. Recency sees a cycle longer than itself.
    blocks, sinks, fast, steps = 64, (0, 1), 8, 20
    recent: OrderedDict[int, None] = OrderedDict()
    region = FastRegion(fast, [])
    for at in range(blocks):  # prefill
        recent[at] = None
        if len(recent) > fast:
            recent.popitem(last=False)
    for sink in sinks:  # after prefill, before the first decode step
        region.acquire(sink, 1, "sequence")
    hits = {"lru": 0, "by meaning": 0}
    for _ in range(steps):
        for at in range(blocks):
            hits["lru"] += int(at in sinks and at in recent)
            hits["by meaning"] += int(at in sinks and at in region)
            recent[at] = None
            recent.move_to_end(at)
            if len(recent) > fast:
                recent.popitem(last=False)
    assert hits == {"lru": 0, "by meaning": steps * len(sinks)}
