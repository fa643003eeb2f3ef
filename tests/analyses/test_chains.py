"""What lies between moments that follow each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.chains import steps
from dnpcsql.analyses.times import MISSING


def test_a_moment_that_is_not_told_is_stepped_over() -> None:
    times = np.array([[0, 10, 30], [0, MISSING, 50], [MISSING, MISSING, 7]], dtype=np.int64)
    found = {(step.begin, step.end): (step.n, step.total_ns) for step in steps(times, "abc")}
    assert found == {("a", "b"): (1, 10), ("b", "c"): (1, 20), ("a", "c"): (1, 50)}


times_of_rows = st.lists(
    st.lists(st.one_of(st.just(MISSING), st.integers(0, 10**18)), min_size=4, max_size=4),
    min_size=1,
)


@given(times_of_rows)
def test_steps_add_up_to_the_way_from_the_first_moment_to_the_last(made: list[list[int]]) -> None:
    whole = 0
    for row in made:
        known = [at for at in row if at != MISSING]
        whole += known[-1] - known[0] if known else 0
    found = steps(np.array(made, dtype=np.int64), "abcd")
    assert sum(step.total_ns for step in found) == whole
