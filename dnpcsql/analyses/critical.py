"""The critical path of a run's tasks, the slack of each, and what would be, by replay.

Time is whole nanoseconds. An edge leads from a task to one that waits for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Counts, Times

SUBMITTING, LAUNCHING, QUEUED, WORK, RETURNING = (
    "submitting", "launching", "queued", "work", "returning",
)  # fmt: skip
KINDS = (SUBMITTING, LAUNCHING, QUEUED, WORK, RETURNING)
"""What a stretch of the critical path is, in the order of a task's life."""

ABOUT = {
    SUBMITTING: "the workflow's own script, or what it waited for, until it called the app",
    LAUNCHING: "from when the last dependency was done until the executor had the task",
    QUEUED: "on the way to a worker, or waiting for one",
    WORK: "on a worker",
    RETURNING: "from the end of the work until the result was there",
}


class Tasks(NamedTuple):
    """What was observed of each task, in any order. All times are told; none before another."""

    invoked: Times
    launched: Times
    begins: Times  # its work, on a worker
    ends: Times
    done: Times


class Edges(NamedTuple):
    """Places in Tasks: `later` waits for `earlier`."""

    earlier: Counts
    later: Counts


class Stretch(NamedTuple):
    """A part of the critical path."""

    task: int  # its place
    kind: str
    begins: int
    ends: int


def critical_path(tasks: Tasks, edges: Edges) -> list[Stretch]:
    """From the first call of an app to the last task's end, without a gap, as it happened.

    Backwards from the task that was done last: what it waited for last, and what that one did.
    """
    if not tasks.done.size:
        return []
    before = _latest(tasks.done, edges)
    task = int(tasks.done.argmax())
    first = int(tasks.invoked.min())
    walked: list[int] = []
    while task >= 0 and task not in walked[-1:]:
        walked.append(task)
        other = int(before[task])
        held = other >= 0 and tasks.done[other] > tasks.invoked[task]
        task = other if held and tasks.done[other] <= tasks.done[task] else -1
        if len(walked) > tasks.done.size:
            break  # only records that contradict each other go in circles
    at = first
    found = []
    for place in reversed(walked):
        moments = (
            (SUBMITTING, tasks.invoked), (LAUNCHING, tasks.launched), (QUEUED, tasks.begins),
            (WORK, tasks.ends), (RETURNING, tasks.done),
        )  # fmt: skip
        for kind, times in moments:
            until = max(at, int(times[place]))
            if until > at:
                found.append(Stretch(place, kind, at, until))
            at = until
    return found


def _latest(done: Times, edges: Edges) -> Counts:
    """Of each task, the one it waits for that was done last; -1 if it waits for none."""
    before = np.full(done.shape, -1, dtype=np.int64)
    order = np.lexsort((edges.earlier, done[edges.earlier]))
    before[edges.later[order]] = edges.earlier[order]  # the last one stays
    return before


def order(count: int, edges: Edges) -> list[int]:
    """Places so that none comes before one that it waits for; what lies on a cycle is left out."""
    after: list[list[int]] = [[] for _ in range(count)]
    left = [0] * count
    for earlier, later in zip(edges.earlier.tolist(), edges.later.tolist(), strict=True):
        after[earlier].append(later)
        left[later] += 1
    found = [place for place in range(count) if not left[place]]
    for place in found:
        for later in after[place]:
            left[later] -= 1
            if not left[later]:
                found.append(later)
    return found


def heaviest_chain(weights: Sequence[int], edges: Edges) -> tuple[int, list[int]]:
    """The most that weights along a chain of dependencies add up to, and that chain."""
    before = _sides(len(weights), edges)
    sums, came = list(weights), [-1] * len(weights)
    for place in order(len(weights), edges):
        for other in before[place]:
            if sums[other] + weights[place] > sums[place]:
                sums[place], came[place] = sums[other] + weights[place], other
    if not sums:
        return 0, []
    place = max(range(len(sums)), key=lambda one: sums[one])
    heaviest, chain = sums[place], []
    while place >= 0:
        chain.append(place)
        place = came[place]
    return heaviest, chain[::-1]


def _sides(count: int, edges: Edges) -> list[list[int]]:
    before: list[list[int]] = [[] for _ in range(count)]
    for earlier, later in zip(edges.earlier.tolist(), edges.later.tolist(), strict=True):
        before[later].append(earlier)
    return before


