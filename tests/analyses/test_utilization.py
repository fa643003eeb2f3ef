from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.times import OPEN
from dnpcsql.analyses.utilization import shares, utilization
from tests.analyses.spans import EPOCH, as_times, moments

runs = st.lists(st.tuples(st.sampled_from("ab"), moments, moments), max_size=10)


@given(runs)
def test_no_more_workers_are_busy_than_ran_and_overlaps_count_once(
    ran: list[tuple[str, int, int]],
) -> None:
    connected = {name: [(EPOCH, EPOCH + 12)] for name in "ab"}
    names = [name for name, _, _ in ran]
    starts, ends = as_times([s for _, s, _ in ran]), as_times([e for _, _, e in ran])
    found = utilization(names, starts, ends, connected)
    for moment in range(12):
        busy = {name for name, s, e in ran if s <= moment < e}
        assert found.busy.at(np.array([EPOCH + moment]))[0] == len(busy)
    covered = sum(
        any(n == name and s <= at < e for n, s, e in ran) for name in "ab" for at in range(12)
    )
    assert found.busy_s == pytest.approx(covered / 1e9)
    assert found.connected_s == pytest.approx(24 / 1e9)
    assert found.share == pytest.approx(covered / 24)


def test_busy_while_not_connected_is_told_not_hidden() -> None:
    found = utilization(["a"], as_times([2]), as_times([8]), {"a": [(EPOCH + 4, EPOCH + 6)]})
    (worker,) = found.workers
    assert (worker.busy_s, worker.connected_s, worker.outside_s) == (6e-9, 2e-9, 4e-9)


def test_a_worker_of_a_killed_run_is_connected_until_the_last_thing_known() -> None:
    found = utilization(
        ["a"], as_times([2]), as_times([None]), {"a": [(EPOCH, OPEN)]}, until=EPOCH + 10
    )
    assert (found.busy_s, found.connected_s) == (8e-9, 10e-9)


def test_workers_of_which_nothing_says_when_they_came() -> None:
    found = utilization(["a", "b"], as_times([0, 2]), as_times([4, 8]))
    assert [worker.connected_s for worker in found.workers] == [8e-9, 8e-9]
    assert found.share == pytest.approx(10 / 16)


def test_no_workers() -> None:
    found = utilization([], as_times([]), as_times([]))
    assert (found.workers, found.busy_s) == ([], 0)
    assert np.isnan(found.share)
    assert np.isnan(shares(found, as_times([0, 1]))).all()


def test_a_worker_that_came_twice_was_away_between() -> None:
    there = {"a": [(EPOCH, EPOCH + 4), (EPOCH + 8, EPOCH + 10)]}
    found = utilization(["a"], as_times([2]), as_times([9]), there)
    (worker,) = found.workers
    assert (worker.busy_s, worker.connected_s, worker.outside_s) == (7e-9, 6e-9, 4e-9)
    assert found.connected.counts.tolist() == [1, 0, 1, 0]


def test_tasks_of_which_no_file_tells_the_worker_make_one_busy_each() -> None:
    there = {f"pool/{number}": [(EPOCH, OPEN)] for number in range(3)}
    found = utilization(
        [], as_times([]), as_times([]), there, until=EPOCH + 10,
        unplaced=(as_times([0, 2, None]), as_times([4, None, 5])),
    )  # fmt: skip
    assert (found.busy.peak, found.connected.peak) == (2, 3)
    assert (found.busy_s, found.connected_s) == (12e-9, 30e-9)
