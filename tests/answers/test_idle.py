from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnpcsql.analyses.idleness import CAUSES, DEPENDENCIES, NOTHING, UNFINISHED
from dnpcsql.answers.idle import findings
from dnpcsql.cli import cli
from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from tests.answers.test_clocks import ONE_HOST
from tests.conftest import Case, corpus

EVERY = (*ONE_HOST, "parsl-2026.10.26-skew")


@pytest.mark.parametrize("name", EVERY)
def test_idle_is_what_was_there_less_what_was_busy(store: Store, name: str) -> None:
    folder = corpus(name)
    packed = folder / "runinfo.tar.xz"
    store.import_(packed if packed.exists() else folder / "runinfo")
    for run in store.runs():
        found = store.idle(run.id)
        assert found.capacity_ns == found.busy_ns + sum(found.causes_ns.values())
        assert found.capacity_ns == sum(worker.capacity_ns for worker in found.workers)
        assert found.busy_ns == sum(worker.busy_ns for worker in found.workers) > 0
        assert list(found.causes_ns) == list(CAUSES)
        assert all(lasts >= 0 for lasts in found.causes_ns.values())
        # What the view says too, which reads the worker logs by itself.
        held = store.query(
            "SELECT sum(freed - received) FROM parsl_worker_task WHERE run_id = :run", run=run.id
        ).value()
        assert found.busy_ns / 1e9 == pytest.approx(held, abs=1e-3)


def test_workers_agree_with_the_clocks_of_the_apps(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    store.import_(folder / "runinfo.tar.xz")
    (truth,) = json.loads((folder / "truth.json").read_text())["workflows"]
    found = store.idle()
    (executor,) = found.executors
    assert executor.peak_busy == truth["peak_concurrency"]
    assert executor.workers == truth["workers_seen"]
    makespan = (executor.ends - executor.begins) / 1e9
    assert makespan == pytest.approx(truth["makespan_s"], rel=0.02)
    for worker in found.workers:
        known = truth["workers"][f"{worker.manager}/{worker.worker}"]
        assert worker.tasks == known["tasks"]
        # A task holds its worker for longer than its body runs: Parsl's monitoring wraps it, by
        # 0.1 s, and the logs do not tell when a body ended.
        wrapped = (worker.busy_ns / 1e9 - known["busy_s"]) / worker.tasks
        assert 0.05 < wrapped < 0.15


def test_a_chain_keeps_all_other_workers_idle(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-longtail") / "runinfo.tar.xz")
    causes = store.idle().causes_ns
    assert max(causes, key=lambda cause: causes[cause]) == DEPENDENCIES


def test_a_killed_run_leaves_workers_with_tasks_never_heard_of_again(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-killed") / "runinfo")
    found = store.idle()
    # Both workers had one when the submitting process was killed, 11 s before their manager ended.
    assert found.causes_ns[UNFINISHED] / 1e9 == pytest.approx(22.567, abs=0.01)
    assert found.causes_ns[NOTHING] / 1e9 < 0.1
    heaviest = max(findings(found), key=lambda said: said.weight)
    assert "they had a task of which nothing more was heard" in heaviest.sentence


def test_other_clocks_are_allowed_for(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-skew") / "runinfo")
    assert "node-a, node-b" in store.idle().notes[0]


@pytest.mark.parametrize("left_out", ["monitoring.db", "parsl.log", "interchange.log", "worker_"])
def test_what_is_left_of_a_run_adds_up_too(tmp_path: Path, store: Store, left_out: str) -> None:
    runinfo = tmp_path / "runinfo"
    shutil.copytree(corpus("parsl-2026.10.26-full") / "runinfo", runinfo)
    for path in runinfo.rglob(f"{left_out}*"):
        path.unlink()
    store.import_(runinfo)
    found = store.idle()
    assert found.capacity_ns == found.busy_ns + sum(found.causes_ns.values()) > 0
    if left_out == "worker_":
        assert "no worker logs" in found.notes[0]
        assert [worker.worker for worker in found.workers] == ["0-1"]


def test_monitoring_db_alone(case: Case, store: Store) -> None:
    store.import_(case("parsl-2023.12.18-full") / "runinfo" / "monitoring.db")
    found = store.idle()
    assert found.capacity_ns == found.busy_ns + sum(found.causes_ns.values()) > 0
    assert any("no executor logs" in said for said in found.notes)


def test_no_workers_are_told_of(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-workqueue") / "runinfo")
    with pytest.raises(NotFoundError, match="no file tells of workers"):
        store.idle()


def test_the_command(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-full") / "runinfo")
    database = ["--db", str(store.path), "idle"]
    shown = CliRunner().invoke(cli, database).output
    assert "htex: 2 workers, 2 busy at the most" in shown
    rows = list(
        csv.DictReader(io.StringIO(CliRunner().invoke(cli, [*database, "--format", "csv"]).output))
    )
    *parts, whole = [int(row["lasts_ns"]) for row in rows]
    assert sum(parts) == whole
    assert "manager" in CliRunner().invoke(cli, [*database, "--workers"]).output
