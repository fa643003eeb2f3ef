"""Why workers had nothing to do: every worker-second that was not busy, by cause, exactly.

Pools of workers (one worker each, where worker logs tell them apart) are there from the time that
their block was asked for until it is gone. Before its workers began and after they were told to
stop the cause is the block's. In between, a free worker could have done any task that was on its
way to it: so at each moment free workers are matched, one to one, with tasks that wait, the nearest
first, and a task is the cause why only one worker is idle. Workers for which no task is left had
nothing submitted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Counts, Mask, Times, distinct

PENDING, STARTING, DRAINING, LOST = "block pending", "worker starting", "draining", "block lost"
UNFINISHED = "task never finished"
OWN, OTHER = "prefetched in its manager", "prefetched in another manager"
UNTOLD = "queued below the DFK"
INTERCHANGE, DFK = "queued in the interchange", "queued in the DFK"
DEPENDENCIES, NOTHING = "waiting on dependencies", "nothing submitted"

CAUSES = (PENDING, STARTING, OWN, OTHER, UNTOLD, INTERCHANGE, DFK, DEPENDENCIES, NOTHING,
          UNFINISHED, DRAINING, LOST)  # fmt: skip
"""All causes, in the order of a worker's life; those of a free worker the nearest first."""

STAGES = (OWN, UNTOLD, INTERCHANGE, DFK, DEPENDENCIES)
"""Where a task waits; the first one at a manager."""

ABOUT = {
    PENDING: "the block was asked for, and no manager of it had registered",
    STARTING: "the manager was there, the worker not yet",
    OWN: "a task was with their own manager, or on the way to it",
    OTHER: "a task was with another manager, whose workers were all busy",
    UNTOLD: "a task was launched and with no worker; the logs do not tell where",
    INTERCHANGE: "a task was on the way to the interchange, or waited there",
    DFK: "a task was ready, and not launched yet",
    DEPENDENCIES: "tasks were submitted, and waited for others",
    NOTHING: "there was no task for them",
    UNFINISHED: "they had a task of which nothing more was heard",
    DRAINING: "told to take no more tasks, or to stop",
    LOST: "its manager was lost, the block not yet gone",
}


class Pools(NamedTuple):
    """Workers that are there together. `edges`: the block asked for, its manager registered, the
    workers started, told to stop, the manager gone, the block gone; never falling."""

    size: Counts  # how many workers
    manager: Counts  # which one's
    edges: Times  # (pools, 6)
    lost: Mask  # the manager was lost, not stopped

    @property
    def lasts(self) -> Times:
        """Nanoseconds from the first edge to the last."""
        return np.asarray(self.edges[:, -1] - self.edges[:, 0])


class Work(NamedTuple):
    """What held a worker of a pool, within the pool's edges."""

    pool: Counts
    begins: Times
    ends: Times
    known: Mask  # where it is not, a task was never finished, and may have held its worker on


class Waiting(NamedTuple):
    """Tasks on their way: in which of STAGES, at which manager (-1: at none, or it is not told)."""

    stage: Counts
    manager: Counts
    begins: Times
    ends: Times


class Stretch(NamedTuple):
    """The longest time on end in which a cause held at least one worker idle."""

    begins: int
    ends: int


class Idleness(NamedTuple):
    """Worker time in nanoseconds: `capacity` = `busy` + the sum of `causes`, exactly."""

    capacity: int
    busy: int
    causes: dict[str, int]
    longest: dict[str, Stretch]
    peak_busy: int
    pool_capacity: list[int]
    pool_busy: list[int]


