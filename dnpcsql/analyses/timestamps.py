"""When each span had each of its events, and the ranges between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import MISSING, Floats, Mask, Times, durations_s, told


class Ranges(NamedTuple):
    """From one event to another, a range a span; MISSING where an event is not told."""

    begins: Times
    ends: Times

    @property
    def durations_s(self) -> Floats:
        """Seconds; NaN where an event is missing."""
        return durations_s(self.begins, self.ends)

    @property
    def complete(self) -> Mask:
        """Where both events are told."""
        return told(self.begins) & told(self.ends)


class Timestamps(NamedTuple):
    """Spans down, events across, in each cell the first time of that event; MISSING if none."""

    spans: list[str]
    events: list[str]
    times: Times  # shape (spans, events)

    def of(self, event: str) -> Times:
        """The times of one event. Raises KeyError if no span had it."""
        if event not in self.events:
            raise KeyError(event)
        return self.times[:, self.events.index(event)]

    def ranges(self, begin: str, end: str) -> Ranges:
        """From one event of each span to another. Raises KeyError if no span had either."""
        return Ranges(self.of(begin), self.of(end))


def timestamps(rows: Iterable[tuple[str, int, str]]) -> Timestamps:
    """From rows of span, nanoseconds, event, in any order.

    Of several equal events of a span the first counts. Events stand in the order in which they
    happen: by their mean time since their span's first event.
    """
    spans: dict[str, int] = {}
    events: dict[str, int] = {}
    places: list[tuple[int, int]] = []
    moments: list[int] = []
    for span, time, event in rows:
        places.append((spans.setdefault(span, len(spans)), events.setdefault(event, len(events))))
        moments.append(time)
    times = np.full((len(spans), len(events)), np.iinfo(np.int64).max, dtype=np.int64)
    if places:
        down, across = np.array(places, dtype=np.int64).T
        np.minimum.at(times, (down, across), np.array(moments, dtype=np.int64))
    times[times == np.iinfo(np.int64).max] = MISSING
    order = _by_time(times, list(events))
    return Timestamps(list(spans), [list(events)[place] for place in order], times[:, order])


def _by_time(times: Times, events: Sequence[str]) -> list[int]:
    since = since_first_s(times)
    means = [
        float(np.nanmean(column)) if np.isfinite(column).any() else np.inf for column in since.T
    ]
    return sorted(range(len(events)), key=lambda place: (means[place], place))


def since_first_s(times: Times) -> Floats:
    """Seconds of each event since its span's first one; NaN where it is missing."""
    if not times.size:
        return np.empty(times.shape, dtype=np.float64)
    known = told(times)
    first = np.where(known, times, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    return np.where(known, np.where(known, times, 0) - np.where(known, first, 0), np.nan) / 1e9


class Inversion(NamedTuple):
    """Two events that ought to follow each other, and how often they did not."""

    earlier: str
    later: str
    n: int  # spans that have both
    inverted: int  # of these, how many have the later one first
    worst_s: float  # by how much, at most


def consistency(times: Times, events: Sequence[str]) -> list[Inversion]:
    """Of events in the order in which they ought to happen, the pairs that some span has inverted.

    `times` is (spans, events). Neighbours only, and over gaps where one between is not told.
    """
    found = []
    for later in range(1, len(events)):
        for earlier in range(later):
            both = told(times[:, earlier]) & told(times[:, later])
            between = told(times[:, earlier + 1 : later]).any(axis=1)
            gaps = (times[:, later] - times[:, earlier])[both & ~between]
            wrong = gaps < 0
            if wrong.any():
                worst = float(-gaps.min()) / 1e9
                pair = events[earlier], events[later]
                found.append(Inversion(*pair, gaps.size, int(wrong.sum()), worst))
    return found
