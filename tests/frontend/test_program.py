import os
import subprocess
import sys
from pathlib import Path

import attrs

from mirc.frontend import CaptureOptions, capture
from mirc.frontend.whole import digest
from mirc.graph import Role
from tests.frontend import tiny

SCRIPT = """
import sys
from mirc.frontend import CaptureOptions, capture
print(repr(capture(sys.argv[1], CaptureOptions(), lambda _: None)))
"""
MODEL = """
import torch
from torch import nn
model = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
example_inputs = (torch.ones(1, 4, 16),)
"""


def test_the_same_model_is_the_same_program_under_any_hash_seed(tmp_path: Path) -> None:
    target = tmp_path / "model.py"
    target.write_text(MODEL)
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # another than this process's
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(target)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert printed == f"{capture(str(target), CaptureOptions(), lambda _: None)!r}\n"
    assert "self_attn" in printed


def test_the_digest_follows_parameters_and_operations_only() -> None:
    program = tiny.program("gpt2")
    assert program.digest == digest(program.storages, program.graphs)
    assert program.digest.startswith("sha256:")
    weight = next(one for one in program.storages if one.role is Role.PARAMETER)
    wider = attrs.evolve(weight, dtype="float64")
    changed = [wider if one is weight else one for one in program.storages]
    assert digest(changed, program.graphs) != program.digest
    assert digest(program.storages[::-1], program.graphs) == program.digest
    assert digest(program.storages, program.graphs[:1]) != program.digest
