"""Stages that tasks go through: how fast they come and go, how many are there, what it could do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Times, distinct, exact_sum, told


class Flow(NamedTuple):
    """A stage over the time in which anything was in it. Times in nanoseconds, rates a second."""

    arrived: int
    left: int
    begins: int
    ends: int
    arrival_rate: float  # over that time
    mean_length: float  # L: how many are in it, over that time
    most: int
    mean_stay_s: float  # W: of those that left
    little_error: float  # (L - λ·W) / L: what never left, or left before it came
    held_s: float  # while something was in it and nothing held it up
    service_rate: float  # how many left for each second of these; NaN if there was none

    @property
    def share(self) -> float:
        """Of what it could do, how much was asked of it."""
        return self.arrival_rate / self.service_rate


def flow(
    arrivals: Times, departures: Times, until: int, blocked: Times | None = None
) -> Flow | None:
    """What went through a stage; None if nothing stayed in it.

    `until`: how long what never left is taken to have stayed. `blocked`: (intervals, 2), in order
    and without overlap, when the next stage took nothing more: then waiting is none of its doing.
    """
    came = told(arrivals)
    arrivals, departures = arrivals[came], departures[came]
    if not arrivals.size:
        return None
    gone = told(departures)
    ends = np.maximum(np.where(gone, departures, until), arrivals)
    begins, last = int(arrivals.min()), int(ends.max())
    if last == begins:
        return None
    span = last - begins
    times, counts = _level(arrivals, ends)
    lasts = np.diff(times)
    present = exact_sum(lasts * counts[:-1])
    stays = departures[gone] - arrivals[gone]  # below 0 where clocks contradict each other
    mean_stay = exact_sum(stays) / max(int(gone.sum()), 1) / 1e9
    rate = arrivals.size / span * 1e9
    length = present / span
    held = _held(times, counts, blocked)
    return Flow(
        int(arrivals.size),
        int(gone.sum()),
        begins,
        last,
        rate,
        length,
        int(counts.max(initial=0)),
        mean_stay,
        (length - rate * mean_stay) / length if length else 0.0,
        held / 1e9,
        int(gone.sum()) / held * 1e9 if held else float("nan"),
    )


def all_busy(begins: Times, ends: Times, workers: int) -> Times:
    """When all workers are busy: (intervals, 2), in order and without overlap."""
    times, counts = _level(begins, np.maximum(begins, ends))
    full = np.concatenate([[False], counts >= workers, [False]])
    return np.stack(
        [
            times[np.flatnonzero(full[1:] & ~full[:-1])],
            times[np.flatnonzero(~full[1:] & full[:-1])],
        ],
        axis=1,
    )


def _level(begins: Times, ends: Times) -> tuple[Times, Times]:
    """How many from each time on; the last is 0."""
    times = distinct(begins, ends)
    change = np.zeros(times.shape, dtype=np.int64)
    np.add.at(change, np.searchsorted(times, begins), 1)
    np.add.at(change, np.searchsorted(times, ends), -1)
    return times, np.cumsum(change)


def _held(times: Times, counts: Times, blocked: Times | None) -> int:
    """Nanoseconds in which something was there and nothing held it up."""
    some = counts[:-1] > 0
    begins, ends = times[:-1][some], times[1:][some]
    whole = exact_sum(ends - begins)
    return whole if blocked is None else whole - exact_sum(overlaps(begins, ends, blocked))


def overlaps(begins: Times, ends: Times, intervals: Times) -> Times:
    """How much of each time lies in intervals, (intervals, 2), in order and without overlap."""
    if not intervals.size:
        return np.zeros(begins.shape, dtype=np.int64)
    covered = np.concatenate([[0], np.cumsum(intervals[:, 1] - intervals[:, 0])])

    def before(at: Times) -> Times:
        """How much of the intervals lies before each of these times."""
        place = np.searchsorted(intervals[:, 0], at, side="right")
        inside = np.minimum(at, intervals[place - 1, 1]) - intervals[place - 1, 0]
        return np.asarray(np.where(place > 0, covered[place - 1] + inside, 0))

    return np.asarray(before(ends) - before(begins))
