"""The bundled architectures at reduced depth, each captured once per test run."""

import json
import sys
from functools import cache
from types import ModuleType
from typing import Any

from torch import nn

from mirc.frontend import CaptureOptions, huggingface
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from mirc.graph import Graph, Program, Storage

DEPTHS = (
    "num_hidden_layers",
    "n_layer",
    "encoder_layers",
    "decoder_layers",
    "num_layers",
    "num_decoder_layers",
)
SMALL = CaptureOptions(tile_bytes=64 << 20)


@cache
def model(name: str, layers: int = 2) -> huggingface.HuggingFaceModel:
    settings: dict[str, Any] = json.loads((huggingface.PRESETS / f"{name}.json").read_text())
    settings |= {key: layers for key in DEPTHS if key in settings}
    if "first_k_dense_replace" in settings:
        settings["first_k_dense_replace"] = 1
    return huggingface.from_settings(name, settings)


@cache
def program(name: str, layers: int = 2) -> Program:
    return capture_model(model(name, layers), SMALL, lambda _: None)


def from_settings(settings: dict[str, Any], phases: str | None) -> Program:
    found = huggingface.from_settings("tiny", settings)
    return capture_model(found, CaptureOptions(phases=phases), lambda _: None)


def of_module(module: nn.Module, *args: Any) -> Program:
    model = UserModel(name="net", calls={"forward": (module, args, {})})
    return capture_model(model, CaptureOptions(), lambda _: None)


def storage(found: Program, name: str) -> Storage:
    (one,) = (item for item in found.storages if item.name == name)
    return one


def phase(found: Program, name: str) -> Graph:
    (one,) = (item for item in found.graphs if item.phase == name)
    return one


def parameter_bytes(module: nn.Module) -> int:
    return sum(one.numel() * one.element_size() for one in module.parameters())


def importable(name: str, **contents: Any) -> ModuleType:
    """Make a module that ``package.module:name`` finds without a file."""
    module = ModuleType(name)
    module.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec(name, None)
    vars(module).update(contents)
    sys.modules[name] = module
    return module
