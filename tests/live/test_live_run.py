"""A run of the Parsl that is installed, held against what the script that ran it knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import dnpcsql

pytest.importorskip("parsl", reason="the test extra brings Parsl")

WORKFLOW = Path(__file__).with_name("workflow.py")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the workflow ran."""
    place = tmp_path_factory.mktemp("live")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(WORKFLOW), str(place)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return place


@pytest.fixture(scope="module")
def facts(place: Path) -> dict[str, Any]:
    """What the script knew."""
    found: dict[str, Any] = json.loads((place / "facts.json").read_text())
    return found


@pytest.fixture(scope="module", params=["everything", "logs only", "monitoring only"])
def store(place: Path, request: pytest.FixtureRequest) -> dnpcsql.Store:
    """The run, imported whole or in part."""
    store = dnpcsql.open(place / f"{request.param}.sqlite3")
    wanted = {
        "everything": place / "runinfo",
        "logs only": place / "runinfo" / "000",
        "monitoring only": place / "runinfo" / "monitoring.db",
    }
    store.import_(wanted[request.param])
    return store


def test_the_run_is_there_and_has_ended(store: dnpcsql.Store, facts: dict[str, Any]) -> None:
    run = store.run("last")
    assert (run.id, run.tasks) == (facts["run_id"], len(facts["tasks"]))
    assert run.ended is not None


def test_every_task_has_the_state_that_its_future_had(
    store: dnpcsql.Store, facts: dict[str, Any]
) -> None:
    known = {None: "exec_done", "DependencyError": "dep_fail"}
    expected = Counter(
        (task["app"], known.get(task["error"], "failed")) for task in facts["tasks"].values()
    )
    assert Counter(store.query("SELECT app, state FROM parsl_task").all()) == expected


def test_retries_and_a_killed_worker_make_second_tries(store: dnpcsql.Store) -> None:
    tries = store.query(
        "SELECT DISTINCT app, tries FROM parsl_task WHERE app <> 'work' ORDER BY app"
    )
    assert tries.all() == [("broken", 2), ("deadly", 2), ("flaky", 2), ("think", 1)]


def test_each_try_is_tied_to_the_worker_that_ran_it(
    store: dnpcsql.Store, facts: dict[str, Any]
) -> None:
    ran = {int(task): told["inside"] for task, told in facts["tasks"].items() if told["inside"]}
    rows = store.query(
        "SELECT task_id, block_id, manager_id, worker_id, worker_received, worker_completed, "
        "running, running_ended FROM parsl_try"
    )
    seen = {row[0]: row[1:] for row in rows if row[0] in ran}
    assert seen.keys() == ran.keys()
    for task, inside in ran.items():
        block, manager, worker, received, completed, running, ended = seen[task]
        assert block == inside["block"]
        if received is not None:
            assert (manager, str(worker)) == (inside["manager"], inside["worker"])
            assert received <= inside["start"] <= inside["end"] <= completed + 0.001
        if running is not None:
            assert running <= inside["start"] <= inside["end"] <= ended + 0.001
        assert received is not None or running is not None


def test_it_was_all_understood(store: dnpcsql.Store) -> None:
    kinds = [row[0] for row in store.query("SELECT kind FROM problem_summary")]
    assert set(kinds) <= {"no zone"}