def idleness(pools: Pools, work: Work, waiting: Waiting) -> Idleness:
    """Of the workers of one executor. Tasks of other executors are no cause: leave them out."""
    pools = _widened(pools, work)
    held = _held(pools, work)
    causes = dict.fromkeys(CAUSES, 0)
    for phase, cause in ((0, PENDING), (1, STARTING), (3, DRAINING)):
        causes[cause] = _left(pools, held, phase, np.ones(pools.size.shape, dtype=np.bool_))
    causes[LOST] = _left(pools, held, 4, pools.lost)
    causes[DRAINING] += _left(pools, held, 4, ~pools.lost)
    free, spare, matched = _managers(pools, held, waiting)
    causes[OWN] = _integral(matched)
    others = [spare, *(_steps_of(waiting, stage) for stage in range(1, len(STAGES)))]
    shared, longest = _deal(free, others)
    causes.update(zip((OTHER, *STAGES[1:], NOTHING), shared, strict=True))
    stretches = {OWN: _stretch(matched.times, matched.counts)} | dict(
        zip((OTHER, *STAGES[1:], NOTHING), longest, strict=True)
    )
    capacity, taken = _weighed(pools.lasts, pools.size), _by_pool(pools, held)
    held = _held(pools, _known(work))
    busy = _by_pool(pools, held)
    causes[UNFINISHED] = sum(taken) - sum(busy)
    return Idleness(
        sum(capacity),
        sum(busy),
        causes,
        {cause: found for cause, found in stretches.items() if found is not None},
        int(_added(held.begins, held.ends, held.workers).counts.max(initial=0)),
        capacity,
        busy,
    )


class _Steps(NamedTuple):
    """How many from each time on; the last is 0."""

    times: Times
    counts: Counts


class _Held(NamedTuple):
    """How many workers of a pool are busy, in pieces without overlap; never more than it has."""

    pool: Counts
    begins: Times
    ends: Times
    workers: Counts


def _known(work: Work) -> Work:
    known = work.known
    return Work(work.pool[known], work.begins[known], work.ends[known], known[known])


def _by_pool(pools: Pools, held: _Held) -> list[int]:
    found = [0] * len(pools.size)
    weighed = _weighed(held.ends - held.begins, held.workers)
    for pool, lasts in zip(held.pool.tolist(), weighed, strict=True):
        found[pool] += lasts
    return found


def _widened(pools: Pools, work: Work) -> Pools:
    """A worker that was busy was there, whatever else is told."""
    edges = pools.edges.copy()
    real = work.ends > work.begins
    np.minimum.at(edges[:, 0], work.pool[real], work.begins[real])
    np.maximum.at(edges[:, -1], work.pool[real], work.ends[real])
    return pools._replace(edges=edges)


def _held(pools: Pools, work: Work) -> _Held:
    real = work.ends > work.begins
    pool, begins, ends = work.pool[real], work.begins[real], work.ends[real]
    order = np.argsort(pool, kind="stable")
    pool, begins, ends = pool[order], begins[order], ends[order]
    cuts = np.searchsorted(pool, np.arange(pools.size.size + 1))
    pieces = []
    for number in range(pools.size.size):
        mine = slice(cuts[number], cuts[number + 1])
        if cuts[number] == cuts[number + 1]:
            continue
        steps = _added(begins[mine], ends[mine], np.ones(ends[mine].shape, dtype=np.int64))
        count = np.minimum(steps.counts[:-1], pools.size[number])
        some = count > 0
        place = np.full(int(some.sum()), number, dtype=np.int64)
        pieces.append((place, steps.times[:-1][some], steps.times[1:][some], count[some]))
    if not pieces:
        return _Held(*(np.empty(0, dtype=np.int64) for _ in range(4)))
    return _Held(*(np.concatenate(column) for column in zip(*pieces, strict=True)))


def _left(pools: Pools, held: _Held, phase: int, which: Mask) -> int:
    """Worker time of one phase of some pools, less what is busy."""
    begins, ends = pools.edges[:, phase], pools.edges[:, phase + 1]
    mine = which[held.pool]
    inside = np.maximum(
        np.minimum(held.ends, ends[held.pool]) - np.maximum(held.begins, begins[held.pool]), 0
    )
    whole = sum(_weighed((ends - begins)[which], pools.size[which]))
    return whole - sum(_weighed(inside[mine], held.workers[mine]))


