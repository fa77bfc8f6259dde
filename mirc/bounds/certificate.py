"""A decision, what it costs, and the proven bound that no decision can beat."""

import attrs


@attrs.frozen(kw_only=True)
class Certificate:
    """``objective`` is what was decided costs, ``bound`` the least that anything could cost.

    Both are in ``unit`` (``bytes``, ``us``, ``ms``). ``bound`` is None where none was computed, and
    ``note`` then says why (an LP above its size, say). ``method`` names the proof (``peak-live``,
    ``closed form W-C``, ``LP relaxation``), ``solver`` what computed it, ``seconds`` its wall time:
    the one figure here that differs between runs. Where not ``feasible`` the decision cannot be
    carried out, ``note`` says why, and its cost is nobody's: there is no gap.
    """

    decision: str
    objective: float
    bound: float | None
    unit: str
    method: str
    solver: str = "closed form"
    seconds: float = attrs.field(default=0.0, eq=False)
    note: str = ""
    feasible: bool = True

    @property
    def gap(self) -> float | None:
        """How far the objective lies above its bound, as a share of the bound."""
        if self.bound is None or not self.feasible:
            return None
        if self.bound <= 0:
            return 0.0 if self.objective <= 0 else None
        return self.objective / self.bound - 1
