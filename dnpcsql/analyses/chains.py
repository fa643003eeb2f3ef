"""Moments that follow each other, as the columns of a table: what lies between each two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Times, exact_sum, told


class Step(NamedTuple):
    """From one told moment to the next that is told; below 0 where records race."""

    begin: str
    end: str
    n: int
    total_ns: int  # exact
    share: float  # of the time from each row's first moment to its last, of 1
    mean_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float
    slowest: int  # the row


def steps(times: Times, names: Sequence[str]) -> list[Step]:
    """All steps of all rows, in the order of their moments. `times`: (rows, names), nanoseconds.

    A row's steps add up to the time from its first told moment to its last, exactly.
    """
    known = told(times)
    whole = 0
    took: dict[tuple[int, int], list[tuple[Times, Times]]] = {}
    last = np.full(times.shape[0], -1)
    for place in range(times.shape[1]):
        rows = np.flatnonzero(known[:, place] & (last >= 0))
        for before in np.unique(last[rows]).tolist():
            mine = rows[last[rows] == before]
            lasts = times[mine, place] - times[mine, before]
            whole += exact_sum(lasts)
            took.setdefault((before, place), []).append((mine, lasts))
        last[known[:, place]] = place
    return [_step(names[key[0]], names[key[1]], *took[key][0], whole) for key in sorted(took)]


def _step(begin: str, end: str, rows: Times, lasts: Times, whole: int) -> Step:
    seconds = lasts / 1e9
    p50, p95, p99 = map(float, np.quantile(seconds, [0.5, 0.95, 0.99]))
    total = exact_sum(lasts)
    return Step(
        begin,
        end,
        int(rows.size),
        total,
        total / whole if whole else 0.0,
        float(seconds.mean()),
        p50,
        p95,
        p99,
        float(seconds.max()),
        int(rows[np.argmax(lasts)]),
    )
