"""parsl_try, from whatever files of a run are there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import generate
from dnpcsql.store import Store

TASKS = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    generate(place, tasks=TASKS, noise="full", workers=4, fail_share=0)
    return place / "runinfo"


def tries(store: Store) -> list[dict[str, Any]]:
    return store.query(
        "SELECT * FROM parsl_try WHERE launched IS NOT NULL ORDER BY task_id, try_id"
    ).dicts()


def without(made: Path, tmp_path: Path, *patterns: str) -> Path:
    tree = tmp_path / "runinfo"
    shutil.copytree(made, tree)
    for pattern in patterns:
        for file in tree.glob(pattern):
            file.unlink()
    return tree


MANAGERS, WORKERS = "000/htex/*/*/manager.log", "000/htex/*/*/worker_*.log"
INTERCHANGE, DATABASE = "000/htex/interchange.log", "monitoring.db"
ALWAYS = ("executor_task_id", "block_id", "manager_id", "launched", "returned")
HOPS = {
    INTERCHANGE: ("interchange_received", "interchange_sent", "interchange_result"),
    MANAGERS: ("manager_got",),
    WORKERS: ("worker_id", "worker_received", "worker_completed", "worker_finished"),
    DATABASE: ("running", "running_ended"),
}


@pytest.mark.parametrize(
    "dropped",
    [
        (),
        (DATABASE,),
        (WORKERS,),
        (DATABASE, WORKERS, MANAGERS),
        (DATABASE, WORKERS, INTERCHANGE),
        (DATABASE, MANAGERS, INTERCHANGE),
    ],
    ids=lambda dropped: ", ".join(name.rpartition("/")[2] for name in dropped) or "nothing",
)
def test_what_is_left_tells_what_it_can(
    made: Path, tmp_path: Path, store: Store, dropped: tuple[str, ...]
) -> None:
    store.import_(made)
    expected = tries(store)
    assert len(expected) == TASKS
    with Store(tmp_path / "less.sqlite3") as less:
        less.import_(without(made, tmp_path, *dropped))
        found = tries(less)
    gone = {column for name in dropped for column in HOPS[name]}
    kept = {column for columns in HOPS.values() for column in columns} - gone
    for whole, left in zip(expected, found, strict=True):
        assert {column: left[column] for column in gone} == dict.fromkeys(gone)
        for column in (*ALWAYS, *kept):
            assert left[column] is not None, column
            if column not in ("launched", "returned"):  # told by two, to different microseconds
                assert left[column] == whole[column], column
    if {DATABASE, INTERCHANGE}.isdisjoint(dropped):
        assert [left["hostname"] for left in found] == [whole["hostname"] for whole in expected]


def test_the_interchange_knows_the_host_where_the_database_is_missing(
    made: Path, tmp_path: Path, store: Store
) -> None:
    store.import_(without(made, tmp_path, DATABASE))
    assert {row["hostname"] for row in tries(store)} == {"node-0", "node-1"}


def test_one_try_is_found_without_reading_the_others(made: Path, store: Store) -> None:
    store.import_(made)
    plan = store.query("EXPLAIN QUERY PLAN SELECT * FROM parsl_try WHERE task_id = 7").all()
    scans = [detail for *_, detail in plan if detail.startswith("SCAN")]
    assert scans == []
