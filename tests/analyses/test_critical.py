from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.critical import (
    Edges,
    Load,
    Tasks,
    critical_path,
    heaviest_chain,
    observed_load,
    order,
    replay,
    slack,
)

EPOCH = 1_795_000_000_000_000_000


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """What each task waits for, by any numbers, as staging tasks have higher ones; and a weight."""
    count = draw(st.integers(1, 7))
    places = draw(st.permutations(range(count)))
    before: list[list[int]] = [[] for _ in range(count)]
    for later in range(count):
        for earlier in range(later):
            if draw(st.booleans()):
                before[places[later]].append(places[earlier])
    return before, draw(st.lists(st.integers(0, 20), min_size=count, max_size=count))


def as_edges(before: list[list[int]]) -> Edges:
    pairs = [(other, place) for place, others in enumerate(before) for other in others]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Edges(columns[0], columns[1])


def chains(before: list[list[int]]) -> list[list[int]]:
    """All chains, by trying every one."""
    found = [[place] for place in range(len(before))]
    for chain in found:
        found += [[*chain, later] for later, others in enumerate(before) if chain[-1] in others]
    return found


@given(graphs())
def test_the_heaviest_chain_is_the_heaviest_of_all(
    graph: tuple[list[list[int]], list[int]],
) -> None:
    before, weights = graph
    heaviest, chain = heaviest_chain(weights, as_edges(before))
    assert heaviest == max(sum(weights[place] for place in one) for one in chains(before))
    assert sum(weights[place] for place in chain) == heaviest
    assert all(one in before[other] for one, other in itertools.pairwise(chain))


@st.composite
def loads(draw: st.DrawFn) -> tuple[Load, list[list[int]]]:
    before, lasts = draw(graphs())
    count = len(before)
    some = st.lists(st.integers(0, 9), min_size=count, max_size=count)
    pools = draw(
        st.lists(st.lists(st.integers(0, 15), min_size=1, max_size=3), min_size=1, max_size=2)
    )
    pool = [draw(st.integers(-1, len(pools) - 1)) for _ in range(count)]
    released = [EPOCH + 3 * when for when in draw(some)]
    there = [[EPOCH + when for when in times] for times in pools]
    return Load(released, draw(some), lasts, draw(some), pool, before), there


def tick_by_tick(load: Load, workers: list[list[int]]) -> list[int]:
    """The same, by looking at every nanosecond who is free and who is ready."""
    count = len(load.released)
    done: list[int | None] = [None] * count
    begun: set[int] = set()
    free = [list(times) for times in workers]
    now = EPOCH
    while any(when is None for when in done):
        again = True
        while again:  # a task that takes no time may set free another at once
            again = False
            waiting = []
            for place in range(count):
                others = [done[other] for other in load.earlier[place]]
                known = [when for when in others if when is not None]
                if place in begun or len(known) < len(others):
                    continue
                since = max([load.released[place], *known])
                if since <= now:
                    waiting.append((since, place))
            for _, place in sorted(waiting):
                pool = load.pool[place]
                if pool >= 0:
                    worker = min(range(len(free[pool])), key=lambda one: free[pool][one])
                    if free[pool][worker] > now:
                        continue
                    free[pool][worker] = now + load.before[place] + load.lasts[place]
                begun.add(place)
                done[place] = now + load.before[place] + load.lasts[place] + load.after[place]
                again = True
                break
        now += 1
    return [when for when in done if when is not None]


@given(loads())
def test_replay_is_what_happens_tick_by_tick(given_load: tuple[Load, list[list[int]]]) -> None:
    load, workers = given_load
    assert replay(load, workers) == tick_by_tick(load, workers)


def played(load: Load, workers: list[list[int]]) -> Tasks:
    """A run as it would be observed."""
    done = np.array(replay(load, workers))
    ends = done - np.array(load.after)
    begins = ends - np.array(load.lasts)
    ready = [
        max([load.released[place], *(int(done[other]) for other in others)])
        for place, others in enumerate(load.earlier)
    ]
    return Tasks(np.array(load.released), np.array(ready), begins, ends, done)


