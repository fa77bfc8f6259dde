"""A TARGET on the command line into a model with phases."""

import difflib
from pathlib import Path
from typing import Protocol

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.entry import CaptureOptions, Entry

FORMS = "give x.pt2, hf:FOLDER_or_config.json, preset:NAME, file.py[:name] or package.module:name"


class Model(Protocol):
    """Anything that has phases to capture."""

    @property
    def name(self) -> str:
        """The model's name, as the target gives it."""

    def entries(self, options: CaptureOptions) -> list[Entry]:
        """Give one entry per requested phase."""


def resolve(target: str) -> Model:
    """Find the model that ``target`` names.

    In this order: ``x.pt2`` (loading one may run code that it holds), ``hf:`` a configuration
    (offline), ``preset:`` a bundled one, ``file.py[:name]`` and ``package.module:name`` (importing
    runs the user's own code). Raises :class:`CouldNotRun` with one sentence for anything else.
    """
    if target.endswith(".pt2"):
        return _exported(Path(target))
    kind, _, rest = target.partition(":")
    if kind == "hf":
        # the import of transformers takes seconds: only what needs it pays
        from mirc.frontend import huggingface  # noqa: PLC0415

        return huggingface.from_path(Path(rest))
    if kind == "preset":
        return _preset(rest)
    return _python(target)


def _preset(name: str) -> Model:
    from mirc.frontend import huggingface  # noqa: PLC0415 - as above

    names = huggingface.preset_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        listed = ", ".join(f"`{one}`" for one in near or names)
        raise CouldNotRun(
            f"no preset named `{name}`", f"did you mean {listed}?" if near else f"try {listed}"
        )
    return huggingface.preset(name)


def _python(target: str) -> Model:
    from mirc.frontend import usercode  # noqa: PLC0415 - as above

    path, _, name = target.rpartition(":")
    if path.endswith(".py"):
        return usercode.from_file(Path(path), name)
    if target.endswith(".py"):
        return usercode.from_file(Path(target), None)
    place = Path(target)
    if place.is_dir():
        config = (place / "config.json").is_file()
        hint = f"write `hf:{target}`" if config else "give a Python file in it"
        raise CouldNotRun(f"`{target}` is a directory", hint)
    if place.suffix == ".mir":
        raise CouldNotRun(
            f"`{target}` is not a model: a .mir file is what compiling writes",
            "fill it with `mirc opt`, or give it to `mirc fit` or `mirc simulate`",
        )
    if place.exists():
        raise CouldNotRun(
            f"`{target}` is not a model: its name ends in neither .py nor .pt2", FORMS
        )
    if path and all(part.isidentifier() for part in path.split(".")):
        return usercode.from_module(path, name)
    raise CouldNotRun(f"no such target: `{target}`", FORMS)


def _exported(path: Path) -> Model:
    from mirc.frontend import program_file  # noqa: PLC0415 - as above

    return program_file.load(path)
