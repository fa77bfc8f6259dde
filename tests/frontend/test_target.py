import json
import os
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import CaptureOptions, capture, huggingface
from mirc.graph import Level, Program, Role
from mirc.graph.verify import verify
from tests.frontend import tiny

HEAD = "import torch\nfrom torch import nn\n"


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(HEAD + textwrap.dedent(text))
    return str(path)


def captured(target: str, **options: str) -> Program:
    return capture(target, CaptureOptions(**options), lambda _: None)  # type: ignore[arg-type]


def refused(target: str) -> tuple[str, str]:
    with pytest.raises(CouldNotRun) as caught:
        captured(target)
    assert "\n" not in caught.value.message
    return caught.value.message, caught.value.hint or ""


FORMS = {
    "mirc_entries": """
        def mirc_entries():
            shared = nn.Linear(4, 4)
            return {
                "warm": (nn.Sequential(shared), (torch.ones(2, 4),), {}),
                "run": (nn.Sequential(shared, nn.ReLU()), (torch.ones(1, 4),), {}),
            }
        def build():
            raise RuntimeError("never asked")
        """,
    "build": """
        def build():
            return nn.Linear(4, 4), (torch.ones(2, 4),)
        """,
    "model": """
        model = nn.Linear(4, 4)
        example_inputs = (torch.ones(2, 4),)
        """,
    "Model": """
        class Model(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.inner = nn.Linear(width, width)
            def forward(self, x):
                return self.inner(x)
        def get_init_inputs():
            return [4]
        def get_inputs():
            return [torch.ones(2, 4)]
        """,
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_python_file_may_offer_its_model_in_each_form(form: str, tmp_path: Path) -> None:
    program = captured(written(tmp_path, FORMS[form]))
    assert verify(program) == ()
    assert program.name == "mine"
    phases = {"mirc_entries": ["warm", "run"]}.get(form, ["forward"])
    assert [graph.phase for graph in program.graphs] == phases
    weights = [one for one in program.storages if one.role is Role.PARAMETER]
    assert sum(one.size_bytes for one in weights) == (4 * 4 + 4) * 4  # shared ones once
    assert {found.level for found in program.captures} == {Level.EXPORT}


def test_a_name_after_the_colon_is_taken_instead(tmp_path: Path) -> None:
    text = FORMS["model"] + "\ndef other():\n    return nn.Linear(8, 8), torch.ones(1, 8)\n"
    file = tmp_path / "mine.py"
    file.write_text(HEAD + textwrap.dedent(FORMS["model"]) + text[text.index("\ndef other") :])
    program = captured(f"{file}:other")
    assert program.name == "mine_other"
    assert tiny.storage(program, "weight").shape == (8, 8)


def test_an_importable_module_is_a_target_and_stays_as_it_was() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    x = torch.randn(3, 4)
    tiny.importable("mirc_test_target", thing={"step": (module, (x,), {})})
    module.eval()
    before = module(x)
    module.train()
    program = captured("mirc_test_target:thing")
    assert [graph.phase for graph in program.graphs] == ["step"]
    assert not [node for node in program.graphs[0].nodes if node.random]  # captured as inference
    assert module.training
    assert torch.equal(module.eval()(x), before)


def test_a_users_phases_are_chosen_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, FORMS["mirc_entries"])
    assert [one.phase for one in captured(path, phases="run").graphs] == ["run"]
    with pytest.raises(CouldNotRun, match="unknown phase `prefill`"):
        captured(path, phases="prefill:seq=4")


def test_a_configuration_folder_and_its_file_are_targets(tmp_path: Path) -> None:
    settings = json.loads((huggingface.PRESETS / "gpt2.json").read_text())
    settings |= {"n_layer": 1, "n_embd": 64, "n_head": 2, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    program = captured(f"hf:{tmp_path}", phases="prefill:seq=8")
    same = captured(f"hf:{tmp_path / 'config.json'}", phases="prefill:seq=8")
    assert program.digest == same.digest
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert tiny.storage(program, "transformer.wte.weight").shape == (100, 64)
    message, hint = refused(str(tmp_path))
    assert message.endswith("is a directory")
    assert hint == f"write `hf:{tmp_path}`"


def test_an_exported_program_on_meta_keeps_its_weights_apart(tmp_path: Path) -> None:
    # after a round trip all parameters on meta share one storage: names and shapes tell them apart
    with torch.device("meta"):
        module, x = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 4)), torch.ones(2, 8)
    path = tmp_path / "kept.pt2"
    torch.export.save(torch.export.export(module, (x,)), path)
    program = captured(str(path))
    assert verify(program) == ()
    weights = {one.name: one.size_bytes for one in program.storages if one.role is Role.PARAMETER}
    assert weights == {"0.weight": 512, "0.bias": 64, "1.weight": 256, "1.bias": 16}
    assert [step.name for step in program.graphs[0].steps] == ["0", "1"]


def test_a_file_that_is_compiled_already_is_for_other_commands(tmp_path: Path) -> None:
    (tmp_path / "a.mir").write_text("mir 1.0\n")
    message, hint = refused(str(tmp_path / "a.mir"))
    assert message.endswith("a .mir file is what compiling writes")
    assert all(f"`mirc {name}`" in hint for name in ("opt", "fit", "simulate"))


