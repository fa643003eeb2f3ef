"""What tasks used over time, from readings of each of them."""

from __future__ import annotations

import numpy as np

from dnpcsql.analyses.concurrency import Steps
from dnpcsql.analyses.times import MISSING, OPEN, Counts, Floats, Times


def level(owners: Counts, times: Times, values: Floats, ends: Times) -> Steps:
    """The sum over spans of what was last read of each, such as memory.

    `owners` numbers each reading's span, `ends` has each span's end, MISSING if it never ended. A
    reading holds until the span's next one, the last until the span's end, if that is later: else
    it holds no time, for a process that is gone uses nothing.
    """
    if not times.size:
        return Steps(times, np.empty(0))
    order = np.lexsort((times, owners))
    owners, times, values = owners[order], times[order], values[order]
    last = np.append(owners[1:] != owners[:-1], True)
    ended = np.where(ends[owners] == MISSING, OPEN, np.maximum(ends[owners], times))
    until = np.where(last, ended, np.append(times[1:], OPEN))
    moments = np.concatenate([times, until[until != OPEN]])
    changes = np.concatenate([values, -values[until != OPEN]])
    when, place = np.unique(moments, return_inverse=True)
    sums = np.cumsum(np.bincount(place, changes, when.size))
    return Steps(when, np.maximum(sums, 0))


def spending(owners: Counts, times: Times, values: Floats) -> Steps:
    """How fast a counter grows, such as CPU seconds: its gain a second, summed over spans.

    Between two readings of a span the gain is spread evenly. A counter that falls has begun anew
    and counts from zero.
    """
    order = np.lexsort((times, owners))
    owners, times, values = owners[order], times[order], values[order]
    if times.size < 2:
        return Steps(times[:0], np.empty(0))
    pair = (owners[1:] == owners[:-1]) & (times[1:] > times[:-1])
    begins, ends = times[:-1][pair], times[1:][pair]
    gains = np.diff(values)[pair]
    gains = np.where(gains < 0, values[1:][pair], gains)
    speeds = gains / ((ends - begins) / 1e9)
    moments = np.concatenate([begins, ends])
    when, place = np.unique(moments, return_inverse=True)
    sums = np.cumsum(np.bincount(place, np.concatenate([speeds, -speeds]), when.size))
    return Steps(when, np.maximum(sums, 0))
