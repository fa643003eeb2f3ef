from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import fixed
from dnpcsql.identity import MANAGER_LOG, PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.manager_log import manager_log
from dnpcsql.records import Containment, Event, Problem, Record, Span

RUN = "71d4a751-6867-449f-b893-6b653903b644"
UID = "91365d3eae4d"
PLACE = Context(run_id=RUN, label="htex", block_id="0", manager_uid=UID, clock=fixed(0, "told"))
NAMES, PARSL = Names(RUN, MANAGER_LOG), Names(RUN, PARSL_LOG)
EPOCH = 1795331217
CONFIGURATION = f"""
  Python version: 3.11.7 (main, May  9 2026, 07:35:25) [GCC 12.2.0]
  Debug logging: True
  Certificates dir: None
  Log dir: /tmp/run/runinfo/000/htex
  Manager ID: {UID}
  Block ID: 0
  cores_per_worker: 0.1
  mem_per_worker: None
  max_workers_per_node: inf
  poll_period: 10
  Prefetch capacity: 0
  Heartbeat threshold: 60
  CPU affinity: none
  Accelerators: """


def a(message: str, second: float = 0.0) -> str:
    """Shape A: since 2026-01."""
    return (
        f"{EPOCH + second:.6f} 2026-11-22 07:06:57 MainProcess-16802 "
        "Interchange-Communicator-140400161900224 parsl.executors.high_throughput."
        f"process_worker_pool:393 interchange_communicator DEBUG: {message}"
    )


def c(message: str) -> str:
    """Shape C: 2022 to 2026-01."""
    return f"2026-11-22 07:06:48.125 parsl:281 16651 Task-Puller [DEBUG]  {message}"


def d(message: str) -> str:
    """Shape D: 1.2.0."""
    return f"2021-12-01 07:14:20.434 parsl:274 Rank:0 [DEBUG]  {message}"


def read(tmp_path: Path, *lines: str, context: Context = PLACE) -> list[Record]:
    path = tmp_path / "manager.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(manager_log(path, context))


def manager(records: list[Record]) -> tuple[Span, dict[str, Any]]:
    (span,) = (r for r in records if isinstance(r, Span) and r.type.endswith(".manager"))
    return span, json.loads(span.attributes or "")


def happened(records: list[Record]) -> list[tuple[str, str]]:
    return [(r.span_uuid[-8:], r.type) for r in records if isinstance(r, Event)]


@pytest.mark.parametrize(
    "line",
    [
        a("Got executor tasks: [1, 2], cumulative count of tasks: 2"),
        c("Got executor tasks: [1, 2], cumulative count of tasks: 2"),
        d("[TASK_PULL_THREAD] Got tasks: [1, 2] of 2"),
    ],
    ids=["2026", "2023", "1.2.0"],
)
def test_tasks_arrive_in_the_words_of_each_era(tmp_path: Path, line: str) -> None:
    records = read(tmp_path, line)
    tasks = [NAMES.executor_task("htex", number) for number in (1, 2)]
    arrived = [r.span_uuid for r in records if isinstance(r, Event)]
    assert arrived == tasks
    for number, task in enumerate(tasks, 1):
        assert Containment(PARSL.executor_task("htex", number), task) in records
        assert Containment(NAMES.manager(UID), task) in records
    assert {r.type for r in records if isinstance(r, Event)} == {"manager_got_task"}


def test_the_configuration_of_many_lines_is_read(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a(CONFIGURATION),
        a("Manager initializing", 1),
        a("Manager will spawn 2 workers", 2),
        a("No incoming tasks", 7),
    )
    span, attributes = manager(records)
    assert attributes == {
        "process.runtime.version": "3.11.7 (main, May  9 2026, 07:35:25) [GCC 12.2.0]",
        "parsl.manager.debug": True,
        "parsl.manager.log_dir": "/tmp/run/runinfo/000/htex",
        "parsl.manager.id": UID,
        "parsl.block.id": "0",
        "parsl.manager.cores_per_worker": 0.1,
        "parsl.manager.max_workers": "inf",
        "parsl.manager.poll_period_ms": 10,
        "parsl.manager.prefetch_capacity": 0,
        "parsl.manager.heartbeat_threshold_s": 60,
        "parsl.manager.worker_count": 2,
        "parsl.executor.label": "htex",
    }
    assert (span.start_unix_nano, span.end_unix_nano) == (EPOCH * 10**9, (EPOCH + 7) * 10**9)
    assert span.parent_uuid == PARSL.block("htex", "0")
    assert Containment(PARSL.block("htex", "0"), span.uuid) in records


def test_the_configuration_of_a_record_a_line_is_read(tmp_path: Path) -> None:
    lines = [c(line.strip()) for line in CONFIGURATION.strip().split("\n")]
    span, attributes = manager(read(tmp_path, *lines, c("Manager started")))
    assert attributes["parsl.manager.id"] == UID
    assert attributes["parsl.manager.cores_per_worker"] == 0.1
    assert span.uuid == NAMES.manager(UID)


def test_a_log_torn_from_its_tree_tells_what_it_belonged_to(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a(CONFIGURATION),
        a("Got executor tasks: [7], cumulative count of tasks: 1"),
        context=Context(run_id=RUN),
    )
    span, attributes = manager(records)
    assert span.uuid == NAMES.manager(UID)
    assert attributes["parsl.executor.label"] == "htex"
    assert span.parent_uuid == PARSL.block("htex", "0")
    assert [r.span_uuid for r in records if isinstance(r, Event)] == [
        NAMES.executor_task("htex", 7)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [
            a("Worker 1 has died"),
            a("Worker 1 was busy when it died", 1),
            a("Putting exception for executor task 7 in the pending result queue", 2),
            a("Worker 1 has been restarted", 3),
        ],
        [
            d("[WORKER_WATCHDOG_THREAD] Worker 1 has died"),
            d("[WORKER_WATCHDOG_THREAD] Worker 1 was busy when it died"),
            d("[WORKER_WATCHDOG_THREAD] Putting exception for task 7 in the pending result queue"),
            d("[WORKER_WATCHDOG_THREAD] Worker 1 has been restarted"),
        ],
    ],
    ids=["2026", "1.2.0"],
)
def test_a_lost_worker(tmp_path: Path, lines: list[str]) -> None:
    records = read(tmp_path, *lines)
    own = NAMES.manager(UID)[-8:]
    assert happened(records) == [
        (own, "worker_died"),
        ("00000007", "manager_lost_worker"),
        (own, "worker_restarted"),
    ]
    died = next(r for r in records if isinstance(r, Event))
    assert json.loads(died.attributes or "") == {"parsl.worker.id": 1}


def test_the_manager_s_own_life(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Manager initializing"),
        a("Requesting drain", 1),
        a("Missing contact with interchange beyond heartbeat_threshold", 2),
        a("Got shutdown message from interchange - setting kill flag", 3),
        a("Process worker pool exiting normally", 4),
    )
    assert [type_ for _, type_ in happened(records)] == [
        "started", "drain_requested", "interchange_lost", "stop_received", "exiting",
    ]  # fmt: skip


def test_new_words_are_a_warning(tmp_path: Path) -> None:
    records = read(tmp_path, a("Got executor tasks: [1], cumulative count of tasks: 1"))
    missing = [r.text for r in records if isinstance(r, Problem) and r.kind == "message missing"]
    assert len(missing) == 2
    assert "configuration" in missing[0]
