from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.rates import nice_width, rate, throughput
from tests.analyses.spans import EPOCH, Span, arrays, as_times, live, moments, spans


@given(st.lists(st.none() | moments, max_size=30), st.integers(1, 5))
def test_every_event_is_in_the_bin_of_its_time(times: list[int | None], width: int) -> None:
    found = rate(as_times(times), width_ns=width)
    told = [EPOCH + time for time in times if time is not None]
    for count, (left, right) in zip(found.counts, itertools.pairwise(found.edges), strict=True):
        assert count == sum(left <= time < right for time in told)
    assert found.counts.sum() == len(told)
    assert found.per_second.tolist() == pytest.approx((found.counts / (width / 1e9)).tolist())


def test_a_rate_from_and_to_given_times() -> None:
    found = rate(as_times([0, 3, 4, 9]), width_ns=2, begin=EPOCH + 2, end=EPOCH + 5)
    assert found.edges.tolist() == [EPOCH + 2, EPOCH + 4, EPOCH + 6]
    assert found.counts.tolist() == [1, 1]


@given(st.integers(1, 10**18), st.integers(1, 500))
def test_widths_are_nice_and_no_wider_than_needed(length: int, bins: int) -> None:
    width = nice_width(length, bins)
    assert str(width).rstrip("0") in ("1", "2", "5")
    assert width * bins >= length
    assert width == 1 or width / 2.5 * bins < length


@given(spans)
def test_throughput_is_what_counting_gives(given_spans: list[Span]) -> None:
    found = throughput(*arrays(given_spans))
    begun = [span for span in given_spans if span[0] is not None]
    times = [time for span in begun for time in span if time is not None]
    assert (found.n, found.ended) == (len(begun), sum(end is not None for _, end in begun))
    if times:
        length = max(times) - min(times)
        assert found.makespan_s == pytest.approx(length / 1e9)
        assert found.peak == max(sum(live(span, at) for span in begun) for at in range(13))
        if length:
            assert found.per_second == pytest.approx(found.ended / (length / 1e9))
    else:
        assert (found.first, found.last) == (None, None)
        assert np.isnan(found.makespan_s)
