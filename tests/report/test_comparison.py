import json

from mirc.observe.compare import compare
from mirc.report import comparison_json, comparison_text
from tests.observe.logs import compared, lines, module_of, runs

TEXT = """module toy { model = "two weights" }
object a { class = WEIGHT_TILE reuse = EVERY(ITERATION) @ 0.9 }
object b { class = WEIGHT_TILE reuse = 0.3 }
phase decode { step s { reads = [a, b] } }
"""


def test_the_text_has_a_table_and_a_sentence_for_each_wrong_estimate() -> None:
    # a: said 1, read 1 of 2; b: said 0.3, read 2 of 2: (0.5 x 2 + 0.49 x 2) / 4
    report = compare(module_of(TEXT), lines(*runs(("a", "b"), ("b",))), "log")
    table, confidence, said = comparison_text.as_text(report).split("\n\n")[1:]
    assert table.splitlines()[0].split() == [
        *("reuse", "estimates", "held", "trials", "declared", "observed", "Brier", "least", "ECE")
    ]
    assert table.splitlines()[-1].split() == [
        *("all", "2", "0.00", "%", "4", "65.00", "%", "75.00", "%", "0.4950", "0.1250", "0.6000")
    ]
    assert confidence.splitlines()[-1].startswith("reuse")
    # b is to blame for 0.7^2 = 0.49, a for 0.5 - 0.25.
    assert said.splitlines() == [
        "wrong: reuse of `b` in decode: declared 0.3, observed 1 (2 of 2)",
        "wrong: reuse of `a` in decode: declared EVERY(ITERATION), observed 0.5 (1 of 2)",
    ]


def test_many_wrong_estimates_are_counted_in_the_text_and_listed_in_json() -> None:
    names = tuple(f"w{i}" for i in range(8))
    text = "".join(f"object {name} {{ class = WEIGHT_TILE reuse = NONE }}\n" for name in names)
    text += f"phase decode {{ step s {{ reads = [{', '.join(names)}] }} }}\n"
    report = compare(module_of(text), lines(*runs(names)), "log")
    said = comparison_text.sentences(report.logs[0])
    assert len(said) == 6
    assert said[-1] == "and 3 more of reuse did not always hold"
    content = comparison_json.as_object(report, version="1")
    assert [one["object"] for one in content["logs"][0]["wrong"]] == list(names)


def test_a_log_without_runs_is_still_a_report() -> None:
    log = compared(TEXT)
    assert log.runs == ()
    assert comparison_text.sentences(log) == [
        "never read (no phase that ran reads it): 2 WEIGHT_TILE: `a`, `b`"
    ]


def test_json_is_ascii_and_says_its_version() -> None:
    report = compare(module_of(TEXT), lines(*runs(("a", "b"))), "log")
    text = comparison_json.as_text(report, version="1.2")
    assert text.isascii()
    assert text.endswith("}\n")
    content = json.loads(text)
    assert content["version"] == "1.2"
    assert content["model"] == "two weights"