def waited_for(earlier: Sequence[Sequence[int]], task: int) -> set[int]:
    """All that a task waited for, and what that waited for."""
    found: set[int] = set()
    left = list(earlier[task])
    while left:
        place = left.pop()
        if place not in found:
            found.add(place)
            left += earlier[place]
    return found


@given(loads())
def test_the_path_is_the_whole_run_without_a_gap(given_load: tuple[Load, list[list[int]]]) -> None:
    load, workers = given_load
    tasks = played(load, workers)
    path = critical_path(tasks, as_edges([list(one) for one in load.earlier]))
    whole = int(tasks.done.max() - tasks.invoked.min())
    assert sum(stretch.ends - stretch.begins for stretch in path) == whole
    for one, other in itertools.pairwise(path):
        assert one.ends == other.begins
        # A task between them may have taken no time at all.
        assert one.task == other.task or one.task in waited_for(load.earlier, other.task)


@given(loads())
def test_slack_is_how_much_later_a_task_may_be(given_load: tuple[Load, list[list[int]]]) -> None:
    """Against trying: with each task's time from ready to done fixed, nobody waits for a worker."""
    load, workers = given_load
    before = [list(one) for one in load.earlier]
    tasks = played(load, workers)
    last = int(tasks.done.max())
    ready = tasks.launched  # as played() has it
    took = (tasks.done - ready).tolist()
    free = Load(load.released, [0] * len(took), took, [0] * len(took), [-1] * len(took), before)

    def ends(late: int, place: int) -> int:
        longer = list(took)
        longer[place] += late
        return max(replay(free._replace(lasts=longer), []))

    for place, room in enumerate(slack(tasks, as_edges(before))):
        assert ends(room, place) <= last
        assert ends(room + 1, place) > last


@given(loads())
def test_what_was_observed_is_replayed_as_it_was(given_load: tuple[Load, list[list[int]]]) -> None:
    """Where nobody waits for a worker; else who gets the next one is not in the records."""
    load, _ = given_load
    load = load._replace(pool=[-1] * len(load.released))
    tasks = played(load, [])
    edges = as_edges([list(one) for one in load.earlier])
    again, workers = observed_load(tasks, edges, list(load.pool), [])
    assert replay(again, workers) == tasks.done.tolist()
    assert list(again.before) == list(load.before)


def test_one_worker_is_waited_for() -> None:
    load = Load([EPOCH] * 3, [1, 1, 1], [10, 10, 10], [2, 2, 2], [0, 0, 0], [[], [], []])
    tasks = played(load, [[EPOCH]])
    assert (tasks.done - EPOCH).tolist() == [13, 24, 35]
    edges = as_edges([[], [], []])
    again, workers = observed_load(tasks, edges, [0, 0, 0], [1])
    # It is there from when the first task began, so that one's own share is not known.
    assert (list(again.before), workers) == ([0, 1, 1], [[EPOCH + 1]])
    assert replay(again, workers) == tasks.done.tolist()
    assert max(replay(again, [[EPOCH + 1] * 3])) == EPOCH + 14


def test_records_that_go_in_circles_are_left_out() -> None:
    edges = as_edges([[1], [0], []])
    assert order(3, edges) == [2]
    none = np.array([EPOCH, EPOCH, EPOCH])
    tasks = Tasks(none, none, none, none + 5, none + 5)
    assert critical_path(tasks, edges)
    assert len(slack(tasks, edges)) == 3
    load = Load([0, 0, 0], [0] * 3, [1] * 3, [0] * 3, [-1] * 3, [[1], [0], []])
    assert replay(load, []) == [-1, -1, 1]


def test_no_tasks() -> None:
    none = np.empty(0, dtype=np.int64)
    tasks = Tasks(none, none, none, none, none)
    assert critical_path(tasks, as_edges([])) == []
    assert slack(tasks, as_edges([])) == []
    assert heaviest_chain([], as_edges([])) == (0, [])
