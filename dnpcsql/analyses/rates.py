"""How often: events a second over time; throughput and makespan of a whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.concurrency import concurrency, covered_ns, summed_ns
from dnpcsql.analyses.times import Counts, Floats, Times, bounds, told

_NICE = (1, 2, 5)


class Rate(NamedTuple):
    """Events in bins of equal width: edges[i] ≤ time < edges[i + 1]."""

    edges: Times
    counts: Counts

    @property
    def per_second(self) -> Floats:
        """Events a second, in each bin."""
        return self.counts / (np.diff(self.edges) / 1e9)


def rate(
    times: Times,
    *,
    width_ns: int | None = None,
    begin: int | None = None,
    end: int | None = None,
    bins: int = 100,
) -> Rate:
    """How many events happen in each bin. Times that are not told are left out.

    Bins start at `begin`, else at the first event, and reach past `end`, else the last one.
    Without `width_ns` it is the least of 1, 2, 5, 10, 20, … ns that needs at most `bins` bins.
    """
    times = times[told(times)]
    known = bounds(times)
    if known is None:
        known = (begin or 0, end if end is not None else (begin or 0))
    first = known[0] if begin is None else begin
    last = max(first, known[1] if end is None else end)
    width = width_ns or nice_width(last - first + 1, bins)
    count = (last - first) // width + 1
    edges = first + width * np.arange(count + 1, dtype=np.int64)
    places = (times - first) // width
    inside = places[(times >= first) & (places < count)]
    return Rate(edges, np.bincount(inside, minlength=count).astype(np.int64))


def nice_width(length: int, bins: int) -> int:
    """The least 1, 2 or 5 times a power of ten of which `bins` are as long as `length`."""
    tens = 1
    while True:
        for nice in _NICE:
            if nice * tens * bins >= length:
                return nice * tens
        tens *= 10


class Throughput(NamedTuple):
    """A whole set of spans: how long it took, how many a second, how many at a time."""

    n: int  # spans with a start
    ended: int  # of these, with an end
    first: int | None  # nanoseconds since 1970
    last: int | None
    makespan_s: float  # first start to last end
    per_second: float  # ended spans a second of makespan; NaN if it took no time
    busy_s: float  # in which any was live: overlaps count once
    summed_s: float  # of all spans added up: overlaps count each
    peak: int  # the most at a time


def throughput(starts: Times, ends: Times) -> Throughput:
    """What became of a set of spans as a whole. What never ended lasts until the last time told."""
    begun = told(starts)
    starts, ends = starts[begun], ends[begun]
    ended = int(told(ends).sum())
    known = bounds(starts, ends)
    if known is None:
        return Throughput(0, 0, None, None, float("nan"), float("nan"), 0.0, 0.0, 0)
    makespan = (known[1] - known[0]) / 1e9
    return Throughput(
        int(starts.size),
        ended,
        *known,
        makespan_s=makespan,
        per_second=ended / makespan if makespan else float("nan"),
        busy_s=covered_ns(starts, ends) / 1e9,
        summed_s=summed_ns(starts, ends) / 1e9,
        peak=concurrency(starts, ends).peak,
    )
