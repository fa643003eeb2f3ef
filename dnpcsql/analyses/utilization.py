"""Are the workers busy? Busy and connected workers over time, and the share of the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.concurrency import Steps, concurrency, summed_ns, union
from dnpcsql.analyses.times import (
    OPEN,
    Counts,
    Floats,
    Times,
    bounds,
    closed,
    exact_sum,
    numbered,
    told,
)


class Worker(NamedTuple):
    """One worker's share of it, in seconds."""

    name: str
    tasks: int
    busy_s: float  # overlaps count once
    connected_s: float
    outside_s: float  # busy while it was not connected, as the files tell it


class Utilization(NamedTuple):
    """Workers over time. `share` is busy over connected worker seconds; NaN without workers."""

    busy: Steps
    connected: Steps
    workers: list[Worker]
    busy_s: float
    connected_s: float
    share: float


def utilization(
    names: Sequence[str],
    starts: Times,
    ends: Times,
    connected: dict[str, tuple[int, int]] | None = None,
    *,
    until: int | None = None,
) -> Utilization:
    """From what each worker ran (its name, start, end) and when it was connected.

    Two tasks of a worker at once make it busy once, so that no more are busy than there are. A
    worker of which nothing says when it was connected was so from its first start to its last end,
    of any worker. `until`: when what never ended is taken to end; else the last time told.
    """
    given = dict(connected or {})
    ends_of_given = np.array([end for _, end in given.values()], dtype=np.int64)
    known = bounds(starts, ends, ends_of_given)
    if known is None:
        none = concurrency(starts, starts)
        return Utilization(none, none, [], 0.0, 0.0, float("nan"))
    last = max(known[1], until or 0)
    rows = _by_worker(names)
    ran = bounds(starts, ends)
    if ran is not None:
        for name in rows:
            given.setdefault(name, ran)
    workers, begun, ended = [], [], []
    for name, (up, down) in given.items():
        mine = rows.get(name, np.empty(0, dtype=np.int64))
        busy_from, busy_to = union(starts[mine], ends[mine], last)
        begun.append(busy_from)
        ended.append(busy_to)
        span = min(down, last) - up
        inside = np.minimum(busy_to, up + span) - np.maximum(busy_from, up)
        busy = exact_sum(busy_to - busy_from)
        outside = busy - exact_sum(np.maximum(inside, 0))
        workers.append(Worker(name, mine.size, busy / 1e9, max(0, span) / 1e9, outside / 1e9))
    up_at = np.array([up for up, _ in given.values()], dtype=np.int64)
    down_at = np.array([min(down, last) for _, down in given.values()], dtype=np.int64)
    up_at, down_at = closed(up_at, down_at)
    busy_s = sum(worker.busy_s for worker in workers)
    connected_s = exact_sum(down_at - up_at) / 1e9
    return Utilization(
        concurrency(np.concatenate(begun), np.concatenate(ended)),
        concurrency(up_at, down_at),
        sorted(workers, key=lambda worker: worker.name),
        busy_s,
        connected_s,
        busy_s / connected_s if connected_s else float("nan"),
    )


def _by_worker(names: Sequence[str]) -> dict[str, Counts]:
    """The rows of each worker."""
    found, places = numbered(names)
    order = np.argsort(places, kind="stable")
    cuts = np.searchsorted(places[order], np.arange(1, len(found)))
    return dict(zip(found, np.split(order, cuts), strict=True)) if found else {}


def shares(result: Utilization, edges: Times) -> Floats:
    """Busy over connected workers between each two edges; NaN where none is connected."""
    there = result.connected.means(edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(there > 0, result.busy.means(edges) / there, np.nan)


def pooled(
    starts: Times, ends: Times, up: Times, down: Times, counts: Counts, *, until: int | None = None
) -> Utilization:
    """Where no file tells which worker ran what: tasks that run, and pools of `counts` workers.

    A pool is there from `up` to `down`. What never ended is taken to end at `until`, else at the
    last time told.
    """
    known = bounds(starts, ends, up, down)
    last = until if until is not None or known is None else known[1]
    shut = [np.where(told(late) & (late != OPEN), late, last or 0) for late in (ends, down)]
    busy = concurrency(starts, np.where(told(starts), shut[0], ends))
    there = concurrency(np.repeat(up, counts), np.repeat(shut[1], counts))
    busy_s = summed_ns(starts, shut[0]) / 1e9
    connected_s = exact_sum(np.maximum(shut[1] - up, 0) * counts) / 1e9
    share = busy_s / connected_s if connected_s else float("nan")
    workers = [
        Worker(f"pool {place}", 0, 0.0, connected_s, 0.0) for place in range(int(counts.sum()))
    ]
    return Utilization(busy, there, workers, busy_s, connected_s, share)
