"""How long each hop of the way takes: of all tasks, as the records tell it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.ledger import Pieces
from dnpcsql.analyses.path import MOMENTS, PLACE, Paths
from dnpcsql.analyses.times import Counts, Mask, exact_sum, told


class Hop(NamedTuple):
    """One kind of hop. Durations are between the moments as told: below 0 where records race."""

    begin: str
    end: str
    n: int
    total_ns: int  # of the durations as told, exact
    lasts_ns: int  # as the ledger has it, exact
    mean_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float
    beyond_s: float  # what those above the median take beyond it, in all
    before: int  # how many have a duration below 0
    slowest: Counts  # places in the pieces, the slowest first


class Coverage(NamedTuple):
    """Of how many tries that came that far, or may have, a moment is told."""

    moment: str
    told: int
    of: int


_LAUNCHED, _RETURNED = PLACE["launched"], PLACE["returned"]


def hops(pieces: Pieces, paths: Paths, most: int = 3) -> list[Hop]:
    """All kinds of hops, in the order of a task's life, each with its `most` slowest.

    A task that never returned has its last hop in none: nobody knows how long it would have been.
    Waiting for other tasks counts only those that wait for some.
    """
    waits = np.append(paths.waits, False)[pieces.attempt]
    none = (pieces.end == PLACE["last_heard"]) | ((pieces.end == PLACE["ready"]) & ~waits)
    key = np.where(none, -1, pieces.begin * len(MOMENTS) + pieces.end)
    found = []
    for kind in np.unique(key[~none]).tolist():
        which = np.flatnonzero(key == kind)
        raw = pieces.raw[which]
        taken = raw / 1e9
        begin, end = divmod(kind, len(MOMENTS))
        p50, p95, p99 = map(float, np.quantile(taken, [0.5, 0.95, 0.99]))
        slowest = which[np.argsort(-raw, kind="stable")[:most]]
        found.append(
            Hop(
                MOMENTS[begin],
                MOMENTS[end],
                int(which.size),
                exact_sum(raw),
                exact_sum(pieces.lasts[which]),
                float(taken.mean()),
                p50,
                p95,
                p99,
                float(taken.max()),
                float(np.clip(taken - p50, 0, None).sum()),
                int((raw < 0).sum()),
                slowest,
            )
        )
    return found


def coverage(paths: Paths, tasks: Mask) -> list[Coverage]:
    """Of which moments the files tell: of launched tries from the launch on, of all before it."""
    mine = tasks[paths.owners]
    known = told(paths.times[mine])
    launched = known[:, _LAUNCHED:].any(axis=1) & ~paths.answered[mine]
    return [
        Coverage(
            MOMENTS[place],
            int(known[:, place].sum()),
            int(launched.sum()) if _LAUNCHED <= place < _RETURNED else int(launched.size),
        )
        for place in range(PLACE["pending"], PLACE["returned"] + 1)
    ]
