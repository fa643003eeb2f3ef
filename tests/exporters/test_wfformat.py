"""A Parsl run as WfFormat, and read back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dnpcsql.errors import NotFoundError
from dnpcsql.exporters.wfformat import write
from dnpcsql.store import Store
from tests.conftest import CORPUS, Case, corpus

SCHEMA = CORPUS.parent / "wfformat" / "wfcommons-schema.json"
CASES = ["parsl-2026.10.26-killed", "parsl-2025.9.15-elastic", "parsl-2023.12.18-full"]


def exported(store: Store, run: str = "last") -> dict[str, Any]:
    file = io.StringIO()
    write(store, run, file)
    made: dict[str, Any] = json.loads(file.getvalue())
    return made


def check(made: dict[str, Any]) -> None:
    """What WfFormat's schema says, and what it cannot say."""
    tasks = made["workflow"]["specification"]["tasks"]
    by_id = {task["id"]: task for task in tasks}
    assert len(by_id) == len(tasks)
    for task in tasks:
        assert all(task["id"] in by_id[parent]["children"] for parent in task["parents"])
        assert all(task["id"] in by_id[child]["parents"] for child in task["children"])
    execution = made["workflow"].get("execution", {"tasks": []})
    assert {task["id"] for task in execution["tasks"]} <= by_id.keys()
    used = {name for task in execution["tasks"] for name in task.get("machines", [])}
    assert used == {machine["nodeName"] for machine in execution.get("machines", [])}
    if SCHEMA.is_file():
        schema = json.loads(SCHEMA.read_text())
        checker = jsonschema.FormatChecker()
        jsonschema.Draft7Validator(schema, format_checker=checker).validate(made)


@pytest.mark.parametrize("name", CASES)
def test_a_real_run_leaves_and_comes_back(
    store: Store, case: Case, tmp_path: Path, name: str
) -> None:
    store.import_(case(name) / "runinfo")
    made = exported(store)
    check(made)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(made))
    with Store(tmp_path / "back.sqlite3") as back:
        (source,) = back.import_(path).added
        assert source.importer == "wfformat"
        run = store.run("last")
        assert (
            back.query(
                "SELECT name, count(*) FROM span WHERE type = 'wfformat.task' GROUP BY 1 ORDER BY 1"
            ).all()
            == store.query(
                "SELECT app, count(*) FROM parsl_task WHERE run_id = :run GROUP BY 1 ORDER BY 1",
                run=run.id,
            ).all()
        )
        assert (
            back.query("SELECT count(*) FROM link").value()
            == store.query(
                "SELECT count(*) FROM parsl_dependency WHERE run_id = :run", run=run.id
            ).value()
        )
        ours = store.query(
            "SELECT max(running), max(running_ended) FROM parsl_try WHERE run_id = :run "
            "AND running <= running_ended GROUP BY task_id ORDER BY task_id",
            run=run.id,
        ).all()
        theirs = back.query(
            "SELECT start_unix_nano / 1e9, end_unix_nano / 1e9 FROM span "
            "WHERE type = 'wfformat.task' AND end_unix_nano IS NOT NULL "
            "ORDER BY substr(json_extract(attributes, '$.\"wfformat.task.id\"'), -7)"
        ).all()
        if name != "parsl-2026.10.26-killed":
            assert len(theirs) >= len(ours) > 15
        both = {round(start, 4): end for start, end in theirs}
        assert all(abs(both[round(start, 4)] - end) < 1e-4 for start, end in ours)
        (problems,) = back.query("SELECT count(*) FROM problem").all()[0]
        assert problems == 0


def test_a_log_alone_is_enough(store: Store, copy: Case) -> None:
    runinfo = copy("parsl-2023.12.18-full")
    (runinfo / "monitoring.db").unlink()
    store.import_(runinfo)
    file = io.StringIO()
    written = write(store, "last", file)
    check(json.loads(file.getvalue()))
    assert written.executions == {"launched to returned": 68}


def test_a_killed_run_says_so(store: Store, case: Case) -> None:
    store.import_(case("parsl-2026.10.26-killed") / "runinfo")
    made = exported(store)
    assert made["name"] == "killed workflow"
    assert made["description"].endswith("it never ended, as far as is known")
    tasks = made["workflow"]["specification"]["tasks"]
    assert len(tasks) == 23
    assert 0 < len(made["workflow"]["execution"]["tasks"]) < 23
    assert made["workflow"]["execution"]["makespanInSeconds"] > 0


def test_what_a_task_used(store: Store, case: Case) -> None:
    store.import_(case("parsl-2023.12.18-full") / "runinfo")
    tasks = exported(store)["workflow"]["execution"]["tasks"]
    used = [task for task in tasks if "avgCPU" in task]
    assert used
    assert all(0 <= task["avgCPU"] < 1000 and task["writtenBytes"] >= 0 for task in used)
    assert all(task["memoryInBytes"] > 10_000_000 for task in used)


def test_two_runs_leave_one_by_one(store: Store, case: Case) -> None:
    store.import_(case("parsl-2025.9.15-multi") / "runinfo")
    for run in store.runs():
        made = exported(store, run.id)
        check(made)
        assert len(made["workflow"]["specification"]["tasks"]) == run.tasks


def test_a_run_without_tasks_cannot_leave(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-htexalone"))
    with pytest.raises(NotFoundError, match="has no tasks"):
        exported(store)
