"""transaction_log, line by line: real lines of both generations, and what no real run shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.identity import PARSL_LOG, WORK_QUEUE, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.workqueue_log import is_taskvine, is_workqueue, transaction_log
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

RUN = "f3773e4f-7d74-465c-9f18-01d2eb25b328"
IN_RUN = Context(run_id=RUN, label="wq")
NAMES, PARSL = Names(RUN, WORK_QUEUE), Names(RUN, PARSL_LOG)
ALONE = Names("work queue manager 1000000 7", WORK_QUEUE)
MANAGER = NAMES.manager("wq")
WORKER, OTHER = NAMES.worker("wq worker-a", 0), NAMES.worker("wq worker-b", 0)

START = "1000000 7 MANAGER START"
CONNECTED = "1000001 7 WORKER worker-a 10.0.0.1:41548  CONNECTION"
WAITING = '1000002 7 TASK 1 WAITING work FIRST_RESOURCES {"memory":[500,"MB"],"cores":[1,"cores"]}'
RUNNING = '1000003 7 TASK 1 RUNNING 10.0.0.1:41548  FIRST_RESOURCES {"cores":[2,"cores"]}'
BACK = "1000004 7 TASK 1 WAITING_RETRIEVAL 10.0.0.1:41548 "
RETRIEVED = '1000005 7 TASK 1 RETRIEVED SUCCESS  0  {} {"wq_output_time":[0.000235,"s"]}'
DONE = "1000006 7 TASK 1 DONE SUCCESS  0  {} {}"


def read(tmp_path: Path, *lines: str, context: Context = IN_RUN) -> list[Record]:
    path = tmp_path / "transaction_log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(transaction_log(path, context))


def of(records: list[Record], kind: type) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def events(records: list[Record], uuid: str) -> list[tuple[int, str, dict[str, Any]]]:
    return [
        (event.time_unix_nano // 1000, event.type, json.loads(event.attributes or "{}"))
        for event in of(records, Event)
        if event.span_uuid == uuid
    ]


def span(records: list[Record], uuid: str) -> dict[str, Any]:
    """A span after all that was said of it, as the store has it."""
    told: dict[str, Any] = {}
    for record in of(records, Span):
        if record.uuid == uuid:
            told |= {name: value for name, value in record._asdict().items() if value is not None}
    return told


def test_the_life_of_a_task(tmp_path: Path) -> None:
    records = read(tmp_path, START, CONNECTED, WAITING, RUNNING, BACK, RETRIEVED, DONE)
    task = NAMES.queue_task("wq", 1)
    assert task.endswith("00000001")
    assert events(records, task) == [
        (
            1000002,
            "WAITING",
            {"workqueue.requested.memory_mb": 500, "workqueue.requested.cores": 1},
        ),
        (
            1000003,
            "RUNNING",
            {
                "workqueue.worker.id": "worker-a",
                "workqueue.worker.address": "10.0.0.1:41548",
                "workqueue.allocated.cores": 2,
            },
        ),
        (1000004, "WAITING_RETRIEVAL", {}),
        (
            1000005,
            "RETRIEVED",
            {
                "workqueue.result": "SUCCESS",
                "process.exit.code": 0,
                "workqueue.measured.wq_output_time_s": 0.000235,
            },
        ),
        (1000006, "DONE", {"workqueue.result": "SUCCESS", "process.exit.code": 0}),
    ]
    told = span(records, task)
    assert (told["type"], told["name"], told["parent_uuid"]) == ("workqueue.task", "work", MANAGER)
    assert (told["end_unix_nano"], told["status_code"]) == (1000006000, 1)
    assert Containment(WORKER, task) in records
    assert Containment(MANAGER, task) in records
    assert of(records, Tally) == [Tally(7, 7, 7, {}, None, "its times are epochs")]
    assert not of(records, Problem)


def test_the_manager_lies_in_the_executor_and_has_the_workers(tmp_path: Path) -> None:
    records = read(tmp_path, START, CONNECTED, "1000009 7 MANAGER END")
    told = span(records, MANAGER)
    assert told["type"] == "workqueue.manager"
    assert (told["start_unix_nano"], told["end_unix_nano"]) == (1000000000, 1000009000)
    assert json.loads(told["attributes"]) == {"parsl.executor.label": "wq", "process.pid": 7}
    assert Containment(PARSL.executor("wq"), MANAGER) in records
    assert Containment(MANAGER, WORKER) in records
    worker = span(records, WORKER)
    assert worker["type"] == "workqueue.worker"
    assert "end_unix_nano" not in worker, "it did not go, as far as is told"


def test_transfers_of_version_7_are_events_of_their_task(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        START,
        WAITING,
        "1000003 7 TRANSFER INPUT 1 1 0.009184 0.000053 exec_parsl function.py",
        "1000004 7 TRANSFER OUTPUT 1 0 0.000005 0.000199 result",
    )
    assert events(records, NAMES.queue_task("wq", 1))[1:] == [
        (
            1000003,
            "TRANSFER_INPUT",
            {
                "file.name": "exec_parsl function.py",
                "workqueue.transfer.size_mb": 0.009184,
                "workqueue.transfer.time_s": 0.000053,
                "workqueue.transfer.cached": True,
            },
        ),
        (
            1000004,
            "TRANSFER_OUTPUT",
            {
                "file.name": "result",
                "workqueue.transfer.size_mb": 0.000005,
                "workqueue.transfer.time_s": 0.000199,
                "workqueue.transfer.cached": False,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("DONE SUCCESS  3  {} {}", 2, "exit code 3"),
        ("DONE SIGNAL  9  {} {}", 2, "SIGNAL"),
        ('DONE RESOURCE_EXHAUSTION  1  {"memory":[500,"MB"]} {}', 2, "RESOURCE_EXHAUSTION"),
        ("CANCELED", 2, "CANCELED"),
        ("DONE SUCCESS  0  {} {}", 1, None),
    ],
)
def test_a_result_is_the_managers_and_an_exit_code_the_tasks(
    tmp_path: Path, line: str, status: int, message: str | None
) -> None:
    told = span(
        read(tmp_path, START, WAITING, f"1000009 7 TASK 1 {line}"), NAMES.queue_task("wq", 1)
    )
    assert (told["status_code"], told.get("status_message")) == (status, message)
    assert told["end_unix_nano"] == 1000009000


def test_a_task_whose_worker_is_lost_runs_again_elsewhere(tmp_path: Path) -> None:
    """As in a run of ours with no Parsl: DISCONNECTION FAILURE, WAITING, RUNNING elsewhere."""
    records = read(
        tmp_path,
        START,
        CONNECTED,
        WAITING,
        RUNNING,
        "1000004 7 WORKER worker-a 10.0.0.1:41548  DISCONNECTION FAILURE",
        "1000005 7 TASK 1 WAITING work FIRST_RESOURCES {}",
        "1000006 7 WORKER worker-b 10.0.0.2:5  CONNECTION",
        "1000007 7 TASK 1 RUNNING 10.0.0.2:5  FIRST_RESOURCES {}",
        "1000008 7 TASK 1 DONE SUCCESS  0  {} {}",
    )
    task = NAMES.queue_task("wq", 1)
    assert [(time, type_) for time, type_, _ in events(records, task)] == [
        (1000002, "WAITING"),
        (1000003, "RUNNING"),
        (1000005, "WAITING"),
        (1000007, "RUNNING"),
        (1000008, "DONE"),
    ]
    assert Containment(WORKER, task) in records
    assert Containment(OTHER, task) in records
    assert span(records, WORKER)["end_unix_nano"] == 1000004000
    assert events(records, WORKER)[-1] == (
        1000004,
        "DISCONNECTION",
        {"workqueue.worker.address": "10.0.0.1:41548", "workqueue.reason": "FAILURE"},
    )


def test_a_worker_that_connects_again_is_the_same_one(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        START,
        CONNECTED,
        "1000002 7 WORKER worker-a 10.0.0.1:41548  DISCONNECTION UNKNOWN",
        "1000003 7 WORKER worker-b 10.0.0.1:41548  CONNECTION",
        "1000004 7 WORKER worker-a 10.0.0.1:41549  CONNECTION",
        '1000005 7 WORKER worker-a RESOURCES {"memory":[2000,"MB"],"cores":[2,"cores"]}',
        "1000006 7 TASK 1 WAITING f FIRST_RESOURCES {}",
        "1000007 7 TASK 1 RUNNING 10.0.0.1:41548  FIRST_RESOURCES {}",
    )
    worker = span(records, WORKER)
    assert "end_unix_nano" not in worker
    assert json.loads(worker["attributes"]) == {
        "workqueue.worker.id": "worker-a",
        "workqueue.worker.address": "10.0.0.1:41549",
        "workqueue.worker.connections": 2,
        "workqueue.worker.memory_mb": 2000,
        "workqueue.worker.cores": 2,
    }
    task = NAMES.queue_task("wq", 1)
    assert Containment(OTHER, task) in records, "the port was another's by then"
    assert Containment(WORKER, task) not in records


def test_categories_are_events_of_the_manager(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        START,
        '1000001 7 CATEGORY my apps MAX {"cores":[2,"cores"]}',
        '1000002 7 CATEGORY my apps FIRST MIN_WASTE {"cores":[1,"cores"]}',
    )
    assert events(records, MANAGER)[1:] == [
        (1000001, "CATEGORY_MAX", {"workqueue.category": "my apps", "workqueue.limit.cores": 2}),
        (
            1000002,
            "CATEGORY_FIRST",
            {
                "workqueue.category": "my apps",
                "workqueue.allocation.mode": "MIN_WASTE",
                "workqueue.limit.cores": 1,
            },
        ),
    ]


def test_alone_a_manager_is_a_run_of_its_own(tmp_path: Path) -> None:
    records = read(tmp_path, START, WAITING, context=Context())
    task = ALONE.queue_task("", 1)
    assert span(records, task)["parent_uuid"] == ALONE.manager("")
    assert not of(records, Problem), "Work Queue needs no Parsl around it"


def test_several_managers_in_one_file_are_told_apart(tmp_path: Path) -> None:
    """Two processes at a time, and one of them started again under the same number."""
    lines = (
        START,
        "1000001 8 MANAGER START",
        "1000002 7 TASK 1 WAITING a FIRST_RESOURCES {}",
        "1000003 8 TASK 1 WAITING b FIRST_RESOURCES {}",
        "1000004 7 MANAGER END",
        "1000005 7 MANAGER START",
        "1000006 7 TASK 1 WAITING c FIRST_RESOURCES {}",
    )
    alone = read(tmp_path, *lines, context=Context())
    for start, pid, name in ((1000000, 7, "a"), (1000001, 8, "b"), (1000005, 7, "c")):
        names = Names(f"work queue manager {start} {pid}", WORK_QUEUE)
        assert span(alone, names.queue_task("", 1))["name"] == name
    in_run = read(tmp_path, *lines)
    tasks = {record.uuid for record in of(in_run, Span) if record.type == "workqueue.task"}
    assert len(tasks) == 3
    assert {uuid[-8:] for uuid in tasks} == {"00000001"}
    assert NAMES.queue_task("wq", 1) in tasks, "the first one's go by the executor's label"


def test_a_log_whose_beginning_is_lost_tells_what_is_left(tmp_path: Path) -> None:
    records = read(tmp_path, RUNNING, BACK, RETRIEVED, DONE)
    task = NAMES.queue_task("wq", 1)
    told = span(records, task)
    assert (told["type"], told["status_code"]) == ("workqueue.task", 1)
    nameless = NAMES.worker("wq 10.0.0.1:41548", 0)
    assert Containment(nameless, task) in records
    assert [(problem.kind, problem.line) for problem in of(records, Problem)] == [
        ("beginning lost", 1),
        ("worker unknown", 1),
    ]


HOSTILE = (
    "",
    "no such line",
    "1000000 7",
    "1000000 7 TASK",
    "1000000 7 TASK 1",
    "1000000 7 TASK -1 DONE",
    f"1000000 7 TASK {'9' * 5000} WAITING f FIRST_RESOURCES {{}}",
    f"{'9' * 5000} 7 TASK 1 WAITING f FIRST_RESOURCES {{}}",
    "99999999999999999999 7 TASK 1 DONE SUCCESS 0",
    "-5 7 MANAGER START",
    "1000000 x MANAGER START",
    "1000000 7 MANAGER",
    "1000000 7 MANAGER STAR",
    "1000000 7 WORKER",
    "1000000 7 WORKER w",
    "1000000 7 WORKER w x DISCO",
    "1000000 7 CATEGORY FIRST {}",
    "1000000 7 CATEGORY {}",
    "1000000 7 TRANSFER INPUT x 0 1 1 f",
    "1000000 7 TASK 1 FLYING somewhere",
    "1000000 7 TASK 1 WAITING f",
    '1000000 7 TASK 1 WAITING f FIRST_RESOURCES {"memory":[500,"MB"}',
    "1000000 7 TASK 1 WAITING f FIRST_RESOURCES " + '{"a":' * 5_000 + "}" * 5_000,
    f'1000000 7 TASK 1 WAITING f FIRST_RESOURCES {{"a":{"9" * 10_000}}}',
    "1000000 7 TASK 1 RUNNING " + " " * 100_000 + "x",
    "1000000 7 TASK 1 WAITING " + " " * 100_000 + "x",
    "1000000 7 CATEGORY " + " " * 100_000 + "x",
    "1000000 7 TRANSFER INPUT 1 0 " + "9" * 100_000,
    "1000000 7 NOTHING known here",
    "²000000 ² TASK ² WAITING f FIRST_RESOURCES {}",
    "\0\0\0",
)


def test_hostile_lines_are_counted_and_the_others_read(tmp_path: Path) -> None:
    lines = [START, *HOSTILE, "1000001 7 TASK 2 WAITING f FIRST_RESOURCES {}"]
    records = read(tmp_path, *lines)
    (tally,) = of(records, Tally)
    problems = sum(problem.times for problem in of(records, Problem))
    unknown = sum(count for count, _ in tally.messages.values())
    blank = 1
    assert tally.records == len(lines) - blank
    assert tally.understood == 2
    assert problems + unknown == tally.records - tally.understood
    assert span(records, NAMES.queue_task("wq", 2))["name"] == "f"


def test_numbers_that_are_none_are_left_out_of_resources(tmp_path: Path) -> None:
    text = '{"a":[1e999,"MB"],"b":[true,"MB"],"c":["x","MB"],"d":[1,2],"e":3,"f":[0.5,"s"]}'
    records = read(tmp_path, START, f"1000002 7 TASK 1 WAITING f FIRST_RESOURCES {text}")
    (event,) = events(records, NAMES.queue_task("wq", 1))
    assert event[2] == {"workqueue.requested.e": 3, "workqueue.requested.f_s": 0.5}


def test_a_last_line_without_an_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "transaction_log"
    path.write_text(f"{START}\n{WAITING}\n{DONE[:-9]}")
    records = list(transaction_log(path, IN_RUN))
    assert [problem.kind for problem in of(records, Problem)] == ["torn record"]
    assert "end_unix_nano" not in span(records, NAMES.queue_task("wq", 1))


HEADER = "# time manager_pid WORKER worker_id host:port CONNECTION\n"
VINE_HEADER = "# time manager_pid WORKER worker_id CONNECTION host:port\n"


@pytest.mark.parametrize(
    ("name", "head", "which"),
    [
        ("transaction_log", "", "workqueue"),
        ("old.txt", HEADER, "workqueue"),
        ("old.txt", "1680774973462610 372 MANAGER START\n", "workqueue"),
        ("vine-logs/transactions", "", "taskvine"),
        ("tr.log", VINE_HEADER, "taskvine"),
        ("tr.log", "1679929304405580 4107108 MANAGER 4107108 START 0\n", "taskvine"),
        ("transactions", "date,amount\n2026-01-01,5\n", None),
        ("notes.txt", "1680774973462610 372 apples\n", None),
    ],
)
def test_what_is_whose(name: str, head: str, which: str | None) -> None:
    path, content = Path(name), head.encode()
    taskvine = is_taskvine(path, content)
    assert taskvine == (which == "taskvine")
    assert taskvine or is_workqueue(path, content) == (which == "workqueue")
