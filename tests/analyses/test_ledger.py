"""The ledger adds up: of made paths, of any shape, to the nanosecond."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.ledger import Row, attribute, rows, union, walls
from dnpcsql.analyses.path import MOMENTS, PLACE, Paths, phase
from dnpcsql.analyses.times import MISSING

INNER = [name for name in MOMENTS if name not in ("invoked", "done", "last_heard")]
START = 1_795_331_212_928_108_000


def path(
    tries: list[tuple[int, dict[str, int]]],
    *,
    invoked: list[int | None],
    done: list[int | None],
    last_heard: int,
) -> Paths:
    """Tries as (task, {moment: nanoseconds}); tasks as their calls and ends."""
    times = np.full((len(tries), len(MOMENTS)), MISSING, dtype=np.int64)
    for row, (_, moments) in enumerate(tries):
        for name, at in moments.items():
            times[row, PLACE[name]] = at
    owners = np.array([task for task, _ in tries], dtype=np.int64)
    nothing = np.zeros(len(tries), dtype=np.bool_)
    blank = ["-"] * len(tries)
    return Paths(
        np.arange(len(invoked)),
        ["app"] * len(invoked),
        np.array([MISSING if at is None else at for at in invoked], dtype=np.int64),
        np.array([MISSING if at is None else at for at in done], dtype=np.int64),
        last_heard,
        owners,
        np.zeros_like(owners),
        times,
        nothing,
        nothing.copy(),
        blank, blank, blank, blank,
    )  # fmt: skip


def one(moments: dict[str, int], *, done: int | None = 1000) -> list[Row]:
    """The ledger of one task that was called at 0; the run was last heard of at 2000."""
    paths = path([(0, moments)], invoked=[0], done=[done], last_heard=2000)
    return rows(attribute(paths), paths)


def test_moments_in_order_are_taken_as_they_are() -> None:
    found = one({"pending": 10, "ready": 300, "launched": 310, "worker_received": 600,
                 "worker_completed": 900, "returned": 950})  # fmt: skip
    assert [(row.begin, row.end, row.lasts, row.clipped) for row in found] == [
        ("invoked", "pending", 10, 0),
        ("pending", "ready", 290, 0),
        ("ready", "launched", 10, 0),
        ("launched", "worker_received", 290, 0),
        ("worker_received", "worker_completed", 300, 0),
        ("worker_completed", "returned", 50, 0),
        ("returned", "done", 50, 0),
    ]


def test_a_record_that_races_is_moved_forward_and_what_it_was_moved_by_is_told() -> None:
    # The interchange logs that it sent a task after the manager has logged that it got it.
    found = one({"launched": 100, "interchange_sent": 530, "manager_got": 500,
                 "worker_received": 540})  # fmt: skip
    assert [(row.end, row.lasts, row.clipped) for row in found] == [
        ("launched", 100, 0),
        ("interchange_sent", 430, 0),
        ("manager_got", 0, 30),
        ("worker_received", 10, 0),
        ("done", 460, 0),
    ]


def test_a_moment_after_the_end_is_moved_back_to_it() -> None:
    # The worker writes that all is finished when the task is done already.
    found = one({"launched": 100, "worker_received": 200, "worker_completed": 980,
                 "worker_finished": 1040})  # fmt: skip
    assert [(row.end, row.lasts, row.clipped) for row in found][-2:] == [
        ("worker_finished", 20, 40),
        ("done", 0, 0),
    ]


def test_a_task_that_never_returned_lasts_until_the_run_was_last_heard_of() -> None:
    found = one({"launched": 100, "interchange_received": 150}, done=None)
    assert (found[-1].begin, found[-1].end, found[-1].lasts) == (
        "interchange_received", "last_heard", 1850,
    )  # fmt: skip
    assert phase(found[-1].begin, found[-1].end) == "unfinished"


def test_a_second_try_begins_where_the_first_one_ended() -> None:
    paths = path(
        [
            (0, {"pending": 0, "launched": 100, "running": 200, "running_ended": 300,
                 "returned": 400}),
            (0, {"pending": 420, "launched": 500, "running": 600, "running_ended": 900}),
        ],
        invoked=[0], done=[1000], last_heard=2000,
    )  # fmt: skip
    found = {(row.begin, row.end): (row.hops, row.lasts) for row in rows(attribute(paths), paths)}
    assert found["returned", "pending"] == (1, 20)
    assert found["running", "running_ended"] == (2, 400)


@pytest.mark.parametrize(
    ("begin", "end", "is_part_of"),
    [
        ("invoked", "pending", "submit"),
        ("pending", "ready", "dependencies"),
        ("launched", "running", "queue"),  # nothing tells of the executor
        ("submitted", "worker_received", "queue"),
        ("worker_received", "worker_completed", "work"),  # no monitoring
        ("running_ended", "worker_completed", "worker"),
        ("running_ended", "returned", "return"),
        ("returned", "pending", "retry"),
        ("launched", "returned", "unattributed"),  # threads without monitoring
        ("running", "returned", "unattributed"),  # it was lost, or the log does not tell its end
        ("running", "last_heard", "unfinished"),
    ],
)
def test_what_a_hop_is_part_of(begin: str, end: str, is_part_of: str) -> None:
    assert phase(begin, end) == is_part_of


def test_a_memoized_task_never_ran_so_nothing_of_it_is_unattributed() -> None:
    assert phase("ready", "returned", answered=True) == "launch"


@pytest.mark.parametrize(
    ("intervals", "covered"),
    [
        ([], 0),
        ([(0, 10), (20, 30)], 20),
        ([(0, 10), (5, 30), (6, 7)], 30),
        ([(5, 30), (0, 10), (30, 31)], 31),
        ([(3, 3)], 0),
    ],
)
def test_a_union_counts_no_moment_twice(intervals: list[tuple[int, int]], covered: int) -> None:
    begins, ends = (
        (np.array(side, dtype=np.int64) for side in zip(*intervals, strict=True))
        if (intervals)
        else (np.empty(0, np.int64), np.empty(0, np.int64))
    )
    assert union(begins, ends) == covered


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8))
def test_a_union_is_that_of_its_moments(made: list[tuple[int, int]]) -> None:
    moments = {moment for begin, lasts in made for moment in range(begin, begin + lasts)}
    begins = np.array([begin for begin, _ in made], dtype=np.int64)
    lasts = np.array([lasts for _, lasts in made], dtype=np.int64)
    assert union(begins, begins + lasts) == len(moments)


near = st.integers(0, 60_000_000_000).map(lambda at: START + at)
maybe = st.none() | near
attempts = st.dictionaries(st.sampled_from(INNER), near)
tasks = st.lists(st.tuples(maybe, maybe, st.lists(attempts, max_size=3)), min_size=1, max_size=8)


@given(tasks, near)
def test_the_hops_of_each_task_add_up_to_its_wall_time(
    made: list[tuple[int | None, int | None, list[dict[str, int]]]], last_heard: int
) -> None:
    paths = path(
        [(number, one) for number, (_, _, tries) in enumerate(made) for one in tries],
        invoked=[invoked for invoked, _, _ in made],
        done=[done for _, done, _ in made],
        last_heard=last_heard,
    )
    pieces = attribute(paths)
    begins, ends, _ = walls(paths)
    assert (pieces.lasts >= 0).all()
    assert (pieces.clipped >= 0).all()
    reached: dict[int, int] = dict(enumerate(begins.tolist()))
    for task, at, lasts in zip(
        pieces.task.tolist(), pieces.at.tolist(), pieces.lasts.tolist(), strict=True
    ):
        assert at == reached[task]  # neither a gap nor an overlap
        reached[task] += lasts
    assert reached == dict(enumerate(ends.tolist()))
    grouped = rows(pieces, paths, pieces.task)
    whole = rows(pieces, paths)
    assert sum(row.lasts for row in whole) == sum((ends - begins).tolist())
    by_task: dict[int, int] = defaultdict(int)
    for row in grouped:
        by_task[row.group] += row.lasts
    assert by_task == dict(enumerate((ends - begins).tolist()))
    for row in whole:
        assert row.union <= min(row.lasts, int(ends.max() - begins.min()))


def test_sums_beyond_64_bits_are_exact() -> None:
    year = 366 * 86_400 * 10**9
    count = 400  # 400 years of waiting are more nanoseconds than 63 bits hold
    paths = path(
        [(number, {"pending": START + 1}) for number in range(count)],
        invoked=[START] * count, done=[START + year] * count, last_heard=START + year,
    )  # fmt: skip
    found = rows(attribute(paths), paths)
    assert sum(row.lasts for row in found) == count * year > 2**63