def slack(tasks: Tasks, edges: Edges) -> list[int]:
    """By how much each task could have been done later with the last one done when it was.

    Each task's time from ready to done is taken as it was, its waiting for a worker with it. A
    task that nothing waits for may be done as late as the last.
    """
    count = tasks.done.size
    if not count:
        return []
    last = int(tasks.done.max())
    before = _sides(count, edges)
    took = [0] * count
    latest = [last] * count
    done, invoked = tasks.done.tolist(), tasks.invoked.tolist()
    walk = order(count, edges)
    for place in walk:
        ready = max([invoked[place], *(done[other] for other in before[place])])
        took[place] = max(0, done[place] - ready)
    for place in reversed(walk):
        for other in before[place]:
            latest[other] = min(latest[other], latest[place] - took[place])
    return [max(0, late - when) for late, when in zip(latest, done, strict=True)]


class Load(NamedTuple):
    """What a replay plays: nanoseconds by task."""

    released: Sequence[int]  # called by the script
    before: Sequence[int]  # from when it and a worker are ready until its work begins
    lasts: Sequence[int]
    after: Sequence[int]  # from the end of its work until it is done
    pool: Sequence[int]  # which workers it runs on; -1: on none that it would have to wait for
    earlier: Sequence[Sequence[int]]  # what it waits for


def replay(load: Load, workers: Sequence[Sequence[int]]) -> list[int]:
    """When each task is done, if each pool's workers take tasks as they become ready, first come,
    first served. `workers`: when each one of each pool is there.

    A task on a cycle is never done, and left out: -1.
    """
    count = len(load.released)
    after: list[list[int]] = [[] for _ in range(count)]
    left = [len(others) for others in load.earlier]
    for place, others in enumerate(load.earlier):
        for other in others:
            after[other].append(place)
    free = [sorted(there) for there in workers]
    done = [-1] * count
    ready = [(load.released[place], place) for place in range(count) if not left[place]]
    heapq.heapify(ready)
    since = list(load.released)
    while ready:
        at, place = heapq.heappop(ready)
        pool = load.pool[place]
        begins = at + load.before[place]
        if pool >= 0:
            begins = max(at, free[pool][0]) + load.before[place]
            heapq.heapreplace(free[pool], begins + load.lasts[place])
        done[place] = begins + load.lasts[place] + load.after[place]
        for later in after[place]:
            since[later] = max(since[later], done[place])
            left[later] -= 1
            if not left[later]:
                heapq.heappush(ready, (since[later], later))
    return done


def observed_load(
    tasks: Tasks, edges: Edges, pool: Sequence[int], workers: Sequence[int]
) -> tuple[Load, list[list[int]]]:
    """What was observed as a load that can be replayed, and the workers that there were.

    The runtime's own share before the work begins is what passed since both the task and a worker
    were ready: in order of their beginning each task takes the worker that was free for longest. A
    pool's workers are there from when the first of its tasks began.
    """
    count = tasks.done.size
    before = _sides(count, edges)
    invoked, begins, ends, done = (
        column.tolist() for column in (tasks.invoked, tasks.begins, tasks.ends, tasks.done)
    )
    first = _firsts(begins, pool, len(workers))
    there = [[start] * size for start, size in zip(first, workers, strict=True)]
    free = [list(times) for times in there]
    passed = [0] * count
    for place in sorted(range(count), key=lambda one: begins[one]):
        ready = max([invoked[place], *(done[other] for other in before[place])])
        if pool[place] >= 0:
            ready = max(ready, free[pool[place]][0])
            heapq.heapreplace(free[pool[place]], ends[place])
        passed[place] = max(0, begins[place] - ready)
    load = Load(
        invoked,
        passed,
        [max(0, end - begin) for begin, end in zip(begins, ends, strict=True)],
        [max(0, over - end) for end, over in zip(ends, done, strict=True)],
        pool,
        before,
    )
    return load, there


def _firsts(begins: Sequence[int], pool: Sequence[int], count: int) -> list[int]:
    first: dict[int, int] = {}
    for begin, number in zip(begins, pool, strict=True):
        first[number] = min(begin, first.get(number, begin))
    return [first.get(number, 0) for number in range(count)]
