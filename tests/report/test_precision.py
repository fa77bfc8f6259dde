"""The section on precision: figures, what was in the way, and no claim of accuracy."""

import attrs
import pytest

from mirc.controller.stage import Happening
from mirc.report.precision import precision_object, precision_text
from mirc.simulate.joint import Joint
from mirc.simulate.precision import Aim, Precision
from tests.report.rows import GB, MS, row

JOINT = Joint(
    figures=attrs.evolve(
        row("intent + precision", 1000 * MS),
        p50_ps=250 * MS,
        happenings=(
            Happening(
                time_ps=5,
                step=3,
                actor="precision",
                what="bfloat16 to int4",
                object="w",
                outcome="vetoed",
                detail="rung 2 is below its floor, rung 1: gain 12 bytes near",
            ),
            Happening(time_ps=6, step=3, actor="faults", what="slow"),
        ),
    ),
    precision=Precision(
        aim=Aim.FIT,
        units=3,
        able=2,
        full_bytes=4 * GB,
        near_bytes=3 * GB,
        copies_bytes=GB,
        held=(("bfloat16", 2, 2 * GB), ("float8_e4m3fn", 1, GB)),
        lowered_bytes=((0.05, 2 * GB),),
        converted=1,
        converting_ps=2 * MS,
        widened=0,
        refused=0,
        unpaid=7,
        vetoed=1,
        short_bytes=GB,
    ),
)


def test_the_section_gives_the_figures_beside_full_precision() -> None:
    text = "\n".join(precision_text(JOINT, row("intent", 4000 * MS), "hbm"))
    # 250 ms against 1,000
    assert "p50 250.0 ms" in text
    assert "against intent in full precision -75.00 % in p50, -75.00 % in all" in text
    assert "bfloat16 2.000 GB (2), float8_e4m3fn 1.000 GB (1): 3.000 GB in hbm" in text
    assert "7 used too rarely to pay for one, 1 held by their floors" in text
    assert "1.000 GB did not fit even so" in text
    assert "50.00 % of the weights lost bits at a declared sensitivity of 0.05 a rung" in text


@pytest.mark.mechanism("S1-09")
def test_no_accuracy_is_ever_claimed() -> None:
    assert precision_text(JOINT, None, "hbm")[-1].endswith("no accuracy is claimed")


@pytest.mark.mechanism("S1-09")
def test_the_object_has_the_audit_log_of_the_transitions_alone() -> None:
    found = precision_object(JOINT)
    assert [each["outcome"] for each in found["transitions"]] == ["vetoed"]
    assert "gain 12 bytes" in found["transitions"][0]["detail"]
    assert found["held"][1] == {"dtype": "float8_e4m3fn", "units": 1, "bytes": GB}
