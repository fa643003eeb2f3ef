"""How many at a time, exactly: steps in whole nanoseconds, of spans and of their states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dnpcsql.analyses.times import (
    MISSING,
    OPEN,
    Counts,
    Floats,
    Times,
    bounds,
    closed,
    distinct,
    exact_sum,
    numbered,
    told,
)


class Steps(NamedTuple):
    """A count (or a level) over time: `counts[i]` from `times[i]` on, until the next; first 0."""

    times: Times
    counts: npt.NDArray[Any]  # whole numbers of spans; floats of what is measured

    @property
    def peak(self) -> int:
        """The most at any time."""
        return int(self.counts.max(initial=0))

    def at(self, times: Times) -> npt.NDArray[Any]:
        """The count at each of these times."""
        place = np.searchsorted(self.times, times, side="right")
        return np.append(0, self.counts)[place]

    def means(self, edges: Times) -> Floats:
        """The mean count between each two edges, weighted by time."""
        if not self.times.size:
            return np.zeros(edges.size - 1)
        since = np.diff(self.times).astype(np.float64)
        areas = np.concatenate(([0.0], np.cumsum(self.counts[:-1] * since)))
        place = np.maximum(np.searchsorted(self.times, edges, side="right") - 1, 0)
        inside = np.maximum(edges - self.times[place], 0)
        total = areas[place] + self.counts[place] * inside
        return np.asarray(np.diff(total) / np.diff(edges), dtype=np.float64)

    def extremes(self, edges: Times) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The least and the most count between each two edges."""
        here = self.at(edges[:-1])
        if not self.times.size:
            return here, here
        place = np.clip(np.searchsorted(self.times, edges), 0, self.times.size - 1)
        first, last = place[:-1], place[1:]
        filled = (self.times[first] < edges[1:]) & (self.times[first] >= edges[:-1])
        # A step at the last time of all lies in its bin, not before it.
        padded = np.append(self.counts, self.counts[-1])
        stops = np.maximum(last + (self.times[last] < edges[1:]), first + 1)
        pairs = np.stack([first, stops], axis=1).ravel()
        low = np.minimum.reduceat(padded, pairs)[::2]
        high = np.maximum.reduceat(padded, pairs)[::2]
        return (
            np.where(filled, np.minimum(here, low), here),
            np.where(filled, np.maximum(here, high), here),
        )


def concurrency(starts: Times, ends: Times) -> Steps:
    """How many spans are live, at each time at which that changes.

    A span is live from its start on and no more at its end. One that never ended stays live; one
    without a start is left out; one that ends before it starts takes no time.
    """
    starts, ends = closed(starts, ends)
    lasting = ends > starts
    begun = np.sort(starts[lasting])
    ended = np.sort(ends[lasting & (ends != OPEN)])
    times = distinct(begun, ended)
    live = np.searchsorted(begun, times, side="right") - np.searchsorted(ended, times, side="right")
    changes = np.diff(live, prepend=0) != 0
    return Steps(times[changes], live[changes].astype(np.int64))


class Occupancy(NamedTuple):
    """How many spans are in each state over time; their sum is how many are live, at every time."""

    states: list[str]
    steps: list[Steps]
    live: Steps


def occupancy(states: Sequence[str], begins: Times, ends: Times) -> Occupancy:
    """From the time at which each span reached each state, in the order of the states.

    `begins` is (spans, states), MISSING where a state was not reached or is not told; `ends` are
    the times at which spans left the last one, MISSING for those that never did. A span is in the
    furthest state that it has reached: what clocks of several hosts write in another order never
    puts it back, and none is counted twice.
    """
    left = states_left(begins, ends)
    every = [
        concurrency(begins[:, place], np.where(told(begins[:, place]), left[:, place], MISSING))
        for place in range(len(states))
    ]
    reached = np.where(told(begins), begins, OPEN).min(axis=1, initial=OPEN)
    live = concurrency(
        np.where(reached == OPEN, MISSING, reached), np.where(told(ends), ends, MISSING)
    )
    return Occupancy(list(states), every, live)


def states_left(begins: Times, ends: Times) -> Times:
    """When each span left each state: at the first of all later states' times; OPEN if never."""
    later = np.concatenate([begins, ends[:, None]], axis=1)
    later = np.where(told(later), later, OPEN)
    return np.minimum.accumulate(later[:, ::-1], axis=1)[:, ::-1][:, 1:]


def occupancy_of_events(
    spans: Sequence[str], times: Times, states: Sequence[str], ended: Sequence[str] = ()
) -> Occupancy:
    """From events, in any order, of which each puts its span into a state; states may come again.

    Those of `ended` end their span: it is live no more, and what is told of it later is ignored.
    Of events of a span at the same time the last in the order given counts.
    """
    names = list(dict.fromkeys(state for state in states if state not in set(ended)))
    if not len(times):
        return Occupancy(names, [concurrency(times, times) for _ in names], Steps(times, times))
    _, owners = numbered(spans)
    order = np.lexsort((np.arange(len(times)), times, owners))
    owners, times = owners[order], times[order]
    numbers = {name: place for place, name in enumerate(names)}
    codes = np.array([numbers.get(state, -1) for state in states])[order]
    over = _seen(codes < 0, owners)
    same = np.append(owners[1:] == owners[:-1], False)
    left = np.where(same, np.append(times[1:], MISSING), MISSING)
    kept = ~over
    every = []
    for place in range(len(names)):
        here = kept & (codes == place)
        every.append(concurrency(times[here], left[here]))
    heads = np.append(True, owners[1:] != owners[:-1]) & kept
    ends = np.full(int(owners[-1]) + 1, MISSING, dtype=np.int64)
    first_end = over & ~np.append(False, over[:-1] & (owners[1:] == owners[:-1]))
    ends[owners[first_end]] = times[first_end]
    return Occupancy(names, every, concurrency(times[heads], ends[owners[heads]]))


def _seen(marks: npt.NDArray[np.bool_], owners: Counts) -> npt.NDArray[np.bool_]:
    """Whether a mark has been met at or before each place, within its owner's places."""
    met = np.cumsum(marks)
    heads = np.append(True, owners[1:] != owners[:-1])
    before = np.maximum.accumulate(np.where(heads, met - marks, 0))
    return np.asarray(met - before > 0)


def union(starts: Times, ends: Times, until: int | None = None) -> tuple[Times, Times]:
    """The times in which any span is live, as intervals apart from each other.

    What never ended lasts until `until`, else until the latest time that is told.
    """
    known = bounds(starts, ends)
    if known is None:
        return starts[:0], starts[:0]
    starts, ends = closed(starts, ends)
    ends = np.where(ends == OPEN, np.maximum(starts, known[1] if until is None else until), ends)
    steps = concurrency(starts, ends)
    begun = steps.times[(steps.counts > 0) & (np.append(0, steps.counts[:-1]) == 0)]
    return begun, steps.times[steps.counts == 0]


def covered_ns(starts: Times, ends: Times, until: int | None = None) -> int:
    """Nanoseconds in which any span is live: spans that overlap count once."""
    begun, ended = union(starts, ends, until)
    return exact_sum(ended - begun)


def summed_ns(starts: Times, ends: Times, until: int | None = None) -> int:
    """Nanoseconds of all spans added up: spans that overlap count each."""
    known = bounds(starts, ends)
    if known is None:
        return 0
    starts, ends = closed(starts, ends)
    ends = np.where(ends == OPEN, np.maximum(starts, known[1] if until is None else until), ends)
    return exact_sum(ends - starts)
