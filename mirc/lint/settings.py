"""What can be asked of check: the rules that speak, what fails, machines, a baseline."""

import attrs

from mirc.diagnostics.model import Severity

FILE = "mirc.toml"
SHARED_FILE = "pyproject.toml"  # holds settings only under [tool.mirc]


@attrs.frozen
class Settings:
    """What check is asked to say about a file.

    Rules are named by code, prefix, name or ``ALL``; ``select`` None means every rule that is not
    opt-in. ``per_file_ignores`` are (pattern, rules) with patterns below ``root``, the folder of
    the file that the settings come from. ``machines`` are presets' names or paths; ``baseline`` is
    a path or None.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_level: Severity = Severity.WARNING
    machines: tuple[str, ...] = ()
    baseline: str | None = None
    root: str = ""


DEFAULT = Settings()


@attrs.frozen
class Overrides:
    """What the command line says; None leaves what the settings say."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    fail_level: Severity | None = None
    machines: tuple[str, ...] | None = None
    baseline: str | None = None

    def over(self, settings: Settings) -> Settings:
        """Return the settings with what is said here in place of theirs."""
        changes = {
            field.name: value
            for field in attrs.fields(Overrides)
            if (value := getattr(self, field.name)) is not None
        }
        if "select" in changes:
            # Whoever names the rules names all of them.
            changes.setdefault("extend_select", ())
        return attrs.evolve(settings, **changes) if changes else settings
