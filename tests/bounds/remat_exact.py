"""The exact optimum of a small problem: recompute and spill as one integer program.

Source: Jain et al., Checkmate, MLSys 2020, eq. 1-9 (stages, R, S, FREE, U); Patil et al., POET,
ICML 2022 (far memory D, copies in I and out O). Here a copy in may also happen inside a stage, at
the place of the value's operation, so that no schedule of moves is excluded that stages allow.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from mirc.bounds.remat import Problem

GAP = 1e-4
INFEASIBLE = 2


class Exact(NamedTuple):
    """The best solution found (infinity: none) and a proven lower bound on the optimum."""

    cost: float
    bound: float


def optimum(
    problem: Problem, *, spill: bool = True, recompute: bool = True, seconds: float = 30.0
) -> Exact:
    """Solve it with HiGHS; operation ``k`` must write value ``k`` and nothing else."""
    if any(op.writes != (k,) for k, op in enumerate(problem.ops)):
        raise ValueError("operation k must write value k alone")
    return _Model(problem, spill=spill, recompute=recompute).solved(seconds)


class _Model:
    """Variables by name (kind, stage, value or operation, reader) and rows ``terms <= most``."""

    def __init__(self, problem: Problem, *, spill: bool, recompute: bool) -> None:
        self.problem = problem
        self.n = len(problem.ops)
        self.users = [
            [k for k, op in enumerate(problem.ops) if i in op.reads] for i in range(self.n)
        ]
        self.names: dict[tuple[str, int, int, int], int] = {}
        self.entries: list[tuple[int, int, float]] = []
        self.most: list[float] = []
        self.fixed: dict[int, int] = {}
        self.price: dict[int, float] = {}
        spills = [spill and np.isfinite(value.out_cost) for value in problem.values]
        repeats = [recompute and op.repeatable for op in problem.ops]
        for t in range(self.n):
            for i in range(self.n):
                self._value(t, i, spills=spills[i], repeats=repeats[i])
            for k in range(self.n):
                self._reads(t, k)
            self._room(t)
        for i in range(self.n):
            self.fixed[self.var("S", self.n, i)] = int(i in problem.kept)

    def var(self, kind: str, t: int, i: int, k: int = 0) -> int:
        return self.names.setdefault((kind, t, i, k), len(self.names))

    def at_most(self, terms: Mapping[int, float], most: float) -> None:
        self.entries += [(len(self.most), column, factor) for column, factor in terms.items()]
        self.most.append(most)

    def here(self, t: int, i: int) -> dict[int, float]:
        """Say that value ``i`` is in near memory at some time of stage ``t`` (negative terms)."""
        return {self.var(kind, t, i): -1.0 for kind in "RSI"}

    def _value(self, t: int, i: int, *, spills: bool, repeats: bool) -> None:
        run, stay, fetch, far, out = (self.var(kind, t, i) for kind in "RSIDO")
        value = self.problem.values[i]
        self.price[run] = self.problem.ops[i].cost
        if spills:
            self.price[fetch], self.price[out] = value.in_cost, value.out_cost
        if i == t:
            self.fixed[run] = 1
        elif i > t or not repeats:
            self.fixed[run] = 0
        if i >= t:  # not made before this stage
            self.fixed.update(dict.fromkeys((stay, far), 0))
        if i >= t or not spills:
            self.fixed[fetch] = 0
        if i > t or not spills:
            self.fixed[out] = 0
        here = self.here(t, i)
        self.at_most({self.var("S", t + 1, i): 1, **here}, 0)
        self.at_most({out: 1, **here}, 0)
        self.at_most({self.var("D", t + 1, i): 1, far: -1, out: -1}, 0)
        self.at_most({fetch: 1, far: -1}, 0)
        frees = {self.var("F", t, i, k): 1.0 for k in {*self.users[i], i}}
        self.at_most({**frees, **here}, 0)

    def _reads(self, t: int, k: int) -> None:
        run = self.var("R", t, k)
        for i in sorted({*self.problem.ops[k].reads, k}):
            free = self.var("F", t, i, k)
            if i == k:
                self.at_most({free: 1, run: -1, self.var("I", t, k): -1}, 0)
            else:
                self.at_most({free: 1, run: -1}, 0)
                self.at_most({run: 1, **self.here(t, i)}, 0)
            self.at_most({free: 1, self.var("S", t + 1, i): 1}, 1)
            for later in self.users[i]:
                if later > k:
                    self.at_most({free: 1, self.var("R", t, later): 1}, 1)

    def _room(self, t: int) -> None:
        unit = max(1.0, self.problem.budget_bytes / 1000)  # rows' figures near 1,000
        size = [value.size_bytes / unit for value in self.problem.values]
        live: dict[int, float] = {self.var("S", t, i): size[i] for i in range(self.n)}
        for k, op in enumerate(self.problem.ops):
            run = self.var("R", t, k)
            live[run] = live[self.var("I", t, k)] = size[k]
            with_workspace = {**live, run: size[k] + op.workspace_bytes / unit}
            self.at_most(with_workspace, self.problem.budget_bytes / unit)
            for i in {*op.reads, k}:
                live[self.var("F", t, i, k)] = -size[i]

    def solved(self, seconds: float) -> Exact:
        columns = len(self.names)
        low, high, price = np.zeros(columns), np.ones(columns), np.zeros(columns)
        for column, fixed in self.fixed.items():
            low[column] = high[column] = fixed
        for column, each in self.price.items():
            price[column] = each
        rows, cols, factors = (np.array(each) for each in zip(*self.entries, strict=True))
        matrix = csr_matrix((factors, (rows, cols)), shape=(len(self.most), columns))
        scale = max(self.problem.base_cost, 1e-30)
        result: Any = milp(
            c=price / scale,
            constraints=LinearConstraint(matrix, ub=np.array(self.most)),
            bounds=Bounds(low, high),
            integrality=np.ones(columns, dtype=np.int64),
            options={"time_limit": seconds, "mip_rel_gap": GAP},
        )
        if result.x is None:
            known = float("inf") if result.status == INFEASIBLE else 0.0
            return Exact(float("inf"), known)
        return Exact(float(result.fun) * scale, float(result.mip_dual_bound) * scale)
