"""Blocks, managers and workers: who was there, and how busy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql import Event, Span
from dnpcsql.identity import MONITORING, Names
from dnpcsql.store import Store
from tests.conftest import CORPUS, Case, corpus, facts

RUN = "71d4a751-6867-449f-b893-6b653903b644"
ROUNDING = 1e-5

CASES = sorted(
    folder.name
    for folder in (CORPUS.iterdir() if CORPUS.is_dir() else ())
    if (folder / "expected.json").exists() and folder.name.startswith("parsl-20")
)


def asked_for(known: dict[str, Any]) -> dict[tuple[str | None, str], int]:
    """The workers that a manager of each executor was to have, by run and label."""
    if "htex_alone" in known:
        executor = known["htex_alone"]["executor"]
        return {(None, executor["label"]): executor["max_workers"]}
    return {
        (flow["run_id"], executor["label"]): executor["max_workers"]
        for flow in known.get("workflows", ())
        for executor in flow["executors"]
        if executor["max_workers"] is not None
    }


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("accounts", ["all", "monitoring.db", "logs"])
def test_no_more_workers_are_told_of_than_the_workflow_asked_for(
    name: str, accounts: str, tmp_path: Path, store: Store
) -> None:
    folder = corpus(name)
    asked = asked_for(facts(folder))
    paths = {
        "all": [folder / "runinfo" if (folder / "runinfo").is_dir() else folder],
        "monitoring.db": sorted(folder.glob("runinfo/monitoring.db")),
        "logs": sorted(folder.glob("runinfo/[0-9]*")),
    }[accounts]
    if not asked or not paths:
        pytest.skip("no HTEX workers, or no such account")
    store.import_(*paths)
    managers = store.query("parsl_manager").dicts()
    for manager in managers:
        run = manager["run_id"] if (None, manager["executor"]) not in asked else None
        assert manager["workers"] <= asked[run, manager["executor"]]
    most: dict[str, int] = {}
    for manager in managers:
        most[manager["run_id"]] = most.get(manager["run_id"], 0) + manager["workers"]
    load = store.query("SELECT * FROM worker_load").dicts()
    for step in load:
        allowed = (
            most[step["run_id"]]
            if step["level"] == "run"
            else sum(
                manager["workers"]
                for manager in managers
                if manager["run_id"] == step["run_id"]
                and manager["block_id"] == step["block_id"]
                and manager["executor"] == step["executor"]
                and step["manager_id"] in (None, manager["manager_id"])
            )
        )
        assert 0 <= step["busy"] <= allowed
        assert 0 <= step["connected"] <= allowed
        assert step["idle"] == max(step["connected"] - step["busy"], 0)
    shares = store.query("utilization").dicts()
    assert {share["level"] for share in shares} == (
        {"manager", "block", "run"} if managers else set()
    )
    for share in shares:
        assert share["utilization"] is None or 0 <= share["utilization"] <= 1
        assert share["workers"] <= most[share["run_id"]]


def test_busy_time_is_what_the_apps_saw_and_a_little_more(store: Store) -> None:
    """truth.json counts the apps' bodies alone; a task holds its worker a little longer."""
    folder = corpus("parsl-2026.10.26-longtail")
    (truth,) = json.loads((folder / "truth.json").read_text())["workflows"]
    store.import_(folder)
    workers = store.query("parsl_worker").dicts()
    assert len(workers) == truth["workers_seen"]
    for worker in workers:
        known = truth["workers"][f"{worker['manager_id']}/{worker['worker_id']}"]
        assert worker["tasks"] == known["tasks"]
        assert known["busy_s"] < worker["busy_s"] < known["busy_s"] + 0.2 * known["tasks"]
    (run,) = store.query("SELECT * FROM utilization WHERE level = 'run'").dicts()
    assert run["busy_s"] == pytest.approx(sum(worker["busy_s"] for worker in workers))
    assert run["worker_s"] == pytest.approx(run["busy_s"] + run["idle_s"])


def test_the_workers_of_an_elastic_run_come_and_go(case: Case, store: Store) -> None:
    """2 blocks of 2 workers, none, and 2 blocks again."""
    store.import_(case("parsl-2025.9.15-elastic"))
    (run,) = store.query("SELECT * FROM utilization WHERE level = 'run'").dicts()
    assert (run["managers"], run["workers"]) == (4, 4)
    steps = store.query("SELECT connected FROM worker_load WHERE level = 'run' ORDER BY time").all()
    seen = [connected for (connected,) in steps]
    changes = [now for before, now in zip([0, *seen], seen, strict=False) if now != before]
    assert changes == [2, 4, 2, 0, 2, 4, 2, 0]
    blocks = store.query("SELECT * FROM parsl_block ORDER BY block_id").dicts()
    assert [(block["block_id"], block["state"], block["workers"]) for block in blocks] == [
        (str(number), "SCALED_IN", 2) for number in range(4)
    ]
    for block in blocks:
        assert block["launched"] < block["running"] < block["registered"] < block["ended"]


