"""Times as numpy arrays: whole nanoseconds, exact, with a mark for what is not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Times: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

MISSING = int(np.iinfo(np.int64).min)
"""A time that no file tells."""
OPEN = int(np.iinfo(np.int64).max)
"""The end of what never ended, as far as is known."""

_LOW = 0xFFFFFFFF


def nanoseconds(values: Iterable[int | None]) -> Times:
    """Whole nanoseconds; None becomes MISSING."""
    return np.array([MISSING if value is None else value for value in values], dtype=np.int64)


def from_seconds(values: Sequence[float | None]) -> Times:
    """Unix seconds, as views give them; None becomes MISSING.

    A double holds today's unix seconds to 0.24 µs, so times are taken to the nearest microsecond,
    which is what Parsl writes: equal times stay equal.
    """
    given = np.array(values, dtype=np.float64)
    told = np.isfinite(given)
    return np.where(told, np.rint(np.where(told, given, 0) * 1e6).astype(np.int64) * 1000, MISSING)


def told(times: Times) -> Mask:
    """Where a time is told."""
    return np.asarray(times != MISSING)


def closed(starts: Times, ends: Times) -> tuple[Times, Times]:
    """Of spans that have a start: starts, and ends that are never before them; OPEN if not told.

    An end before its start, as clocks of two hosts write it, makes a span that takes no time.
    """
    begun = told(starts)
    starts, ends = starts[begun], ends[begun]
    return starts, np.where(told(ends), np.maximum(starts, ends), OPEN)


def durations_s(starts: Times, ends: Times) -> Floats:
    """Seconds from start to end, NaN where either is not told; below 0 where clocks differ."""
    both = told(starts) & told(ends)
    return np.where(both, np.where(both, ends, 0) - np.where(both, starts, 0), np.nan) / 1e9


def exact_sum(values: Times) -> int:
    """The sum of nanoseconds, which may be more than 64 bits hold."""
    return (int((values >> 32).sum()) << 32) + int((values & _LOW).sum())


def bounds(*arrays: Times) -> tuple[int, int] | None:
    """The earliest and the latest time that is told; None if none is."""
    found = [array[told(array) & (array != OPEN)] for array in arrays]
    found = [array for array in found if array.size]
    if not found:
        return None
    return min(int(array.min()) for array in found), max(int(array.max()) for array in found)


def distinct(*arrays: Times) -> Times:
    """All different times of these, in order. (np.unique hashes first: 20 times as long.)"""
    ordered = np.sort(np.concatenate(arrays))
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if ordered.size else ordered


def numbered(names: Iterable[Any], none: str = "not told") -> tuple[list[str], Counts]:
    """The different names in order of appearance, and for each place its name's number."""
    numbers: dict[Any, int] = {}
    places = [numbers.setdefault(name, len(numbers)) for name in names]
    different = [none if name is None else str(name) for name in numbers]
    return different, np.array(places, dtype=np.int64)
