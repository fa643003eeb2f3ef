"""Figures of real runs: against those computed from the published fixtures by other means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.errors import NotFoundError, QueryError
from dnpcsql.measures import change
from dnpcsql.store import Store
from tests.conftest import Case, corpus, facts

MICROSECOND = 1.5e-6


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The published run of 2023: 50 tasks, monitoring.db only."""
    folder = corpus("parsl-2023-upstream-fixture")
    with Store(tmp_path_factory.mktemp("fixture") / "dnpc.sqlite3") as store:
        store.import_(folder / "runinfo", timezone=["UTC"])
        yield store


@pytest.fixture(scope="module")
def full(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A run of 2023 with tasks of every kind."""
    with Store(tmp_path_factory.mktemp("full") / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2023.12.18-full"))
        yield store


@pytest.fixture(scope="module")
def multi(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Five workflows."""
    with Store(tmp_path_factory.mktemp("multi") / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2025.9.15-multi"))
        yield store


@pytest.mark.parametrize(
    ("begin", "end", "mean", "p50", "p95", "least", "most"),
    [
        ("invoked", "returned", 7.489900, 7.450167, 12.905740, 1.459655, 14.275880),
        ("running", "running_ended", 0.020358, 0.020211, 0.021139, 0.019591, 0.025087),
        ("running_ended", "task_returned", 0.303570, 0.286870, 0.313361, 0.281305, 1.044223),
        ("launched", "running", 7.165083, 7.145869, 12.599759, 1.155548, 13.203209),
    ],
)
def test_durations_of_the_published_run(
    fixture: Store,
    begin: str,
    end: str,
    mean: float,
    p50: float,
    p95: float,
    least: float,
    most: float,
) -> None:
    (one,) = fixture.statistics(begin=begin, end=end).durations
    found = one.statistics
    assert (found.n, found.missing) == (50, 0)
    measured = [found.mean, found.p50, found.p95, found.min, found.max]
    assert measured == pytest.approx([mean, p50, p95, least, most], abs=MICROSECOND)


def test_the_published_run_as_a_whole(fixture: Store) -> None:
    found = fixture.statistics()
    assert found.running is not None
    assert found.running.peak == 1
    assert found.running.busy_s == pytest.approx(1.017903, abs=MICROSECOND)
    assert found.running.summed_s == pytest.approx(1.017903, abs=MICROSECOND)
    assert found.whole.makespan_s == pytest.approx(14.275880, abs=MICROSECOND)
    assert found.whole.per_second == pytest.approx(3.5024, abs=5e-5)


@pytest.mark.parametrize(
    ("begin", "end", "mean", "p50"),
    [
        ("WAITING", "RUNNING", 6.013421, 5.971345),
        ("RUNNING", "WAITING_RETRIEVAL", 0.243617, 0.242406),
        ("WAITING", "DONE", 6.257549, 6.214369),
    ],
)
def test_durations_of_the_published_work_queue_run(
    begin: str, end: str, mean: float, p50: float, tmp_path: Path
) -> None:
    folder = corpus("workqueue-upstream-fixture")
    with Store(tmp_path / "dnpc.sqlite3") as store:
        try:
            store.import_(folder)
            measured = store.statistics(type="workqueue.task", begin=begin, end=end).durations
        except NotFoundError as error:
            pytest.skip(f"Work Queue's logs are not read: {error}")
    (one,) = measured
    assert one.statistics.n == 50
    assert [one.statistics.mean, one.statistics.p50] == pytest.approx([mean, p50], abs=MICROSECOND)


def test_what_the_apps_saw_inside_their_workers(tmp_path: Path) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(folder / "runinfo.tar.xz")
        found = store.statistics()
        assert found.running is not None
        assert found.workers is not None
        truth = _truth(folder)
        assert found.running.peak == truth["peak_concurrency"] == 4
        # Parsl's wrapper around an app's body takes its time too.
        assert found.running.summed_s > truth["busy_worker_s"]
        assert found.running.makespan_s == pytest.approx(truth["makespan_s"], abs=0.5)
        tasks = {worker.name: worker.tasks for worker in found.workers.workers}
        assert tasks == {name: worker["tasks"] for name, worker in truth["workers"].items()}
        slow = store.compare(
            "last", "last", begin="running", end="running_ended",
            where_first="worker_id < 3", where_second="worker_id = 3",
        )  # fmt: skip
        assert slow.differs is not None
        assert slow.differs.words.startswith("worker_id = 3 is slower than worker_id < 3")


def _truth(folder: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())["workflows"][0]
    return truth


@pytest.mark.parametrize(
    "name",
    [
        "parsl-2023.12.18-full",
        "parsl-2024.6.10-nomonitoring",
        "parsl-2025.9.15-elastic",
        "parsl-2026.10.26-dst",
        "parsl-2026.10.26-killed",
        "parsl-2026.10.26-skew",
    ],
)
def test_utilization_is_never_above_what_the_workflow_asked_for(name: str, tmp_path: Path) -> None:
    folder = corpus(name)
    asked = [
        executor["max_workers"] or 0
        for workflow in facts(folder)["workflows"]
        for executor in workflow.get("executors", ())
    ]
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(folder)
        used = store.statistics().workers
        # max_workers is a manager's.
        managers = store.query(
            "SELECT count(*) FROM span WHERE type = 'parsl.executor.htex.interchange.manager'"
        ).value()
    assert used is not None
    assert 0 <= used.share <= 1
    assert (used.busy.counts <= used.connected.at(used.busy.times)).mean() > 0.9
    assert used.busy.peak <= used.connected.peak <= max(asked) * managers


def test_groups_add_up(full: Store) -> None:
    (whole,) = full.statistics(begin="launched", end="running").durations
    groups = full.statistics(begin="launched", end="running", by="app").durations
    assert sum(one.statistics.n for one in groups) == whole.statistics.n
    assert sum(one.statistics.missing for one in groups) == whole.statistics.missing
    names = [one.group for one in groups]
    assert names == sorted(set(map(str, names)))


def test_where_chooses_tasks_by_their_tries(full: Store) -> None:
    found = full.statistics(where="app = 'work'")
    (tasks,) = full.query("SELECT count(*) FROM parsl_task WHERE app = 'work'").all()[0]
    assert found.whole.n == tasks
    with pytest.raises(QueryError, match=r"--where: no such column: ap "):
        full.statistics(where="ap = 'work'")
    with pytest.raises(QueryError):
        full.statistics(where="1) ; DELETE FROM span --")
    assert full.query("SELECT count(*) FROM span").value() > 0


def test_what_there_is_is_said_of_what_there_is_not(full: Store) -> None:
    with pytest.raises(NotFoundError, match=r"no event ended of these .*; there are: invoked, "):
        full.statistics(begin="launched", end="ended")
    with pytest.raises(NotFoundError, match=r"no column colour of these tries; there are: app, "):
        full.statistics(by="colour")
    with pytest.raises(NotFoundError, match=r"no spans of type nap; there are: parsl\."):
        full.statistics(type="nap")


def test_spans_of_any_type(full: Store) -> None:
    (one,) = full.statistics(
        type="parsl.monitoring.task", begin="invoked", end="returned"
    ).durations
    (same,) = full.statistics(begin="invoked", end="returned").durations
    assert one.statistics.p50 == pytest.approx(same.statistics.p50, abs=MICROSECOND)
    (whole,) = full.statistics(type="parsl.monitoring.task").durations
    assert (whole.begin, whole.end) == ("start", "end")


def test_a_run_compared_with_itself_and_with_another(multi: Store) -> None:
    same = multi.compare("000", "000")
    assert change(same, "p50") == 0
    assert change(same, "makespan") == 0
    assert same.differs is not None
    assert same.differs.words.startswith("no difference")
    other = multi.compare("000", "001", by="app")
    assert other.names == ("run 000", "run 001")
    assert set(other.groups) <= {row[0] for row in multi.query("SELECT app FROM parsl_task")}
    with pytest.raises(NotFoundError, match="nothing to compare: no tasks with both"):
        change(multi.compare("000", "001", where="app = 'never'"), "p50")


def test_a_slow_worker_is_named(tmp_path: Path) -> None:
    """Numbers of workers are names: worker 3 of four is slow, not the higher the slower."""
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(corpus("parsl-2026.10.26-longtail"))
        first = store.statistics().correlations[0]
    assert (first.attribute, first.kind) == ("worker_id", "groups")
    assert first.p < 0.001
    assert first.words.startswith(
        "worker 3 takes longest, median 0.8869 s (n 22) against 0.1648 s of the others; "
    )


def test_work_queues_hops_are_events(case: Case, tmp_path: Path) -> None:
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2026.10.26-workqueue"))
        (one,) = store.statistics(begin="queue_running", end="queue_waiting_retrieval").durations
        assert one.statistics.n == 24
        for event in ("queue_waiting", "queue_retrieved", "queue_done"):
            assert store.statistics(begin=event, end="returned").durations[0].statistics.n == 24
