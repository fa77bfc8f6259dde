"""Signed commands: what is proven, and that nothing else passes."""

import hashlib
import hmac

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.tenants.commands import Act, Command, Signed, is_authentic, sign

KEY, OTHER = b"k" * 16, b"o" * 16
TEXTS = st.text(max_size=6)
COMMANDS = st.builds(
    Command,
    tenant=TEXTS,
    counter=st.integers(0, 1 << 63),
    act=st.sampled_from(Act),
    object=TEXTS,
    other=TEXTS,
)


@pytest.mark.mechanism("S5-05")
@settings(max_examples=60, deadline=None)
@given(one=COMMANDS, another=COMMANDS)
def test_a_tag_is_good_for_its_command_and_its_key_alone(one: Command, another: Command) -> None:
    signed = sign(KEY, one)
    assert is_authentic(KEY, signed)
    assert not is_authentic(OTHER, signed)
    assert is_authentic(KEY, Signed(another, signed.tag)) == (one == another)


@pytest.mark.mechanism("S5-05")
@settings(max_examples=60, deadline=None)
@given(command=COMMANDS, byte=st.integers(0, 31), bit=st.integers(0, 7))
def test_a_tag_with_a_bit_changed_or_cut_short_is_none(
    command: Command, byte: int, bit: int
) -> None:
    tag = bytearray(sign(KEY, command).tag)
    tag[byte] ^= 1 << bit
    assert not is_authentic(KEY, Signed(command, bytes(tag)))
    assert not is_authentic(KEY, Signed(command, sign(KEY, command).tag[:byte]))


@pytest.mark.mechanism("S5-05")
def test_parts_that_run_together_are_told_apart() -> None:
    one = Command(tenant="a", counter=0, act=Act.SHARE, object="bc", other="d")
    another = attrs.evolve(one, object="b", other="cd")
    assert one.encoded() != another.encoded()


@pytest.mark.mechanism("S5-05")
def test_the_tag_is_the_standard_one_over_the_documented_bytes() -> None:
    command = Command(tenant="red", counter=258, act=Act.FETCH, object="w")
    parts = b"".join(len(p).to_bytes(4, "big") + p for p in (b"red", b"FETCH", b"w", b""))
    message = b"mirc tenant command 1" + b"\0\0\0\0\0\0\1\2" + parts
    assert sign(KEY, command).tag == hmac.new(KEY, message, hashlib.sha256).digest()


def test_weak_keys_and_endless_names_are_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        sign(b"short", Command(tenant="a", counter=0, act=Act.END))
    with pytest.raises(ValueError, match="longer than 1024"):
        Command(tenant="a" * 1025, counter=0, act=Act.END)
    with pytest.raises(ValueError, match="counter"):
        Command(tenant="a", counter=1 << 64, act=Act.END)
