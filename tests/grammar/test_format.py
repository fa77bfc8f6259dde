import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import MirRejected, format, parse, print_module  # noqa: A004 - a module here
from mirc.grammar.format import formatted
from mirc.grammar.format_items import read_items
from mirc.grammar.format_layout import laid_out
from mirc.grammar.tokens import Cursor, comments
from mirc.ir import Module
from tests.strategies import COMMENTS, modules, raw_modules

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.mir"))
slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _format(text: str) -> str:
    return formatted(Source("drawn.mir", text))


def _words(text: str) -> list[str]:
    """Return the words of a text without comments, and without commas before brackets."""
    cursor, found = Cursor(text), []
    while (token := cursor.peek()) is not None:
        cursor.at = token.end
        if token.kind != "comment":
            found.append(" ".join(token.text.split()) if token.kind == "header" else token.text)
    following = [*found[1:], ""]
    pairs = zip(found, following, strict=True)
    return [word for word, after in pairs if word != "," or after not in ("]", ")")]


def _check(text: str) -> str:
    """Format a text, and hold what came out against what went in."""
    before = Source("drawn.mir", text)
    assert parse(before).diagnostics == ()
    after = _format(text)
    assert _words(after) == _words(text)
    assert list(comments(after)) == list(comments(text))
    assert parse(Source("drawn.mir", after)).blocks == parse(before).blocks
    assert _format(after) == after
    return after


@slow
@given(modules())
def test_what_the_printer_writes_is_canonical(module: Module) -> None:
    text = print_module(module)
    assert _format(text) == text


@slow
@given(raw_modules())
def test_what_means_nothing_is_formatted_as_well(module: Module) -> None:
    text = print_module(module)
    assert _format(text) == text


GAPS = st.one_of(
    st.sampled_from([" ", "\n", "\n\n", "  ", "\n\n\n  ", "\t", "\r\n", " \r "]),
    COMMENTS.map(lambda comment: f" {comment}\n"),
    st.lists(COMMENTS, max_size=2).map(lambda found: "\n" + "\n".join([*found, ""])),
)


@slow
@given(modules(), st.data())
def test_a_messy_text_keeps_its_words_and_comments(module: Module, data: st.DataObject) -> None:
    text = print_module(module)
    cursor = Cursor(text)
    rare = data.draw(st.lists(GAPS, min_size=1, max_size=12))
    often = data.draw(st.sampled_from([" ", "\n"]))
    made, count, every = "", 0, data.draw(st.integers(1, 7))
    while (token := cursor.peek()) is not None:
        count += 1
        gap = rare[count % len(rare)] if count % every == 0 else often
        ends_line = token.kind == "comment"
        made += token.text + ("\n" if ends_line else gap)
        cursor.at = token.end
    _check(made)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_keep_their_words_and_comments(path: Path) -> None:
    _check(path.read_text(encoding="utf-8"))


