from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.rasters import coverage, lines, points

bars = st.lists(
    st.tuples(st.integers(0, 2), st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=10
)


@given(bars)
def test_cells_cover_what_bars_cover(drawn: list[tuple[int, float, float]]) -> None:
    lanes = np.array([lane for lane, _, _ in drawn])
    begins = np.array([min(pair) for _, *pair in drawn])
    ends = np.array([max(pair) for _, *pair in drawn])
    found = coverage(lanes, begins, ends, (3, 7), 0.0, 10.0)
    width = 10 / 7
    for lane in range(3):
        for cell in range(7):
            left, right = cell * width, (cell + 1) * width
            over = np.maximum(0, np.minimum(ends, right) - np.maximum(begins, left))
            assert found[lane, cell] == pytest.approx(over[lanes == lane].sum() / width, abs=1e-9)


def test_each_point_lies_in_one_cell() -> None:
    x, y = np.array([0.0, 1, 2, 2]), np.array([0.0, 5, 10, 10])
    found = points(x, y, np.linspace(0, 2, 3), np.linspace(0, 10, 3))
    assert found.tolist() == [[1, 0], [0, 3]]


def test_a_line_is_met_once_in_each_row_between_its_stages() -> None:
    stages = np.array([[0.0, 5, 10], [0, np.nan, 10], [np.nan, np.nan, 4]])
    found = lines(stages, 0, 10, 10)
    assert found.sum(axis=1).tolist() == [2.0] * 12
    assert found[0].tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert found[-1, 9] == 2
