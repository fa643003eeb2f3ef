"""The overhead ledger: each task's wall time, split without overlap, to the nanosecond.

A task's moments are taken in their canonical order (try by try, then as in path.MOMENTS), and
each is moved forward to the latest before it, and back to the task's end. So hops never overlap
and never go back, and they add up to the whole. What a moment was moved by is *clipped*: it
stands beside the hop that ends in it, and is in no sum. Records that race, or hosts whose
clocks differ, cause it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.path import MOMENTS, PLACE, Paths
from dnpcsql.analyses.times import Counts, Mask, Times, exact_sum, told

_DONE, _LAST_HEARD, _INVOKED = PLACE["done"], PLACE["last_heard"], PLACE["invoked"]


class Pieces(NamedTuple):
    """All hops of all tasks, one beside the other. Times and durations in nanoseconds."""

    task: Counts  # place in Paths.tasks
    attempt: Counts  # place in Paths.owners, of the try that the hop leads on; -1: there is none
    begin: Counts  # place in MOMENTS
    end: Counts  # place in MOMENTS
    at: Times  # when the hop begins, as the rule has it
    lasts: Times  # how long it is, as the rule has it: never below 0
    clipped: Times  # by how much its end was moved: 0 or more
    raw: Times  # between the two moments as they are told; below 0 where they race

    def take(self, which: Mask | Counts) -> Pieces:
        """Some of them."""
        return Pieces(*(column[which] for column in self))


class Row(NamedTuple):
    """A line of the ledger. Nanoseconds, exact: `lasts` of all rows add up to all tasks' wall."""

    group: int
    begin: str
    end: str
    answered: bool
    hops: int
    lasts: int
    clipped: int
    union: int  # time in which at least one task was in such a hop


def attribute(paths: Paths) -> Pieces:
    """Every task's wall time in hops, in order of task, then of time."""
    begins, ends, closing = walls(paths)
    position, before, last = begins.copy(), begins.copy(), np.full(begins.shape, _INVOKED)
    attempt = np.full(begins.shape, -1)
    found: list[tuple[Counts | Times, ...]] = []

    def advance(tasks: Counts, place: Counts | int, times: Times) -> None:
        at = position[tasks]
        moved = np.minimum(np.maximum(at, times), ends[tasks])
        lasts, clipped = moved - at, np.abs(times - moved)
        place = np.broadcast_to(np.asarray(place, dtype=np.int64), tasks.shape)
        raw = times - before[tasks]
        found.append((tasks, attempt[tasks], last[tasks], place, at, lasts, clipped, raw))
        position[tasks], before[tasks], last[tasks] = moved, times, place

    rank = _ranks(paths.owners)
    for number in range(int(rank.max(initial=-1)) + 1):
        tries = np.flatnonzero(rank == number)
        tasks = paths.owners[tries]
        attempt[tasks] = tries
        times = paths.times[tries]
        for place in range(len(MOMENTS)):
            known = told(times[:, place])
            if known.any():
                advance(tasks[known], place, times[known, place])
    everything = np.arange(begins.size)
    advance(everything, closing, ends)
    pieces = Pieces(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return pieces.take(np.argsort(pieces.task, kind="stable"))


def walls(paths: Paths) -> tuple[Times, Times, Counts]:
    """When each task's wall time begins and ends, and by which moment it ends.

    It begins when the app was called; else with the first that is told of the task. It ends when
    the task is done; if it never was, with the last that is heard of the run.
    """
    begins = paths.invoked.copy()
    earliest = np.full(begins.shape, np.iinfo(np.int64).max)
    if paths.times.size:
        known = np.where(told(paths.times), paths.times, np.iinfo(np.int64).max).min(axis=1)
        np.minimum.at(earliest, paths.owners, known)
    untold = ~told(begins)
    begins[untold] = earliest[untold]
    ended = told(paths.done)
    ends = np.where(ended, paths.done, paths.last_heard)
    begins = np.where(begins == np.iinfo(np.int64).max, ends, begins)
    return begins, np.maximum(begins, ends), np.where(ended, _DONE, _LAST_HEARD)


def rows(pieces: Pieces, paths: Paths, groups: Counts | None = None) -> list[Row]:
    """Hops of the same kind together; `groups` numbers each piece's group (app, executor, …).

    In order of group, then of a task's life.
    """
    if not pieces.task.size:
        return []
    group = np.zeros(pieces.task.shape, dtype=np.int64) if groups is None else groups
    over = (pieces.begin < PLACE["running"]) & (pieces.end > PLACE["running"])
    flags = over & np.append(paths.answered, False)[pieces.attempt]  # the last one for none: -1
    size = len(MOMENTS)
    key = ((group * size + pieces.begin) * size + pieces.end) * 2 + flags
    kinds, starts, ordered = grouped(pieces, key)
    unions = unions_of(ordered, starts)
    found = []
    for kind, hops, lasts, clipped, covered in zip(
        kinds.tolist(),
        np.diff(np.append(starts, ordered.at.size)).tolist(),
        _sums(ordered.lasts, starts),
        _sums(ordered.clipped, starts),
        unions,
        strict=True,
    ):
        rest, answered = divmod(kind, 2)
        rest, end = divmod(rest, size)
        number, begin = divmod(rest, size)
        row = number, MOMENTS[begin], MOMENTS[end], bool(answered), hops, lasts, clipped, covered
        found.append(Row._make(row))
    return found


def grouped(pieces: Pieces, key: Counts) -> tuple[Counts, Counts, Pieces]:
    """The different keys in order, where the pieces of each begin, and the pieces so ordered."""
    order = np.lexsort((pieces.at, key))
    key = key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: key.size])
    return key[starts], starts, pieces.take(order)


def unions_of(ordered: Pieces, starts: Counts) -> list[int]:
    """Nanoseconds in which there is at least one of each group's pieces."""
    bounds = [*starts.tolist(), ordered.at.size]
    ends = ordered.at + ordered.lasts
    return [
        int(ordered.lasts[first])
        if after == first + 1
        else union(ordered.at[first:after], ends[first:after])
        for first, after in pairwise(bounds)
    ]


def _sums(values: Times, starts: Counts) -> list[int]:
    """The sum of each group, which may be more than 64 bits hold."""
    if not starts.size:
        return []
    high, low = (np.add.reduceat(part, starts) for part in (values >> 32, values & 0xFFFFFFFF))
    return [(a << 32) + b for a, b in zip(high.tolist(), low.tolist(), strict=True)]


def union(begins: Times, ends: Times) -> int:
    """Nanoseconds that lie in at least one of the intervals."""
    if not begins.size:
        return 0
    order = np.argsort(begins, kind="stable")
    begins, reach = begins[order], np.maximum.accumulate(ends[order])
    covered = np.maximum(begins, np.append(begins[0], reach[:-1]))
    return exact_sum(np.maximum(reach - covered, 0))


def _ranks(owners: Counts) -> Counts:
    """0 for a task's first try that is told of, 1 for its second, …"""
    if not owners.size:
        return owners
    first = np.append(True, owners[1:] != owners[:-1])
    starts = np.maximum.accumulate(np.where(first, np.arange(owners.size), 0))
    return np.arange(owners.size) - starts