CASES = {
    "one field a line": (
        "object x{class=WEIGHT_TILE size_bytes=1_000 reuse=HIGH@0.50}",
        """\
        object x {
          class      = WEIGHT_TILE
          size_bytes = 1_000
          reuse      = HIGH @ 0.50
        }
        """,
    ),
    "spellings stay": (
        'object "x" { size_bytes = 1_0.50KiB dtype = "\\u0069nt8" sink_score = 1.50e-1 }',
        """\
        object "x" {
          size_bytes = 1_0.50KiB
          dtype      = "\\u0069nt8"
          sink_score = 1.50e-1
        }
        """,
    ),
    "blank lines collapse": (
        "\n\nmir  1.0\nobject a {\n\n\n a = 1\n\n\n\n b = 2\n\n}\nobject b {}\n\n\n// end\n\n",
        """\
        mir 1.0

        object a {
          a = 1

          b = 2
        }

        object b {
        }

        // end
        """,
    ),
    "externs stand together if the author lets them": (
        "extern object a\nextern  object b // two\n\nextern object c\nobject d {}",
        """\
        extern object a
        extern object b  // two

        extern object c

        object d {
        }
        """,
    ),
    "blocks nest in their order": (
        "phase p { step a {} kind = DECODE override b { c = 1 } step d {} batch = 1 }",
        """\
        phase p {
          step a {
          }
          kind  = DECODE
          override b {
            c = 1
          }
          step d {
          }
          batch = 1
        }
        """,
    ),
    "comments beside fields stand in a column": (
        "object x {\n a = 1 // one\n long_key = [A, B]\n b = [A] // two\n}",
        """\
        object x {
          a        = 1    // one
          long_key = [A, B]
          b        = [A]  // two
        }
        """,
    ),
    "a long field pushes no comment away": (
        "object x {\n a = 1 // one\n b = " + "x" * 80 + " // two\n}",
        f"""\
        object x {{
          a = 1  // one
          b = {"x" * 80}  // two
        }}
        """,
    ),
    "comments inside a head or a field go above it": (
        "object x // brace next\n{\n a // key\n = // equals\n 1 // value\n @ // at\n 0.5 // end\n}",
        """\
        // brace next
        object x {
          // key
          // equals
          // value
          // at
          a = 1 @ 0.5  // end
        }
        """,
    ),
    "a broken list that fits is joined": (
        "object x { a = [\n A,\n B(\n 1, 2),\n ]\n b = F(1,\n 2) }",
        """\
        object x {
          a = [A, B(1, 2)]
          b = F(1, 2)
        }
        """,
    ),
    "a broken list that does not fit is filled": (
        f"object x {{ a = [\n {', '.join(['name_of_ten'] * 9)} ] @ 0.5 }}",
        f"""\
        object x {{
          a = [
            {", ".join(["name_of_ten"] * 7)},
            name_of_ten, name_of_ten,
          ] @ 0.5
        }}
        """,
    ),
    "a list on one line stays there": (
        f"object x {{ a = [{','.join(['name_of_ten'] * 9)}] }}",
        f"""\
        object x {{
          a = [{", ".join(["name_of_ten"] * 9)}]
        }}
        """,
    ),
    "comments in a list stay beside their elements": (
        """
        object x { a = [ // tiers
        A, // first
        // then
        F(1, // in
        2)
        // last
        ] // end
        @ 0.5 }
        """,
        """\
        object x {
          a = [
            // tiers
            A,  // first
            // then
            // in
            F(1, 2),
            // last
            // end
          ] @ 0.5
        }
        """,
    ),
    "a comment before the comma belongs to what is before it": (
        "object x { a = [A // first\n , B\n] }",
        """\
        object x {
          a = [
            A,  // first
            B,
          ]
        }
        """,
    ),
    "a value may go on where its line seemed to end": (
        "object x {\n a = F\n (1)\n b = 1\n\n // why\n @ 0.5\n}\nextern object y\n{\n}",
        """\
        object x {
          a = F(1)
          // why
          b = 1 @ 0.5
        }

        extern object y {
        }
        """,
    ),
    "comments are kept as they are but for blanks at their ends": (
        "//one \n//\ttwo\t\nobject x {} //\r\n",
        """\
        //one
        //\ttwo
        object x {
        }  //
        """,
    ),
    "names that look like words of the form": (
        'object "object" { mir = 1 }\nobject "a // b" { on_x = "}" }',
        """\
        object "object" {
          mir = 1
        }

        object "a // b" {
          on_x = "}"
        }
        """,
    ),
    "brackets within brackets within brackets": (
        "module m { schedule = [REPEAT( 2,LOOP(REPEAT(3,[a,[b,[c,[d,[ ]]]]])))] }",
        """\
        module m {
          schedule = [REPEAT(2, LOOP(REPEAT(3, [a, [b, [c, [d, []]]]])))]
        }
        """,
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_the_layout_is_canonical(before: str, after: str) -> None:
    assert _check(before) == textwrap.dedent(after)


@pytest.mark.parametrize("text", ["", "\n\n", " \t\r\n"])
def test_a_text_without_words_is_empty(text: str) -> None:
    assert laid_out(read_items(text)) == ""


def test_a_text_of_comments_alone_stays() -> None:
    assert laid_out(read_items("// a\n\n\n// b")) == "// a\n\n// b\n"


def test_a_text_that_is_canonical_is_returned_as_it_is() -> None:
    text = "object x {\n  a = 1\n}\n"
    assert _format(text) is text


def test_a_text_with_syntax_errors_is_refused_with_them() -> None:
    with pytest.raises(MirRejected) as refusal:
        _format("object x { a: 1 }")
    assert [d.rule.name for d in refusal.value.diagnostics] == ["colon-for-equals"]


def test_a_layout_that_would_change_the_module_is_never_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(format, "laid_out", lambda _: "object y {\n}\n")
    with pytest.raises(AssertionError, match=re.escape("would change what it means")):
        _format("object x {}")


def test_the_example_in_the_docs_is_canonical() -> None:
    page = (ROOT / "docs" / "formatting.md").read_text(encoding="utf-8")
    example = page.split("```\n")[3]
    assert example.startswith("mir 1.0")
    assert _format(example) == example


def test_time_is_linear_in_a_line_without_end() -> None:
    for text in (
        "object x { a = [" + "1," * 50_000 + "] }",
        "object x { a = [" + "1, " * 50_000 + "] }",
        "object x {" + " " * 200_000 + "}",
        "object x { a = 1 //" + " " * 200_000 + "}\n}",
        "object x { " + "1." * 50_000 + "a = 1 }",
    ):
        assert laid_out(read_items(text)).endswith("\n")
