from __future__ import annotations

import json
from pathlib import Path

import pytest

from dnpcsql.clock import fixed
from dnpcsql.identity import MANAGER_LOG, PARSL_LOG, WORKER_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.worker_log import worker_log
from dnpcsql.records import Containment, Event, Problem, Record, Span

RUN = "71d4a751-6867-449f-b893-6b653903b644"
UID = "91365d3eae4d"
PLACE = Context(run_id=RUN, label="htex", block_id="0", manager_uid=UID, clock=fixed(0, "told"))
NAMES, PARSL, MANAGERS = (Names(RUN, teller) for teller in (WORKER_LOG, PARSL_LOG, MANAGER_LOG))
EPOCH = 1795331227
FULL = ["worker_received_task", "worker_completed_task", "worker_all_finished_task"]


def a(message: str, second: float = 0.0, pid: int = 17071) -> str:
    """Shape A: since 2026-01."""
    return (
        f"{EPOCH + second:.6f} 2026-11-22 07:07:07 HTEX-Worker-0-{pid} MainThread-139671969479552 "
        f"parsl.executors.high_throughput.process_worker_pool:775 worker INFO: {message}"
    )


def c(message: str) -> str:
    """Shape C: 2022 to 2026-01."""
    return f"2026-11-22 07:06:52.046 worker_log:642 16704 MainThread [INFO]  {message}"


def d(message: str) -> str:
    """Shape D: 1.2.0."""
    return f"2021-12-01 07:14:21.530 worker_log:530 Rank:0 [INFO]  {message}"


def read(
    tmp_path: Path, *lines: str, context: Context = PLACE, name: str = "worker_0.log"
) -> list[Record]:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(worker_log(path, context))


def events(records: list[Record], uuid: str) -> list[str]:
    return [r.type for r in records if isinstance(r, Event) and r.span_uuid == uuid]


@pytest.mark.parametrize(
    ("lines", "pid", "expected"),
    [
        (
            [
                a("Worker 0 started"),
                a("Received executor task 5"),
                a("Completed executor task 5"),
                a("All processing finished for executor task 5"),
            ],
            17071,
            FULL,
        ),
        (
            [
                c("Worker 0 started"),
                c("Received executor task 5"),
                c("Completed executor task 5"),
                c("All processing finished for executor task 5"),
            ],
            16704,
            FULL,
        ),
        (
            [d("Worker 0 started"), d("Received task 5"), d("Completed task 5")],
            None,
            FULL[:2],
        ),
    ],
    ids=["2026", "2023", "1.2.0"],
)
def test_a_task_runs_in_the_words_of_each_era(
    tmp_path: Path, lines: list[str], pid: int | None, expected: list[str]
) -> None:
    records = read(tmp_path, *lines)
    task = NAMES.executor_task("htex", 5)
    assert events(records, task) == expected
    assert Containment(PARSL.executor_task("htex", 5), task) in records
    assert Containment(NAMES.worker(UID, 0), task) in records
    assert Containment(MANAGERS.manager(UID), NAMES.worker(UID, 0)) in records
    (worker,) = (r for r in records if isinstance(r, Span) and r.type.endswith(".worker"))
    told = json.loads(worker.attributes or "")
    assert told.pop("process.pid", None) == pid
    assert told == {
        "parsl.worker.id": 0,
        "parsl.manager.id": UID,
        "parsl.block.id": "0",
        "parsl.executor.label": "htex",
    }
    assert not [r for r in records if isinstance(r, Problem)]


def test_a_killed_worker_is_followed_by_another_process(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Worker 0 started", 0),
        a("Received executor task 5", 1),
        a("Worker 0 started", 20, pid=17999),
        a("Received executor task 6", 21, pid=17999),
        a("Completed executor task 6", 22, pid=17999),
    )
    started = [
        json.loads(r.attributes or "")["process.pid"]
        for r in records
        if isinstance(r, Event) and r.type == "worker_started"
    ]
    assert started == [17071, 17999]
    assert events(records, NAMES.executor_task("htex", 5)) == FULL[:1]
    assert events(records, NAMES.executor_task("htex", 6)) == FULL[:2]


def test_a_worker_notices_that_its_manager_died(tmp_path: Path) -> None:
    records = read(tmp_path, a("Manager (27470) died; worker 0 shutting down"))
    assert events(records, NAMES.worker(UID, 0)) == ["manager_died"]


def test_the_number_comes_from_the_file_s_name_or_else_from_the_start(tmp_path: Path) -> None:
    twelve = NAMES.worker(UID, 12)
    records = read(tmp_path, a("Received executor task 5"), name="worker_12.log")
    assert Containment(twelve, NAMES.executor_task("htex", 5)) in records
    records = read(tmp_path, a("Worker 12 started"), a("Received executor task 5"), name="copy")
    assert Containment(twelve, NAMES.executor_task("htex", 5)) in records


def test_a_worker_lasts_from_its_first_record_to_its_last(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Worker 0 started", 0),
        a("Normal ending for send_first_message on thread MainThread", 3),
    )
    (worker,) = (r for r in records if isinstance(r, Span))
    assert (worker.start_unix_nano, worker.end_unix_nano) == (EPOCH * 10**9, (EPOCH + 3) * 10**9)


def test_new_words_are_a_warning(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Worker 0 started"),
        a("Picked up executor task 5"),
        a("Completed executor task 5"),
    )
    (problem,) = (r for r in records if isinstance(r, Problem))
    assert problem.kind == "message missing"
    assert "no `received` before `completed`" in problem.text