def test_what_a_killed_run_left_is_neither_ended_nor_lost(store: Store) -> None:
    """Interchange, manager and workers outlived the process that submitted by some seconds."""
    store.import_(corpus("parsl-2026.10.26-killed") / "runinfo")
    (manager,) = store.query("parsl_manager").dicts()
    assert (manager["state"], manager["ended"], manager["workers"]) == ("connected", None, 2)
    (block,) = store.query("parsl_block").dicts()
    assert (block["state"], block["ended"], block["exit_code"]) == ("RUNNING", None, None)
    open_ = store.query("SELECT * FROM parsl_worker_task WHERE finished IS NULL").dicts()
    assert len(open_) == 2
    (run,) = store.query("parsl_run").dicts()
    assert run["last_heard"] < manager["last_heard"]
    assert {task["worker_id"] for task in open_} == {0, 1}
    for task in open_:
        assert task["received"] <= task["freed"] <= manager["last_heard"] + ROUNDING


def test_a_managers_latest_row_counts_never_their_sum(store: Store) -> None:
    """Parsl's own plot of monitoring.db adds up all rows: thousands of workers for a few."""
    names = Names(RUN, MONITORING)
    uuid = names.manager("aafb1402bc0f")
    said = {
        "parsl.manager.id": "aafb1402bc0f",
        "parsl.block.id": "0",
        "parsl.manager.worker_count": 64,
    }
    fewer = json.dumps({"parsl.manager.worker_count": 62})
    store.add(
        [
            Span(uuid, "parsl.monitoring.manager", names.trace_high, attributes=json.dumps(said)),
            *(Event(uuid, second * 10**9, "node_active", second) for second in range(100)),
            Event(uuid, 100 * 10**9, "node_active", 100, attributes=fewer),
            Event(uuid, 101 * 10**9, "node_inactive", 101),
        ]
    )
    assert store.query("SELECT workers, state, ended FROM parsl_manager").all() == [
        (62, "ended", 101.0)
    ]
    assert store.query(
        "SELECT time, connected FROM worker_load WHERE level = 'run' ORDER BY time"
    ).all() == [(0.0, 62), (101.0, 0)]


def test_a_worker_does_one_thing_at_a_time(store: Store) -> None:
    """A task that was never finished holds its worker no longer than until the next."""
    from dnpcsql import Containment
    from dnpcsql.identity import WORKER_LOG

    names = Names(RUN, WORKER_LOG)
    worker = names.worker("aafb1402bc0f", 0)
    tasks = [names.executor_task("htex", number) for number in (1, 2, 3)]
    events = [
        Event(tasks[0], 10 * 10**9, "worker_received_task", 1),
        Event(tasks[1], 15 * 10**9, "worker_received_task", 2),
        Event(tasks[1], 18 * 10**9, "worker_completed_task", 3),
        Event(tasks[2], 20 * 10**9, "worker_received_task", 4),
    ]
    store.add(
        [
            Span(
                worker, "parsl.executor.htex.worker", names.trace_high,
                start_unix_nano=5 * 10**9, end_unix_nano=30 * 10**9,
                attributes='{"parsl.manager.id": "aafb1402bc0f", "parsl.worker.id": 0}',
            ),
            *(Span(task, "parsl.executor.htex.worker.task", names.trace_high) for task in tasks),
            *(Containment(worker, task) for task in tasks),
            *events,
        ]
    )  # fmt: skip
    rows = store.query(
        "SELECT executor_task_id, received, finished, freed FROM parsl_worker_task ORDER BY 1"
    ).all()
    assert rows == [(1, 10.0, None, 15.0), (2, 15.0, 18.0, 18.0), (3, 20.0, None, 30.0)]
    assert store.query("SELECT tasks, busy_s FROM parsl_worker").all() == [(3, 18.0)]


