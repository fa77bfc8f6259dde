"""Azure's CSV of arrivals and lengths, right and wrong."""

import gzip
import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import azure
from mirc.traces.azure import load
from mirc.traces.requests import Request

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"


def loaded(*rows: str, block_tokens: int = 512) -> tuple[Request, ...]:
    text = "\r\n".join((HEADER, *rows))
    return load(io.BytesIO(text.encode()), "trace", block_tokens)


def refusal(*rows: str) -> str:
    with pytest.raises(CouldNotRun) as caught:
        loaded(*rows)
    return str(caught.value)


def test_a_row_is_a_request_with_blocks_of_its_own() -> None:
    found = loaded(
        "2023-11-16 18:15:46.6805900,1025,44",
        "2023-11-16 18:15:48.0000000,512,1",
        "2023-11-17 00:00:00.0000000,0,9",
    )
    assert found == (
        Request(at_ms=0, input_tokens=1025, output_tokens=44, blocks=(0, 1, 2)),
        Request(at_ms=1319, input_tokens=512, output_tokens=1, blocks=(3,)),
        Request(at_ms=20653319, input_tokens=0, output_tokens=9, blocks=()),
    )


def test_a_time_with_a_zone_is_the_same_time_in_any_zone() -> None:
    found = loaded("2024-05-10 00:00:00.5+00:00,1,1", "2024-05-10 02:00:01+02:00,1,1")
    assert [each.at_ms for each in found] == [0, 500]


def test_columns_are_found_by_name_and_others_passed_over() -> None:
    text = f"GeneratedTokens,Kind,ContextTokens,TIMESTAMP\n7,x,{2**20},2024-05-10 00:00:00\n"
    packed = gzip.compress(text.encode())
    (found,) = load(io.BytesIO(packed), "trace", 1 << 20)
    assert (found.input_tokens, found.output_tokens, found.blocks) == (2**20, 7, (0,))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2023-11-16 18:15:45,1,1", "comes before the line above it in time"),
        ("yesterday,1,1", "has no `TIMESTAMP`"),
        ("2023-11-16 18:15:47+00:00,1,1", "names a time zone"),
        ("2023-11-16 18:15:47,-1,1", "has no whole `ContextTokens`"),
        ("2023-11-16 18:15:47,1,1.5", "has no whole `GeneratedTokens`"),
        ("2023-11-16 18:15:47,1,99999999999999999999", "has no whole `GeneratedTokens`"),
        ("2023-11-16 18:15:47,9000000000000000000,1", "is where the trace exceeds"),
        ("2023-11-16 18:15:47,1", "has not 3 fields"),
        ('2023-11-16 18:15:47,"1,1', "has not 3 fields"),
        (f"2023-11-16 18:15:47,{'1' * 5000},1", "is too long"),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(line: str, said: str) -> None:
    assert f"line 3 of `trace` {said}" in refusal("2023-11-16 18:15:46,1,1", line)


def test_a_file_without_the_columns_or_without_rows_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="does not begin with the columns"):
        load(io.BytesIO(b"a,b,c\n1,2,3\n"), "trace", 512)
    assert "holds no request" in refusal()
    with pytest.raises(CouldNotRun, match="cannot read the request trace"):
        azure.read("no/such/file.csv", 512)


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_after_the_header_are_read_or_refused(data: bytes) -> None:
    with suppress(CouldNotRun):
        assert load(io.BytesIO(HEADER.encode() + b"\n" + data), "trace", 512)
