"""Spans as hypothesis draws them: few different times, so that ties are common, and open ends."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st

from dnpcsql.analyses.times import MISSING, Times

Span: TypeAlias = tuple[int | None, int | None]

# Just above what a double of unix nanoseconds can tell apart: a float on the way would show.
EPOCH = 1_795_331_212_865_472_001
moments = st.integers(0, 12)
spans = st.lists(st.tuples(st.none() | moments, st.none() | moments), max_size=12)


def as_times(values: list[int | None]) -> Times:
    return np.array([MISSING if v is None else EPOCH + v for v in values], dtype=np.int64)


def arrays(given: list[Span]) -> tuple[Times, Times]:
    return as_times([start for start, _ in given]), as_times([end for _, end in given])


def live(span: Span, moment: int) -> bool:
    """Whether a span is live just after this moment, in so many words."""
    start, end = span
    return start is not None and start <= moment and (end is None or moment < end)