def test_work_queues_worker_was_never_idle(case: Case, store: Store) -> None:
    """Two tasks at once on two cores: 282 s of tasks in 194.4 of the 195.5 s that it was there."""
    store.import_(case("parsl-2026.10.26-workqueue"))
    (worker,) = store.query("parsl_worker").dicts()
    assert worker["worker_id"] == "worker-8c1b8878f8166519e1c1b745e1dac6f4"
    assert (worker["tasks"], worker["cores"], worker["host"]) == (24, 2, "vm")
    shares = store.query("SELECT * FROM utilization ORDER BY level").dicts()
    assert [share["level"] for share in shares] == ["block", "run"]
    for share in shares:
        assert (share["managers"], share["workers"], share["tasks"]) == (0, 1, 24)
        assert share["busy_s"] == pytest.approx(194.419, abs=1e-3)
        assert share["worker_s"] == pytest.approx(195.528, abs=1e-3)
        assert share["task_s"] == pytest.approx(282.029, abs=1e-3)
    load = store.query("SELECT busy, connected FROM worker_load WHERE level = 'run'").all()
    assert {busy for busy, _ in load} == {0, 1}
    tries = store.query(
        "SELECT task_id, try_id, queue_running, queue_waiting_retrieval FROM parsl_try "
        "WHERE queue_running IS NOT NULL ORDER BY 1, 2"
    ).all()
    held = store.query(
        "SELECT task_id, try_id, received, finished FROM parsl_worker_task ORDER BY 1, 2"
    ).all()
    assert held == tries


def test_a_worker_that_is_lost_with_its_task_and_one_that_comes_again(
    tmp_path: Path, store: Store
) -> None:
    """Its task goes to another; the log ends without a word of that one's end."""
    log = tmp_path / "transaction_log"
    log.write_text(
        "".join(
            f"17953316{second:02}000000 7 {rest}\n"
            for second, rest in [
                (0, "MANAGER START"),
                (10, "WORKER worker-a 10.0.0.1:4000  CONNECTION"),
                (11, 'TASK 1 WAITING work FIRST_RESOURCES {"cores":[1,"cores"]}'),
                (12, 'TASK 1 RUNNING 10.0.0.1:4000  FIRST_RESOURCES {"cores":[1,"cores"]}'),
                (20, "WORKER worker-a 10.0.0.1:4000  DISCONNECTION UNKNOWN"),
                (21, 'TASK 1 WAITING work FIRST_RESOURCES {"cores":[1,"cores"]}'),
                (30, "WORKER worker-a 10.0.0.1:4001  CONNECTION"),
                (31, 'TASK 1 RUNNING 10.0.0.1:4001  FIRST_RESOURCES {"cores":[1,"cores"]}'),
                (40, "TASK 1 WAITING_RETRIEVAL 10.0.0.1:4001"),
            ]
        )
    )
    store.import_(log)
    held = store.query(
        "SELECT received - 1795331600, finished - 1795331600, freed - 1795331600 "
        "FROM parsl_worker_task ORDER BY received"
    ).all()
    assert held == [(12, None, 21), (31, 40, 40)]
    there = store.query(
        "SELECT worker_id, connected - 1795331600, gone - 1795331600 FROM worker_capacity"
    ).all()
    assert there == [("worker-a", 10, 20), ("worker-a", 30, 40)]


def test_workers_whose_manager_no_file_tells_of_have_their_own_logs(store: Store) -> None:
    from dnpcsql.identity import WORKER_LOG

    names = Names(RUN, WORKER_LOG)
    store.add(
        Span(
            names.worker("aafb1402bc0f", number), "parsl.executor.htex.worker", names.trace_high,
            start_unix_nano=5 * 10**9, end_unix_nano=(10 + number) * 10**9,
            attributes=json.dumps({"parsl.manager.id": "aafb1402bc0f", "parsl.worker.id": number}),
        )
        for number in (0, 1)
    )  # fmt: skip
    assert store.query(
        "SELECT worker_id, workers, connected, gone FROM worker_capacity ORDER BY 1"
    ).all() == [(0, 1, 5.0, 10.0), (1, 1, 5.0, 11.0)]


@pytest.mark.parametrize("name", CASES)
def test_statistics_say_what_the_view_says(name: str, store: Store) -> None:
    """One answer to: are my workers busy?"""
    store.import_(corpus(name))
    for run in store.query("SELECT run_id FROM parsl_run").all():
        used = store.statistics(run[0]).workers
        assert used is not None
        said = store.query(
            "SELECT workers, busy_s, worker_s FROM utilization "
            "WHERE level = 'run' AND run_id = :run",
            run=run[0],
        ).all()
        if not said:
            assert not used.workers
            continue
        (most, busy, there) = said[0]
        assert used.connected.peak == most
        assert used.busy_s == pytest.approx(busy, abs=1e-3)
        assert used.connected_s == pytest.approx(there, abs=1e-3)
