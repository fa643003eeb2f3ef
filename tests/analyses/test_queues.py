from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.queues import all_busy, flow
from dnpcsql.analyses.times import MISSING

SECOND = 1_000_000_000
moments = st.integers(0, 30)


@given(st.lists(st.tuples(moments, moments), min_size=1, max_size=12))
def test_littles_law_holds_where_all_that_came_left(stays: list[tuple[int, int]]) -> None:
    came = np.array([min(stay) for stay in stays]) * SECOND
    left = np.array([max(stay) for stay in stays]) * SECOND
    found = flow(came, left, 0)
    if came.min() == left.max():
        assert found is None  # nothing stayed
        return
    assert found is not None
    assert found.arrived == found.left == len(stays)
    assert found.mean_length == pytest.approx(found.arrival_rate * found.mean_stay_s)
    assert found.little_error == pytest.approx(0, abs=1e-9)
    present = [
        sum(a <= at * SECOND < b for a, b in zip(came, left, strict=True)) for at in range(31)
    ]
    assert found.most == max(present)
    assert found.held_s == sum(count > 0 for count in present)


def test_what_never_left_shows() -> None:
    found = flow(np.array([0, 0]), np.array([10 * SECOND, MISSING]), 40 * SECOND)
    assert found is not None
    assert (found.arrived, found.left, found.mean_stay_s) == (2, 1, 10)
    assert found.mean_length == pytest.approx(50 / 40)
    assert found.little_error == pytest.approx((50 - 20) / 50)


def test_a_queue_that_is_held_up_could_do_more() -> None:
    came = np.zeros(4, dtype=np.int64)
    left = np.array([1, 11, 21, 31]) * SECOND  # workers were busy for 9 s after each
    alone = flow(came, left, 0)
    assert alone is not None
    assert alone.service_rate == pytest.approx(4 / 31)
    blocked = np.array([[1, 10], [11, 20], [21, 30]]) * SECOND
    found = flow(came, left, 0, blocked)
    assert found is not None
    assert found.held_s == pytest.approx(4)
    assert found.service_rate == pytest.approx(1)


@given(st.lists(st.tuples(moments, moments), max_size=10), st.integers(1, 3))
def test_all_busy(stays: list[tuple[int, int]], workers: int) -> None:
    begins = np.array([min(stay) for stay in stays], dtype=np.int64)
    ends = np.array([max(stay) for stay in stays], dtype=np.int64)
    found = all_busy(begins, ends, workers).tolist()
    for at in range(31):
        count = sum(a <= at < b for a, b in zip(begins, ends, strict=True))
        assert any(a <= at < b for a, b in found) == (count >= workers)


def test_nothing_came() -> None:
    none = np.array([MISSING])
    assert flow(none, none, 0) is None