def _managers(pools: Pools, held: _Held, waiting: Waiting) -> tuple[_Steps, _Steps, _Steps]:
    """Free workers that no task at their own manager is for; tasks that no worker there is for;
    and how many there are of such pairs."""
    up, down = pools.edges[:, 2], pools.edges[:, 3]
    begins = np.maximum(held.begins, up[held.pool])
    ends = np.maximum(np.minimum(held.ends, down[held.pool]), begins)
    near = (waiting.stage == 0) & (waiting.ends > waiting.begins)
    queued_at = waiting.manager[near]
    ones = np.ones(queued_at.shape, dtype=np.int64)
    manager = np.concatenate(
        [pools.manager, pools.manager, pools.manager[held.pool], pools.manager[held.pool],
         queued_at, queued_at]
    )  # fmt: skip
    times = np.concatenate([up, down, begins, ends, waiting.begins[near], waiting.ends[near]])
    change = np.concatenate([pools.size, -pools.size, -held.workers, held.workers, ones, -ones])
    is_queue = np.arange(times.size) >= times.size - 2 * queued_at.size
    order = np.lexsort((times, manager))
    manager, times, change, is_queue = manager[order], times[order], change[order], is_queue[order]
    # All changes of one manager sum to nothing, so that one running sum will do for all of them.
    free = np.cumsum(np.where(is_queue, 0, change))
    queue = np.cumsum(np.where(is_queue, change, 0))
    pairs = np.where(manager < 0, 0, np.minimum(free, queue))
    last = np.append((manager[1:] != manager[:-1]) | (times[1:] != times[:-1]), True)[: times.size]
    found = [
        _summed(times[last], np.diff(level[last], prepend=0))
        for level in (free - pairs, queue - pairs, pairs)
    ]
    return found[0], found[1], found[2]


def _deal(free: _Steps, waiting: list[_Steps]) -> tuple[list[int], list[Stretch | None]]:
    """Free workers by the tasks that wait for them, the nearest first; and those without."""
    times = distinct(free.times, *(steps.times for steps in waiting))
    remaining = _at(free, times)
    shared, longest = [], []
    for steps in waiting:
        found = np.minimum(remaining, np.maximum(_at(steps, times), 0))
        shared.append(_integral(_Steps(times, found)))
        longest.append(_stretch(times, found))
        remaining = remaining - found
    return [*shared, _integral(_Steps(times, remaining))], [*longest, _stretch(times, remaining)]


def _steps_of(waiting: Waiting, stage: int) -> _Steps:
    mine = (waiting.stage == stage) & (waiting.ends > waiting.begins)
    begins, ends = waiting.begins[mine], waiting.ends[mine]
    return _added(begins, ends, np.ones(begins.shape, dtype=np.int64))


def _added(begins: Times, ends: Times, count: Counts) -> _Steps:
    return _summed(np.concatenate([begins, ends]), np.concatenate([count, -count]))


def _summed(times: Times, change: Counts) -> _Steps:
    order = np.argsort(times, kind="stable")
    times, level = times[order], np.cumsum(change[order])
    last = np.append(times[1:] != times[:-1], True)[: times.size]
    return _Steps(times[last], level[last])


def _at(steps: _Steps, times: Times) -> Counts:
    place = np.searchsorted(steps.times, times, side="right")
    return np.append(0, steps.counts)[place]


def _integral(steps: _Steps) -> int:
    """Count times nanoseconds, exact."""
    return sum(_weighed(np.diff(steps.times), steps.counts[:-1]))


def _weighed(lasts: Times, count: Counts) -> list[int]:
    """Products that may be more than 64 bits hold."""
    if not lasts.size:
        return []
    if int(lasts.max()) * int(count.max()) < 2**62:
        return [int(value) for value in (lasts * count).tolist()]
    return [one * other for one, other in zip(lasts.tolist(), count.tolist(), strict=True)]


def _stretch(times: Times, counts: Counts) -> Stretch | None:
    some = counts[:-1] > 0
    if not some.any():
        return None
    edges = np.diff(np.concatenate([[0], some.astype(np.int8), [0]]))
    begins, ends = times[np.flatnonzero(edges > 0)], times[np.flatnonzero(edges < 0)]
    longest = int(np.argmax(ends - begins))
    return Stretch(int(begins[longest]), int(ends[longest]))
