"""``mirc fit`` as people call it: text, JSON by its schema, exit codes, a model as target."""

import json
from pathlib import Path

from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from tests.answers.test_fit import toy

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "fit-1.schema.json"
MODEL = """
import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(64, 64)

    def forward(self, x):
        return self.inner(x)


def build():
    return Model()


model = Model()
example_inputs = (torch.zeros(4, 64),)
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["fit", *arguments])


def written(folder: Path, text: str) -> str:
    path = folder / "toy.mir"
    path.write_text(text, "utf-8")
    return str(path)


def test_both_answers_are_printed_with_their_peaks(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, toy()), "-M", "card-24g")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith(
        "on card-24g: hbm has 24.000 GB, 2.400 GB in reserve, 21.600 GB usable"
    )
    assert "all of it in hbm:" in lines
    # 12 tokens are 2 blocks of 10 MB: (21,600 - 1,200) / 21 = 971; streamed (21,600 - 600) / 21
    batches = [line for line in lines if "largest batch" in line]
    assert [line.strip() for line in batches] == [
        "largest batch at 12 tokens of context: 971",
        "largest batch at 12 tokens of context: 1_000",
    ]
    near = lines.index("  peak of batch 971 at 12 tokens of context, at step `s0` of `decode`:")
    assert lines[near + 1 : near + 7] == [
        "    weights       1.200 GB  2  w0",
        "    caches       19.420 GB  1  kv",
        "    activations   0.971 GB  1  a",
        "    free          0.009 GB",
        "    reserve       2.400 GB",
        "    hbm          24.000 GB",
    ]
    more = "  batch 972 at 12 tokens of context does not fit: 12_000_000 bytes too many at step"
    assert lines[near + 7] == f"{more} `s0` of `decode`"
    assert lines[near + 8].startswith("  batch 1 at 20_391 tokens of context does not fit")


def test_a_point_is_answered_first_with_its_own_peak(tmp_path: Path) -> None:
    file = written(tmp_path, toy())
    result = invoke(file, "-M", "card-24g", "--batch", "990")
    assert result.exit_code == 0  # 1,200 + 990 x 21 = 21,990 MB: too many; streamed 21,390 MB fit
    lines = result.stdout.splitlines()
    assert lines[1:3] == [
        "asked: batch 990 at 12 tokens of context",
        "  all of it in hbm: does not fit, 0.390 GB too many at step `s0` of `decode`",
    ]
    assert "  streamed through hbm: fits, 0.210 GB free at step `s0` of `decode`" in lines
    assert lines.index("all of it in hbm:") > 3  # the largest of each follow

    result = invoke(file, "-M", "card-24g", "--batch", "200", "--context", "4096")
    assert result.exit_code == 1
    assert result.stdout.count(": does not fit, ") == 2
    arguments = ("--batch", "200", "--context", "4096", "--output-format", "json")
    (machine,) = json.loads(invoke(file, "-M", "card-24g", *arguments).stdout)["machines"]
    assert (machine["asked"], machine["batch"], machine["context"]) == (True, 200, 4096)
    assert [answer["asked_fits"] for answer in machine["answers"]] == [False, False]
    # 410 blocks of 10 MB for each sequence
    assert machine["answers"][0]["asked"]["size_bytes"] == 1_200_000_000 + 200 * 4_101_000_000


def test_what_does_not_grow_with_the_batch_gets_a_plain_answer(tmp_path: Path) -> None:
    text = "mir 1.0\nobject w { class = WEIGHT_TILE  size_bytes = 5GB }\n"
    file = written(tmp_path, text + "phase p { batch = 4  step s { reads = [w] } }\n")
    result = invoke(file, "-M", "card-24g")
    assert result.exit_code == 0
    assert result.stdout.splitlines().count("  fits") == 2
    assert "largest batch" not in result.stdout
    assert (
        "note: nothing in this file grows with the batch: the sizes are those of the captured "
        "batch 4\n"
    ) in result.stdout
    document = json.loads(invoke(file, "-M", "card-24g", "--output-format", "json").stdout)
    (machine,) = document["machines"]
    assert machine["grows_with_batch"] is False
    assert [answer["fits"] for answer in machine["answers"]] == [True, True]
    refused = invoke(file, "-M", "card-24g", "--batch", "5")
    assert refused.exit_code == 2
    assert "its sizes are those of batch 4" in refused.stderr


def test_phases_of_a_file_are_not_captured(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, toy()), "-M", "card-24g", "--phases", "prefill")
    assert result.exit_code == 2
    assert "`--phases` says what to capture of a model, and a file has its phases" in result.stderr


def test_machines_are_named_apart_or_together(tmp_path: Path) -> None:
    file = written(tmp_path, toy())
    together = invoke(file, "-M", "card-24g,h100-sxm")
    assert together.exit_code == 0
    assert together.stdout == invoke(file, "-M", "card-24g", "-M", "h100-sxm").stdout


def test_a_file_with_errors_has_no_answer(tmp_path: Path) -> None:
    text = toy().replace("reads = [w1, a]", "reads = [ROUTED(e, 9)]")
    text += 'object "e[0]" { class = EXPERT_WEIGHT  size_bytes = 5 }\n'
    result = invoke(written(tmp_path, text), "-M", "card-24g")
    assert result.exit_code == 2
    assert "`s1` routes to 9 experts of `e`, which has 1" in result.stderr


def test_the_json_form_keeps_its_schema(tmp_path: Path) -> None:
    arguments = ("-M", "card-24g", "-M", "h100-sxm", "--output-format", "json")
    result = invoke(written(tmp_path, toy()), *arguments)
    document = json.loads(result.stdout)
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    near, tiers = document["machines"][0]["answers"]
    assert (near["scope"], tiers["scope"]) == ("near", "tiers")
    for answer in (near, tiers):
        shares = answer["peak"]["witness"]
        assert sum(share["size_bytes"] for share in shares) == answer["peak"]["size_bytes"]


def test_what_does_not_fit_is_a_finding(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, toy(weight=23_000_000_000)), "-M", "card-24g")
    assert result.exit_code == 1
    assert result.stdout.count("does not fit: not one sequence at 12 tokens of context") == 2
    assert "too many" in result.stdout


def test_the_batch_and_the_context_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, toy())
    arguments = ("-M", "card-24g", "--batch", "4", "--context", "100", "--output-format", "json")
    found = json.loads(invoke(path, *arguments).stdout)["machines"][0]
    assert (found["batch"], found["context"]) == (4, 100)
    # 10 blocks: (21,600 - 1,200) / 101; 4 sequences: (21,600 - 1,200) / 4 = 5,100 = 1 + 509 x 10
    near = found["answers"][0]
    assert (near["largest_batch"], near["largest_context"]) == (201, 5090)


def test_a_model_needs_a_machine_to_be_named() -> None:
    result = invoke("preset:gpt2")
    assert result.exit_code == 2
    assert "no machine was named" in result.stderr


def test_a_model_is_captured_once(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(MODEL, "utf-8")
    result = invoke(str(path), "-M", "card-24g")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("capture: ") == 1
    assert "largest batch" in result.stdout


def test_a_wrong_schedule_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, toy())
    result = invoke(path, "-M", "card-24g", "--schedule", "REPEAT(2, decoed)")
    assert result.exit_code == 2
    assert "did you mean `decode`?" in result.stderr
