"""Are the workers busy? Busy and connected workers over time, and the share of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.concurrency import Steps, concurrency, summed_ns, union
from dnpcsql.analyses.times import (
    Counts,
    Floats,
    Times,
    bounds,
    closed,
    exact_sum,
    numbered,
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
    connected: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    *,
    unplaced: tuple[Times, Times] | None = None,
    until: int | None = None,
) -> Utilization:
    """From what each worker ran (its name, start, end) and from when to when it was connected.

    Two tasks of a worker at once make it busy once, so that no more are busy than there are. A
    worker of which nothing says when it was connected was so from its first start to its last end,
    of any worker. `unplaced`: starts and ends of tasks of which no file tells the worker; each
    makes one busy. `until`: when what never ended is taken to end; else the last time told.
    """
    given = {name: list(times) for name, times in (connected or {}).items()}
    pairs = [pair for times in given.values() for pair in times]
    alone = unplaced or (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    known = bounds(starts, ends, *alone, np.array(pairs, dtype=np.int64))
    if known is None:
        none = concurrency(starts, starts)
        return Utilization(none, none, [], 0.0, 0.0, float("nan"))
    last = max(known[1], until or 0)
    rows = _by_worker(names)
    ran = bounds(starts, ends)
    if ran is not None:
        for name in rows:
            given.setdefault(name, [ran])
    alone = closed(*alone)
    workers, begun, ended = [], [alone[0]], [np.minimum(alone[1], last)]
    for name, times in given.items():
        mine = rows.get(name, np.empty(0, dtype=np.int64))
        busy_from, busy_to = union(starts[mine], ends[mine], last)
        begun.append(busy_from)
        ended.append(busy_to)
        workers.append(_worker(name, mine.size, busy_from, busy_to, times, last))
    up_at = np.array([up for times in given.values() for up, _ in times], dtype=np.int64)
    down_at = np.array([min(down, last) for times in given.values() for _, down in times],
                       dtype=np.int64)  # fmt: skip
    up_at, down_at = closed(up_at, down_at)
    busy_s = sum(worker.busy_s for worker in workers) + summed_ns(begun[0], ended[0]) / 1e9
    connected_s = exact_sum(down_at - up_at) / 1e9
    return Utilization(
        concurrency(np.concatenate(begun), np.concatenate(ended)),
        concurrency(up_at, down_at),
        sorted(workers, key=lambda worker: worker.name),
        busy_s,
        connected_s,
        busy_s / connected_s if connected_s else float("nan"),
    )


def _worker(
    name: str,
    tasks: int,
    busy_from: Times,
    busy_to: Times,
    times: Sequence[tuple[int, int]],
    last: int,
) -> Worker:
    busy, inside, there = exact_sum(busy_to - busy_from), 0, 0
    for up, down in times:
        shut = max(up, min(down, last))
        there += shut - up
        both = np.minimum(busy_to, shut) - np.maximum(busy_from, up)
        inside += exact_sum(np.maximum(both, 0))
    return Worker(name, tasks, busy / 1e9, there / 1e9, max(0, busy - inside) / 1e9)


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
