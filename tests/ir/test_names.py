import pytest

from mirc.ir import Name, Text, families_of, is_bare, part_name, part_range, reference, text_of


@pytest.mark.parametrize("name", ["w", "model.layers.0.w", "0.weight", "P[17]", "P[3][0:8]", "a_b"])
def test_paths_indices_and_ranges_are_bare(name: str) -> None:
    assert is_bare(name)
    assert reference(name) == Name(name)


@pytest.mark.parametrize("name", ["", "a b", "a-b", "12", "größe", "object", "true", "P[x]", "a."])
def test_everything_else_is_quoted(name: str) -> None:
    assert reference(name) == Text(name)


def test_a_reference_spells_its_name_bare_or_quoted() -> None:
    assert text_of(reference("a.b")) == "a.b"
    assert text_of(reference("a b")) == "a b"
    with pytest.raises(TypeError):
        text_of(3)


def test_parts_know_their_families_and_their_range() -> None:
    assert part_name("P", 17) == "P[17]"
    assert part_name("P", 0, 1024) == "P[0:1024]"
    assert families_of("P[3][0:8]") == ("P[3]", "P")
    assert families_of("P") == ()
    assert part_range("P[17]") == (17, 18)
    assert part_range("P[0:1024]") == (0, 1024)
    assert part_range("P") is None
