from mirc.report.tables import aligned


def test_the_first_column_is_flush_left_and_the_others_right() -> None:
    assert aligned(["a", "bb"], [["ccc", "d"]]) == "a    bb\n---  --\nccc   d\n"


def test_lines_do_not_end_in_blanks() -> None:
    assert aligned(["a", "b"], [["ccc", ""]]).splitlines()[-1] == "ccc"
