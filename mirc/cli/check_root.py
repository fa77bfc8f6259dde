"""Where a command runs into the folder that CI services know as the repository."""

import os
from pathlib import Path

# What GitHub and GitLab say of themselves.
_VARIABLES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def repository() -> str:
    """Return the checkout of the CI service, else the nearest folder upward with ``.git``.

    Outside of both it is the current folder.
    """
    here = Path.cwd()
    for variable in _VARIABLES:
        named = os.environ.get(variable)
        if named and here.is_relative_to(os.path.realpath(named)):
            return os.path.realpath(named)
    return str(next((f for f in (here, *here.parents) if (f / ".git").exists()), here))
