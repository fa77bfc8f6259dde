"""Long runs say how far they are, to people only."""

import io
import itertools

from mirc.cli.progress import WAIT_S, shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(step_s: float) -> "itertools.count[float]":
    return itertools.count(0.0, step_s)


def test_what_is_quick_says_nothing() -> None:
    stream = Terminal()
    clock = ticking(WAIT_S / 100)
    assert list(shown(["a", "b"], 2, stream=stream, clock=lambda: next(clock))) == ["a", "b"]
    assert stream.getvalue() == ""


def test_what_takes_long_says_which_file_it_is_at_and_clears_the_line_in_the_end() -> None:
    stream = Terminal()
    clock = ticking(WAIT_S * 0.4)
    assert list(shown("abcd", 4, stream=stream, clock=lambda: next(clock))) == list("abcd")
    # the clock is read once before the first file: 0.9 s are over at the third
    assert stream.getvalue() == ("\r\x1b[Kchecking 3 of 4: c\r\x1b[Kchecking 4 of 4: d\r\x1b[K")


def test_a_file_or_a_pipe_gets_no_progress() -> None:
    stream = io.StringIO()
    clock = ticking(WAIT_S)
    assert list(shown("ab", 2, stream=stream, clock=lambda: next(clock))) == ["a", "b"]
    assert stream.getvalue() == ""


def test_a_name_cannot_steer_the_terminal() -> None:
    stream = Terminal()
    clock = ticking(2 * WAIT_S)
    assert len(list(shown(["\x1b[2Jx"], 1, stream=stream, clock=lambda: next(clock)))) == 1
    assert "checking 1 of 1: ?[2Jx" in stream.getvalue()
