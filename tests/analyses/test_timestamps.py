from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.graphs import depths, layered
from dnpcsql.analyses.resources import level, spending
from dnpcsql.analyses.times import MISSING, from_seconds, nanoseconds
from dnpcsql.analyses.timestamps import consistency, since_first_s, timestamps
from tests.analyses.spans import EPOCH, as_times

ROWS = [
    ("b", EPOCH + 7, "end"),
    ("a", EPOCH + 4, "middle"),
    ("a", EPOCH + 0, "start"),
    ("a", EPOCH + 6, "middle"),  # again: the first one counts
    ("b", EPOCH + 2, "start"),
]


def test_a_table_of_first_times_in_the_order_of_happening() -> None:
    found = timestamps(ROWS)
    assert found.spans == ["b", "a"]
    assert found.events == ["start", "middle", "end"]
    assert found.times.tolist() == [[EPOCH + 2, MISSING, EPOCH + 7], [EPOCH, EPOCH + 4, MISSING]]
    ranges = found.ranges("start", "end")
    assert ranges.complete.tolist() == [True, False]
    assert ranges.durations_s[0] == 5e-9
    with pytest.raises(KeyError):
        found.of("never")


def test_a_table_of_nothing() -> None:
    found = timestamps([])
    assert (found.spans, found.events, found.times.shape) == ([], [], (0, 0))
    assert since_first_s(found.times).shape == (0, 0)


def test_pairs_that_stand_the_wrong_way_round() -> None:
    times = np.array([as_times([0, 2, 4]), as_times([0, 5, 4]), as_times([3, None, 1])])
    found = consistency(times, ["launched", "running", "ended"])
    assert [(one.earlier, one.later, one.n, one.inverted) for one in found] == [
        ("launched", "ended", 1, 1),
        ("running", "ended", 2, 1),
    ]
    assert found[0].worst_s == 2e-9


def test_seconds_of_views_become_the_microseconds_that_parsl_wrote() -> None:
    written = 1_795_331_212_921_546_000
    assert from_seconds([written / 1e9, None]).tolist() == [written, MISSING]
    assert nanoseconds([written + 1, None]).tolist() == [written + 1, MISSING]


# Dependencies


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_a_task_is_deeper_than_all_that_it_waits_for(drawn: list[tuple[int, int]]) -> None:
    edges = [(min(pair), max(pair)) for pair in drawn if pair[0] != pair[1]]
    found = depths(range(9), edges)
    for node in range(9):
        assert found[node] == max((found[a] + 1 for a, b in edges if b == node), default=0)


def test_cycles_and_long_chains_end() -> None:
    assert set(depths([1, 2, 3], [(1, 2), (2, 1), (2, 3), (3, 3)])) == {1, 2, 3}
    chain = [(n, n + 1) for n in range(50_000)]
    assert depths([0], chain)[50_000] == 50_000


def test_each_node_has_a_place_of_its_own() -> None:
    edges = [("a", "c"), ("b", "c"), ("a", "d"), ("c", "e")]
    found = layered(list("abcde"), edges)
    places = {(found.layer[node], found.order[node]) for node in "abcde"}
    assert len(places) == 5


# Resources


def test_memory_of_several_tasks_adds_up_until_each_ends() -> None:
    owners = np.array([0, 1, 0])
    times = as_times([0, 2, 4])
    found = level(owners, times, np.array([10.0, 5.0, 20.0]), as_times([8, None]))
    assert [(int(t) - EPOCH, v) for t, v in zip(*found, strict=True)] == [
        (0, 10), (2, 15), (4, 25), (8, 5),
    ]  # fmt: skip


def test_cpu_seconds_are_spent_between_readings_and_restart_from_zero() -> None:
    second = 10**9
    times = np.array([0, 2, 4, 6]) * second
    found = spending(np.zeros(4, dtype=np.int64), times, np.array([0.0, 1.0, 4.0, 1.0]))
    assert found.counts.tolist() == pytest.approx([0.5, 1.5, 0.5, 0.0])
