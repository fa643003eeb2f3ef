from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql.analyses.idleness import (
    DEPENDENCIES,
    DFK,
    DRAINING,
    INTERCHANGE,
    LOST,
    NOTHING,
    OTHER,
    OWN,
    PENDING,
    STARTING,
    UNFINISHED,
    Pools,
    Waiting,
    Work,
    idleness,
)
from tests.analyses.workers import TICK, System, Task, chance


@pytest.mark.parametrize("seed", range(60))
def test_causes_are_those_that_a_simulator_knows(seed: int) -> None:
    system = chance(seed)
    system.run()
    found = idleness(*system.records())
    assert found.busy == system.busy * TICK
    assert found.capacity == found.busy + sum(found.causes.values())
    idle = system.truth.total() * TICK
    agreed = sum(min(found.causes[cause], ticks * TICK) for cause, ticks in system.truth.items())
    assert agreed >= 0.95 * idle


# What a system is short of when all else is plenty.
@pytest.mark.parametrize(
    ("cause", "system"),
    [
        (NOTHING, System([Task(n, 10 + 20 * n, 5) for n in range(15)])),
        (DEPENDENCIES, System([Task(n, 0, 10, [n - 1] if n else []) for n in range(35)])),
        (DFK, System([Task(n, 0, 4) for n in range(60)], launch_every=6)),
        (INTERCHANGE, System([Task(n, 0, 4) for n in range(60)], send_every=6)),
        (
            OTHER,
            System([Task(n, 0, 40 if n % 2 else 4) for n in range(60)], prefetch=30, workers=1),
        ),
        (PENDING, System([Task(n, 0, 1) for n in range(9)], registers=300, starts=301)),
        (STARTING, System([Task(n, 0, 1) for n in range(9)], registers=10, starts=350)),
    ],
)
def test_a_system_short_of_one_thing(cause: str, system: System) -> None:
    system.run()
    found = idleness(*system.records()).causes
    if cause != NOTHING:
        found[NOTHING] = 0  # before the first task and after the last
    assert max(found, key=lambda name: found[name]) == cause


spans = st.tuples(st.integers(0, 40), st.integers(0, 40))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(0, 2),
            st.lists(st.integers(0, 40), min_size=6, max_size=6),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.tuples(st.integers(0, 4), spans, st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3), spans), max_size=12),
)
def test_whatever_is_told_it_adds_up(
    pools: list[tuple[int, int, list[int], bool]],
    work: list[tuple[int, tuple[int, int], bool]],
    waiting: list[tuple[int, int, tuple[int, int]]],
) -> None:
    epoch = 1_795_000_000_000_000_000
    found = idleness(
        Pools(
            np.array([size for size, *_ in pools]),
            np.array([manager for _, manager, *_ in pools]),
            np.array([sorted(edges) for _, _, edges, _ in pools]) + epoch,
            np.array([lost for *_, lost in pools]),
        ),
        Work(
            np.array([pool % len(pools) for pool, *_ in work], dtype=np.int64),
            np.array([span[0] for _, span, _ in work], dtype=np.int64) + epoch,
            np.array([span[1] for _, span, _ in work], dtype=np.int64) + epoch,
            np.array([known for *_, known in work], dtype=np.bool_),
        ),
        Waiting(
            np.array([stage for stage, *_ in waiting], dtype=np.int64),
            np.array([manager for _, manager, _ in waiting], dtype=np.int64),
            np.array([span[0] for *_, span in waiting], dtype=np.int64) + epoch,
            np.array([span[1] for *_, span in waiting], dtype=np.int64) + epoch,
        ),
    )
    assert found.capacity == found.busy + sum(found.causes.values())
    assert found.capacity == sum(found.pool_capacity)
    assert found.busy == sum(found.pool_busy)
    assert all(lasts >= 0 for lasts in found.causes.values())


def _one(edges: list[int], held: list[tuple[int, int, bool]], *, lost: bool) -> dict[str, int]:
    none = np.empty(0, dtype=np.int64)
    found = idleness(
        Pools(np.array([1]), np.array([0]), np.array([edges]), np.array([lost])),
        Work(
            np.zeros(len(held), dtype=np.int64),
            np.array([begin for begin, _, _ in held]),
            np.array([end for _, end, _ in held]),
            np.array([known for *_, known in held]),
        ),
        Waiting(none, none, none, none),
    )
    return {cause: lasts for cause, lasts in found.causes.items() if lasts}


def test_a_worker_of_which_nothing_more_was_heard() -> None:
    edges = [0, 10, 20, 90, 100, 130]
    held = [(30, 40, True), (40, 100, False)]
    assert _one(edges, held, lost=True) == {
        PENDING: 10, STARTING: 10, NOTHING: 10, UNFINISHED: 60, LOST: 30,
    }  # fmt: skip
    assert _one(edges, held[:1], lost=False) == {
        PENDING: 10, STARTING: 10, NOTHING: 60, DRAINING: 40,
    }  # fmt: skip


def test_a_task_keeps_only_one_worker_idle() -> None:
    system = System([Task(0, 20, 10), Task(1, 20, 10, [0])], workers=1, until=60)
    system.run()
    found = idleness(*system.records())
    assert found.causes[DEPENDENCIES] == system.truth[DEPENDENCIES] * TICK > 0
    assert found.causes[OWN] == system.truth[OWN] * TICK
    stretch = found.longest[DEPENDENCIES]
    assert stretch.ends - stretch.begins == found.causes[DEPENDENCIES]
