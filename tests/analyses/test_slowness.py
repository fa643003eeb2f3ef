"""Workers that are slower than others."""

from __future__ import annotations

import numpy as np
import pytest

from dnpcsql.analyses.path import MOMENTS, PLACE, Paths
from dnpcsql.analyses.slowness import slow_workers
from dnpcsql.analyses.times import MISSING


def ran(tries: list[tuple[str, str, float]]) -> Paths:
    """Tries as (worker, app, seconds)."""
    count = len(tries)
    times = np.full((count, len(MOMENTS)), MISSING, dtype=np.int64)
    times[:, PLACE["worker_received"]] = 0
    times[:, PLACE["worker_completed"]] = [round(seconds * 1e9) for *_, seconds in tries]
    places = np.arange(count)
    nothing = np.zeros(count, dtype=np.bool_)
    return Paths(
        places, [app for _, app, _ in tries], places * 0, places * 0, 0, places, places * 0, times,
        nothing, nothing, ["htex"] * count, ["0"] * count, ["node"] * count,
        [worker for worker, _, _ in tries],
    )  # fmt: skip


def test_a_worker_is_compared_by_app_with_the_others() -> None:
    # b has the long app only; that alone does not make it slow. c takes thrice as long for both.
    found = slow_workers(
        ran(
            [("a", "short", 1.0)] * 4 + [("a", "long", 10.0)] * 4 + [("b", "long", 10.0)] * 4
            + [("c", "short", 3.0)] * 2 + [("c", "long", 30.0)] * 2
        )
    )  # fmt: skip
    assert [one.worker for one in found] == ["c"]
    assert found[0].ratio == pytest.approx(3)
    assert found[0].excess_s == pytest.approx(2 * 2 + 2 * 20)
    assert found[0].tries == 4


@pytest.mark.parametrize(
    "tries",
    [
        [],
        [("a", "work", 1.0)] * 5,  # alone
        [("a", "work", 1.0)] * 5 + [("b", "work", 9.0)] * 2,  # too few to tell
        [("-", "work", 1.0)] * 5 + [("-", "work", 9.0)] * 5,  # no file tells of workers
        [("a", "work", 1.0)] * 5 + [("b", "work", 1.5)] * 5,
    ],
)
def test_where_nothing_can_be_told_nothing_is(tries: list[tuple[str, str, float]]) -> None:
    assert slow_workers(ran(tries)) == []