def test_what_does_not_exist_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert refused("nosuch.py")[0] == "no such file: `nosuch.py`"
    assert refused("nosuch.pt2")[0] == "no such file: `nosuch.pt2`"
    assert refused("nosuch")[0] == "no such target: `nosuch`"
    assert refused("nosuch.mod:thing")[0] == "no module named `nosuch.mod`"
    assert refused(f"hf:{tmp_path}")[0] == f"no configuration at `{tmp_path}`"
    assert refused(str(tmp_path)) == (
        f"`{tmp_path}` is a directory",
        "give a Python file in it",
    )
    assert refused("preset:llama3-80b") == (
        "no preset named `llama3-80b`",
        "did you mean `llama3-8b`, `llama3-70b`, `llama3.1-405b`?",
    )
    assert "`gpt2`" in refused("preset:xyz")[1]


def test_damaged_files_are_said_in_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "x.pt2"
    broken.write_bytes(b"nothing")
    assert refused(str(broken))[0].startswith(f"torch cannot read `{broken}`: ")
    config = tmp_path / "config.json"
    for text, said in (
        ("{", "is not a JSON configuration"),
        ("[]", "holds no JSON object"),
        ("{}", "names no `model_type`"),
        ('{"model_type": "nosuch"}', "transformers cannot build"),
        ('{"model_type": "gpt2", "n_head": 7}', "transformers cannot build"),
        ("[" * 100_000, "is not a JSON configuration"),
    ):
        config.write_text(text)
        assert said in refused(f"hf:{config}")[0]


def test_an_exception_of_the_users_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "def f():\n    raise ValueError('no luck\\nat all')\nf()\n")
    assert refused(path)[0] == f"`{path}` raised ValueError: no luck ({path}:4)"
    path = written(tmp_path, "def build():\n    return 1 / 0\n")
    assert refused(path)[0] == f"`{path}` raised ZeroDivisionError: division by zero ({path}:4)"
    path = written(tmp_path, "import nosuchpackage\n")
    assert "raised ModuleNotFoundError: No module named 'nosuchpackage'" in refused(path)[0]
    path = written(tmp_path, "raise SystemExit(3)\n")
    assert refused(path)[0] == f"`{path}` raised SystemExit: 3 ({path}:3)"
    path = written(tmp_path, "def f(:\n")
    assert refused(path)[0].endswith(f"({path}:3)")
    path = written(tmp_path, "def build():\n    return build()\n")
    assert refused(path)[0].startswith(f"`{path}` raised RecursionError")


def test_a_file_without_a_model_says_what_it_has(tmp_path: Path) -> None:
    message, hint = refused(written(tmp_path, "class Net(nn.Module): pass\nsize = 3\n"))
    assert message.startswith("no model in `")
    assert hint.startswith("it has `Net` (a module class), `size` (a int); give `mirc_entries()`")
    message, hint = refused(written(tmp_path, "model = nn.Linear(2, 2)\n"))
    assert "has a model and no inputs" in message
    message, hint = refused(written(tmp_path, "def build():\n    return 3\n"))
    assert "is a int, not (module, args, kwargs)" in message
    path = written(tmp_path, "def mirc_entries():\n    return {}\n")
    assert refused(path)[0] == f"`mirc_entries()` of `{path}` names no phase"
    path = written(tmp_path, "size = 3\n")
    assert refused(f"{path}:nosuch") == (f"`{path}` has no `nosuch`", "it has `size` (a int)")


def test_what_user_code_prints_stays_out_of_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FORMS["model"] + "\n        print('loading')\n"
    captured(written(tmp_path, text))
    assert capsys.readouterr().out == ""


def test_positions_that_were_never_learned_are_refused() -> None:
    with pytest.raises(CouldNotRun, match="has 2000 tokens, `gpt2` has positions for 1024"):
        captured("preset:gpt2", phases="prefill:seq=2000")


def test_a_large_model_is_built_without_weights_and_a_small_one_as_it_stands(
    tmp_path: Path,
) -> None:
    # 9000 x 9000 floats are 324 MB; the constant in forward must follow the weights to meta
    text = """
        class Net(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.inner = nn.Linear(width, width, bias=False)
            def forward(self, x):
                return self.inner(x) * torch.tensor([2.0])
        def large():
            return Net(9000), (torch.ones(1, 9000),)
        def small():
            return Net(9), (torch.ones(1, 9),)
        """
    path = written(tmp_path, text)
    for name, width in (("large", 9000), ("small", 9)):
        program = captured(f"{path}:{name}")
        assert {found.level for found in program.captures} == {Level.EXPORT}
        assert tiny.storage(program, "inner.weight").size_bytes == width * width * 4


def test_two_phases_with_different_weights_of_one_name_keep_both(tmp_path: Path) -> None:
    text = """
        def mirc_entries():
            return {
                "first": (nn.Linear(4, 4), (torch.ones(1, 4),), {}),
                "second": (nn.Linear(8, 8), (torch.ones(1, 8),), {}),
            }
        """
    program = captured(written(tmp_path, text))
    assert verify(program) == ()
    assert tiny.storage(program, "weight").shape == (4, 4)
    assert tiny.storage(program, "second.weight").shape == (8, 8)
