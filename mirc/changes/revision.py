"""A file and a git revision into the text that the file had there."""

import shutil
import subprocess
from pathlib import Path

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar.limits import MAX_TEXT, too_large

_SECONDS = 60
_LONGEST_REVISION = 500
# How git says what an entry is: the first digits of its mode.
_LINK = "120000"
_FILE = "100"


def source_at(path: str, revision: str) -> Source:
    """Return the file as it was at a revision of the repository around it.

    Runs ``git`` without a shell, and nothing that a repository may configure. Raises
    ``CouldNotRun``, by what is missing: git, a repository, the revision, the file in it.
    """
    git = shutil.which("git")
    if git is None:
        raise CouldNotRun("git is not installed", "install git, or name both files")
    _refuse_odd(revision)
    folder = str(Path(path).parent)
    if not Path(folder).is_dir():
        raise CouldNotRun(f"there is no folder `{folder}`", "check the path")
    if _ask(git, folder, "rev-parse", "--git-dir") is None:
        raise CouldNotRun(f"`{path}` is in no git repository", "name both files instead")
    commit = _ask(git, folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise CouldNotRun(f"git knows no revision `{revision}`", "see `git log` and `git branch`")
    # The bytes as they were committed: `git show` would run filters that a repository configures.
    label = f"{path}@{revision}"
    blob = _blob(git, path, commit.decode().strip(), revision)
    size = _ask(git, folder, "cat-file", "-s", blob)
    if size is not None and int(size) > MAX_TEXT:
        raise too_large(label)
    data = _ask(git, folder, "cat-file", "blob", blob) if size is not None else None
    if data is None:
        raise CouldNotRun(f"git cannot read `{label}`", "fetch it, or name both files")
    try:
        return Source(label, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CouldNotRun(f"`{label}` is not UTF-8", "compare with another revision") from None


def _blob(git: str, path: str, commit: str, revision: str) -> str:
    """Return git's name of a file's bytes; raises ``CouldNotRun`` for all that is no file."""
    folder, name = str(Path(path).parent), Path(path).name
    # Names are taken literally: git would read some as patterns.
    words = ("--literal-pathspecs", "ls-tree", "-z", commit, "--", f"./{name}")
    entry = (_ask(git, folder, *words) or b"").partition(b"\t")[0].decode().split()
    if not entry:
        raise CouldNotRun(
            f"`{path}` is not in revision `{revision}`", "choose a revision that has the file"
        )
    mode, _, blob = entry
    if mode == _LINK:
        raise CouldNotRun(f"`{path}@{revision}` is a link", "name the file that it leads to")
    if not mode.startswith(_FILE):
        raise CouldNotRun(f"`{path}@{revision}` is no file", "name a .mir file in it")
    return blob


def _refuse_odd(revision: str) -> None:
    odd = not revision.isprintable() or revision.startswith("-") or ":" in revision
    if not revision or odd or len(revision) > _LONGEST_REVISION:
        raise CouldNotRun(
            f"`{revision[:100]}` is no git revision", "name a branch, a tag or a commit"
        )


def _ask(git: str, folder: str, *words: str) -> bytes | None:
    """Return what git prints, or None where it refuses."""
    try:
        answer = subprocess.run(  # noqa: S603 - git itself, a list of words, no shell
            [git, "-C", folder, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CouldNotRun(f"git did not answer in {_SECONDS} seconds", "name both files") from None
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot run git: {error}", "name both files instead") from error
    return answer.stdout if answer.returncode == 0 else None
