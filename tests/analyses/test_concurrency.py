from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.concurrency import (
    Occupancy,
    concurrency,
    covered_ns,
    occupancy,
    occupancy_of_events,
    summed_ns,
    union,
)
from dnpcsql.analyses.times import MISSING
from tests.analyses.spans import EPOCH, Span, arrays, as_times, live, moments, spans

GRID = range(-1, 15)
GRID_NS = np.array([EPOCH + moment for moment in GRID], dtype=np.int64)
STATES = ["pending", "launched", "running"]


@given(spans)
def test_concurrency_is_what_counting_gives_at_every_instant(given_spans: list[Span]) -> None:
    steps = concurrency(*arrays(given_spans))
    counted = [sum(live(span, moment) for span in given_spans) for moment in GRID]
    assert steps.at(GRID_NS).tolist() == counted
    assert steps.peak == max(counted)
    assert (steps.counts >= 0).all()
    assert (np.diff(steps.times) > 0).all()


@given(spans, st.lists(moments, min_size=2, max_size=6, unique=True))
def test_means_and_extremes_of_bins_are_those_of_each_nanosecond(
    given_spans: list[Span], cuts: list[int]
) -> None:
    steps = concurrency(*arrays(given_spans))
    cuts.sort()
    edges = np.array([EPOCH + cut for cut in cuts], dtype=np.int64)
    least, most = steps.extremes(edges)
    means = steps.means(edges)
    for place, (left, right) in enumerate(itertools.pairwise(cuts)):
        counted = [sum(live(span, at) for span in given_spans) for at in range(left, right)]
        assert means[place] == pytest.approx(sum(counted) / len(counted))
        assert (least[place], most[place]) == (min(counted), max(counted))


@given(spans)
def test_a_union_counts_overlaps_once_and_a_sum_counts_each(given_spans: list[Span]) -> None:
    starts, ends = arrays(given_spans)
    known = [time for span in given_spans for time in span if time is not None]
    until = max(known, default=0)
    shut = [(s, until if e is None else e) for s, e in given_spans if s is not None]
    covered = [at for at in GRID if any(s <= at < e for s, e in shut)]
    assert covered_ns(starts, ends) == len(covered)
    assert summed_ns(starts, ends) == sum(max(0, e - s) for s, e in shut)
    begun, ended = union(starts, ends)
    assert (begun[1:] > ended[:-1]).all()  # apart from each other, in order
    assert (ended > begun).all()


def test_what_never_ended_is_live_to_the_end_and_ties_make_no_spike() -> None:
    # Task 1 starts in the very nanosecond in which task 0 ends; task 2 never ends.
    steps = concurrency(as_times([0, 5, 7]), as_times([5, 9, None]))
    assert steps.times.tolist() == [EPOCH, EPOCH + 7, EPOCH + 9]
    assert steps.counts.tolist() == [1, 2, 1]


def test_sums_that_64_bits_do_not_hold() -> None:
    starts = np.zeros(2000, dtype=np.int64)
    assert summed_ns(starts, starts + 2**62) == 2000 * 2**62


# Occupancy

cell = st.none() | moments
tasks = st.lists(st.tuples(cell, cell, cell, cell), max_size=10)


def _sum_is_live(found: Occupancy) -> None:
    each = np.array([steps.at(GRID_NS) for steps in found.steps]).reshape(-1, len(GRID))
    assert (each >= 0).all()
    assert each.sum(axis=0).tolist() == found.live.at(GRID_NS).tolist()


@given(tasks)
def test_each_live_task_is_in_the_one_state_that_it_has_furthest_reached(
    given_tasks: list[tuple[int | None, ...]],
) -> None:
    begins = np.array([as_times(list(task[:3])) for task in given_tasks]).reshape(-1, 3)
    ends = as_times([task[3] for task in given_tasks])
    found = occupancy(STATES, begins, ends)
    _sum_is_live(found)
    for place, moment in enumerate(GRID):
        expected = [0, 0, 0]
        for *reached, end in given_tasks:
            states = [n for n, at in enumerate(reached) if at is not None and at <= moment]
            if states and (end is None or moment < end):
                expected[states[-1]] += 1
        assert [steps.at(GRID_NS)[place] for steps in found.steps] == expected


events = st.lists(
    st.tuples(st.sampled_from("abc"), moments, st.sampled_from(["idle", "busy", "gone"])),
    max_size=14,
)


@given(events)
def test_states_that_come_again_in_any_order_of_rows(rows: list[tuple[str, int, str]]) -> None:
    names, times, states = zip(*rows, strict=True) if rows else ((), (), ())
    found = occupancy_of_events(names, as_times(list(times)), states, ended=["gone"])
    _sum_is_live(found)
    for place, moment in enumerate(GRID):
        expected = dict.fromkeys(found.states, 0)
        for name in "abc":
            past = [(at, n, state) for n, (who, at, state) in enumerate(rows) if who == name]
            past = sorted(row for row in past if row[0] <= moment)
            if past and "gone" not in [state for _, _, state in past]:
                expected[past[-1][2]] += 1
        counted = [int(steps.at(GRID_NS)[place]) for steps in found.steps]
        assert counted == list(expected.values())


def test_a_worker_clock_that_is_behind_does_not_put_a_task_back() -> None:
    # Real skew: running is written 2.5 s before launched. It was never launched and not running.
    begins = np.array([as_times([0, 9, 6])])
    found = occupancy(STATES, begins, as_times([12]))
    assert [steps.at(GRID_NS).tolist()[8] for steps in found.steps] == [0, 0, 1]
    assert [steps.at(GRID_NS).tolist()[11] for steps in found.steps] == [0, 0, 1]


def test_nothing_at_all() -> None:
    none = np.empty(0, dtype=np.int64)
    assert concurrency(none, none).peak == 0
    assert covered_ns(none, none) == 0
    found = occupancy(STATES, np.full((2, 3), MISSING), np.full(2, MISSING))
    assert found.live.peak == 0
    assert [steps.peak for steps in found.steps] == [0, 0, 0]
    assert occupancy_of_events([], none, []).live.peak == 0
