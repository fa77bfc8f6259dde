"""What is installed against what is on the disk."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import mirc

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]
LINKED = ("passes", "grammar")


def packages_on_disk() -> set[str]:
    found = {"mirc"}
    for top in (ROOT / "mirc", *(ROOT / "mirc" / name for name in LINKED)):
        for init in top.rglob("__init__.py"):
            found.add(".".join(init.parent.relative_to(ROOT).parts))
    return found


def test_the_list_of_packages_is_what_is_on_the_disk() -> None:
    assert set(SETUPTOOLS["packages"]) == packages_on_disk()
    assert SETUPTOOLS["packages"] == sorted(SETUPTOOLS["packages"])


@pytest.mark.parametrize("name", LINKED)
def test_a_linked_room_is_one_folder_by_two_ways(name: str) -> None:
    link = ROOT / "mirc" / name
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{name}"
    assert SETUPTOOLS["package-dir"][f"mirc.{name}"] == name


@pytest.mark.parametrize("package", SETUPTOOLS["package-data"])
def test_package_data_exists(package: str) -> None:
    for pattern in SETUPTOOLS["package-data"][package]:
        folder = files(package)
        for part in pattern.split("/")[:-1]:
            folder /= part
        suffix = pattern.split("/")[-1].removeprefix("*")
        assert any(entry.name.endswith(suffix) for entry in folder.iterdir()), pattern


def test_every_file_that_is_not_code_is_package_data() -> None:
    # A preset that no pattern names would be missing from the wheel, and only there.
    missing = []
    for name in sorted(packages_on_disk()):
        folder = ROOT.joinpath(*name.split("."))
        patterns = SETUPTOOLS["package-data"].get(name, [])
        named = {path for pattern in patterns for path in folder.glob(pattern)}
        inner = [d for d in folder.iterdir() if d.is_dir() and not (d / "__init__.py").exists()]
        folders = [d for d in (folder, *inner) if d.name != "__pycache__"]
        data = [p for d in folders for p in d.iterdir() if p.is_file()]
        missing += [p for p in data if p.suffix != ".py" and p not in named]
    assert missing == []


def test_the_version_stands_once_more_in_the_package() -> None:
    assert PROJECT["project"]["version"] == mirc.__version__ == version("mirc")


def test_a_wheel_holds_every_module_and_every_preset(tmp_path: Path) -> None:
    # No network: the build backend is called directly, as pip would call it.
    script = (
        "import os, sys\n"
        "from setuptools import build_meta\n"
        "print('wheel:' + build_meta.build_wheel(sys.argv[1]))\n"
    )
    copy = tmp_path / "source"
    _copy_sources(copy)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    wheel = tmp_path / result.stdout.split("wheel:")[1].strip()
    target = tmp_path / "installed"
    _unpack(wheel, target)
    expected = {
        path.relative_to(ROOT)
        for package in packages_on_disk()
        for pattern in ("*.py", "presets/*", "*.lark", "py.typed")
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
        if path.is_file()
    }
    assert expected - {path.relative_to(target) for path in target.rglob("*")} == set()
    # From there alone, with nothing of the checkout in sight.
    probe = "import mirc.passes, mirc.grammar; print(mirc.grammar.__file__)"
    imported = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(target)!r}); {probe}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert imported.stdout.startswith(str(target)), imported.stderr


def _copy_sources(target: Path) -> None:
    target.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, target / name)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("mirc", "passes", "grammar"):
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=ignore)


def _unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
