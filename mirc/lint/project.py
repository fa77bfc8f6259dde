"""Sources into findings, each under the settings of its own folder."""

from mirc.diagnostics import FileFindings, Source
from mirc.lint import config
from mirc.lint.check import check_source
from mirc.lint.settings import Overrides, Settings
from mirc.machine import Machine
from mirc.machine.load import load


class Project:
    """Checks files; what their settings name (machines, baselines) is read once.

    ``overrides`` are what the command line says in place of the settings.
    """

    def __init__(self, overrides: Overrides | None = None) -> None:
        self._overrides = overrides or Overrides()
        self._machines: dict[str, Machine] = {}
        for machine in self._overrides.machines or ():
            self._machine(machine)

    def settings(self, name: str) -> Settings:
        """Return what holds for a file; raises ``CouldNotRun``."""
        return self._overrides.over(config.settings_for(name))

    def check(self, source: Source) -> FileFindings:
        """Return the findings that are wanted, not ignored and not in the baseline."""
        baseline = self.settings(source.name).baseline
        found = self.check_all(source)
        if baseline is None:
            return found
        # Start-up: few have a baseline.
        from mirc.lint.baseline import read  # noqa: PLC0415

        return read(baseline).without(found)

    def check_all(self, source: Source) -> FileFindings:
        """Return the findings that are wanted and not ignored, old ones among them."""
        settings = self.settings(source.name)
        return check_source(source, self._machines_of(settings), settings)

    def witness(self, source: Source) -> FileFindings:
        """Return the findings of every usual rule, wanted or not."""
        return check_source(source, self._machines_of(self.settings(source.name)))

    def forget(self) -> None:
        """Read settings, machines and baselines anew from now on."""
        config.forget()
        self._machines.clear()

    def _machines_of(self, settings: Settings) -> tuple[Machine, ...]:
        return tuple(self._machine(name) for name in settings.machines)

    def _machine(self, name: str) -> Machine:
        if name not in self._machines:
            self._machines[name] = load(name)
        return self._machines[name]
