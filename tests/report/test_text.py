import attrs

from mirc.report.text import as_text
from tests.report.rows import MS, comparison, row, study


def test_a_report_shows_every_policy_beside_the_bounds() -> None:
    text = as_text(study(comparison()))
    assert text == (
        "toy model on toy\n"
        "  2 runs of decode, 1 sequence, 2 new tokens, seed 7, plan `small`\n"
        "  hbm has 2.000 GB usable; a run reads W = 3.000 GB of weights and leaves "
        "C = 2.000 GB for them on average\n"
        "  path: python\n"
        "\n"
        "step time                  p50      p95      p99  first run    total"
        "  gap to bound  vs intent\n"
        "--------------------  --------  -------  -------  ---------  -------"
        "  ------------  ---------\n"
        "intent                 1.000 s  1.500 s  1.500 s    3.000 s  4.000 s"
        "       33.33 %          -\n"
        "belady (oracle)        1.000 s  1.500 s  1.500 s    3.000 s  3.900 s"
        "       33.33 %    -2.50 %\n"
        "bound                  1.000 s        -        -          -  3.000 s"
        "             -          -\n"
        "infinite near memory  40.00 ms        -        -          -        -"
        "             -          -\n"
        "\n"
        "bytes                 up a token  into hbm, whole run  over bound\n"
        "--------------------  ----------  -------------------  ----------\n"
        "intent                  2.000 GB             4.000 GB      0.00 %\n"
        "belady (oracle)         2.000 GB             4.000 GB      0.00 %\n"
        "bound                          -             4.000 GB           -\n"
        "W+(S-1)(W-C)                   -             4.000 GB           -\n"
        "infinite near memory           -             3.000 GB           -\n"
        "\n"
        "stalls             demand      late  queue  steps   in hbm  in dram"
        "  prefetched on time / late / unused\n"
        "---------------  --------  --------  -----  -----  -------  -------"
        "  ----------------------------------\n"
        "intent           1.000 ms  2.000 ms   0 ps  1,234  75.00 %  25.00 %"
        "                           4 / 1 / 1\n"
        "belady (oracle)  1.000 ms  2.000 ms   0 ps  1,234  75.00 %  25.00 %"
        "                           4 / 1 / 1\n"
        "\n"
        "assumed: the moon is round\n"
    )


def test_the_heading_says_which_path_each_policy_took_and_with_which_stages() -> None:
    rows = (row("lru", MS), attrs.evolve(row("intent", MS), path="compiled + claims, signals"))
    text = as_text(study(comparison(*rows)))
    assert "  path: python (lru); compiled + claims, signals (intent)\n" in text


def test_machines_stand_one_after_the_other() -> None:
    text = as_text(study(comparison(), attrs.evolve(comparison(), machine="other")))
    assert text.index("toy model on toy") < text.index("toy model on other")


def test_without_a_plan_the_report_says_that_intent_has_hints_alone() -> None:
    text = as_text(study(comparison(plan=None)))
    assert "assumed: the file has no plan for toy, so intent runs on hints alone\n" in text


def test_losses_are_printed_as_losses() -> None:
    text = as_text(study(comparison(row("intent", 4400 * MS), row("static", 4000 * MS))))
    assert "intent loses to static, the best static placement: 10.0 % more time" in text
    assert "-9.09 %" in text  # static against intent


def test_broken_contracts_of_intent_are_named() -> None:
    broken = attrs.evolve(row("intent", MS), broken=("wired line `w0` was evicted at step 3",))
    text = as_text(study(comparison(broken)))
    assert "broken contract: wired line `w0` was evicted at step 3\n" in text
