"""What Work Queue and its executor write beside the transaction log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.identity import PARSL_LOG, WORK_QUEUE, Names
from dnpcsql.importers import workqueue_debug, workqueue_function, workqueue_statistics
from dnpcsql.importers.context import Context
from dnpcsql.records import Containment, Event, Problem, Record, Sample, Span, Tally

RUN = "f3773e4f-7d74-465c-9f18-01d2eb25b328"
IN_RUN = Context(run_id=RUN, label="wq")
NAMES, PARSL = Names(RUN, WORK_QUEUE), Names(RUN, PARSL_LOG)


def of(records: list[Record], kind: type) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


# master_log

COLUMNS = "# timestamp workers_connected tasks_waiting manager_load"


def statistics(tmp_path: Path, text: str) -> list[Record]:
    path = tmp_path / "master_log"
    path.write_text(text)
    return list(workqueue_statistics.master_log(path, IN_RUN))


def test_a_line_of_statistics_is_a_sample(tmp_path: Path) -> None:
    records = statistics(tmp_path, f"{COLUMNS}\n1795331666636197 0 19 0.095125\n")
    uuid = NAMES.named("statistics", "wq")
    metrics = {"workers_connected": 0, "tasks_waiting": 19, "manager_load": 0.095125}
    assert of(records, Sample) == [Sample(uuid, 1795331666636197000, 2, json.dumps(metrics))]
    (span,) = of(records, Span)
    assert (span.uuid, span.type) == (uuid, "workqueue.manager.statistics")
    assert Containment(NAMES.manager("wq"), uuid) in records


def test_each_generation_names_its_own_columns(tmp_path: Path) -> None:
    """A log that another version goes on with says anew what its columns are."""
    records = statistics(
        tmp_path, f"{COLUMNS}\n1000000 1 2 3\n# timestamp workers_connected\n1000001 5\n"
    )
    assert [json.loads(sample.metrics) for sample in of(records, Sample)] == [
        {"workers_connected": 1, "tasks_waiting": 2, "manager_load": 3},
        {"workers_connected": 5},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "1000000 1 2",
        "1000000 1 2 3 4",
        "x 1 2 3",
        "1000000 1 2 nan",
        "1000000 1 2 inf",
        "1000000 1 2 three",
        f"1000000 1 2 {'9' * 5000}",
        f"{'9' * 30} 1 2 3",
        "\0",
    ],
)
def test_a_line_that_is_no_reading_is_a_problem(tmp_path: Path, line: str) -> None:
    records = statistics(tmp_path, f"{COLUMNS}\n{line}\n1000001 1 2 3\n")
    assert len(of(records, Sample)) == 1
    assert [(problem.kind, problem.line) for problem in of(records, Problem)] == [
        ("record not understood", 2)
    ]


def test_readings_without_columns_are_problems(tmp_path: Path) -> None:
    records = statistics(tmp_path, "1000000 1 2 3\n")
    assert not of(records, Sample)
    assert len(of(records, Problem)) == 1


# debug_log

HEAD = "2026/11/22 07:14:27.86 work_queue_python[31784] wq: "
NEEDS = (
    HEAD + "vm (127.0.0.1:41548) needs file /run/runinfo/000/wq/function_data/0019/{} "
    "(offset 0 length 93) as 'file-78-857251301288a098f01a6b6a0eecdb79-{}'"
)
SHARED = (
    HEAD + "vm (127.0.0.1:41548) needs file /site/exec_parsl_function.py (offset 0 length 1) as 'f'"
)
SENT = HEAD + "tx to vm (127.0.0.1:41548): task 20"
BACK = HEAD + "Task 20 state change: RUNNING (2) to WAITING_RETRIEVAL (3)"
RESULT = HEAD + (
    "vm (127.0.0.1:41548) sending back file-80-fbe1-result to "
    "/run/runinfo/000/wq/function_data/0019/result"
)


def debug(tmp_path: Path, *lines: str) -> list[Record]:
    path = tmp_path / "debug_log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(workqueue_debug.debug_log(path, IN_RUN))


def tie(executor: int, task: int, note: str) -> Containment:
    return Containment(
        PARSL.executor_task("wq", executor), NAMES.queue_task("wq", task), "debug_log", note
    )


def test_files_that_go_before_a_task_tell_which_it_is(tmp_path: Path) -> None:
    records = debug(
        tmp_path, SHARED, NEEDS.format("function", "function"), NEEDS.format("map", "map"), SENT
    )
    assert of(records, Containment) == [tie(19, 20, workqueue_debug.SENT)]
    assert not of(records, Event), "its times are of no use"


def test_so_does_the_result_that_comes_back(tmp_path: Path) -> None:
    assert of(debug(tmp_path, BACK, RESULT), Containment) == [tie(19, 20, workqueue_debug.CAME)]


def test_two_workers_files_are_not_mixed(tmp_path: Path) -> None:
    other = "10.0.0.2:99"
    lines = (NEEDS.format("map", "map"), NEEDS.format("map", "map").replace("0019", "0004"), SENT)
    mixed = (lines[0], lines[1].replace("127.0.0.1:41548", other), lines[2],
             SENT.replace("127.0.0.1:41548", other).replace("task 20", "task 5"))  # fmt: skip
    assert of(debug(tmp_path, *mixed), Containment) == [
        tie(19, 20, workqueue_debug.SENT),
        tie(4, 5, workqueue_debug.SENT),
    ]
    assert of(debug(tmp_path, *lines), Containment) == [], "which of the two it was is not told"


def test_a_result_of_which_no_task_is_told_ties_nothing(tmp_path: Path) -> None:
    done = HEAD + "Task 20 state change: WAITING_RETRIEVAL (3) to RETRIEVED (4)"
    assert of(debug(tmp_path, RESULT), Containment) == []
    assert of(debug(tmp_path, BACK, done, RESULT), Containment) == []


def test_a_worker_says_on_which_host_it_is(tmp_path: Path) -> None:
    records = debug(tmp_path, HEAD + "rx from vm (127.0.0.1:41548): info worker-id worker-a")
    _, told = of(records, Span)
    worker = NAMES.worker("wq worker-a", 0)
    assert (told.uuid[14:], told.uuid[12:14]) == (worker[14:], "37"), "an account of the same one"
    assert json.loads(told.attributes)["host.name"] == "vm"


def test_a_debug_log_of_anything_is_read_to_its_end(tmp_path: Path) -> None:
    hostile = ["(a) needs file " * 50_000, "\0" * 100, "tx to (x): task " + "9" * 10_000, "", "é"]
    records = debug(tmp_path, *hostile, NEEDS.format("map", "map"), SENT)
    assert of(records, Containment) == [tie(19, 20, workqueue_debug.SENT)]
    (tally,) = of(records, Tally)
    assert (tally.records, tally.understood) == (7, 2)


def test_a_debug_log_cut_off_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "debug_log"
    path.write_text(f"{NEEDS.format('map', 'map')}\n{SENT[:-1]}")
    records = list(workqueue_debug.debug_log(path, IN_RUN))
    assert of(records, Containment) == []
    assert [problem.kind for problem in of(records, Problem)] == ["torn record"]


# function_data/NNNN/log


def function(tmp_path: Path, text: str) -> list[Record]:
    path = tmp_path / "function_data" / "0019" / "log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert workqueue_function.recognises(path, text.encode())
    return list(workqueue_function.function_log(path, IN_RUN))


def test_what_a_function_did_lies_in_its_executor_task(tmp_path: Path) -> None:
    records = function(
        tmp_path,
        "1677161346.500000 start\n"
        "1677161346.713548 META_PATH parsl.tests.test_regression.test_2555\n"
        "1677161346.713600 META_PATH parsl\n"
        "1677161347.25 function done\n",
    )
    task, uuid = PARSL.executor_task("wq", 19), NAMES.named("remote", "wq", 19)
    assert of(records, Event) == [
        Event(uuid, 1677161346500000000, "start", 1),
        Event(uuid, 1677161347250000000, "function done", 4),
    ]
    (span,) = of(records, Span)
    assert span.type == "parsl.executors.workqueue.executor_task.remote"
    assert (span.parent_uuid, span.start_unix_nano, span.end_unix_nano) == (
        task,
        1677161346500000000,
        1677161347250000000,
    )
    assert of(records, Containment) == [Containment(task, uuid)]
    assert of(records, Tally)[0].messages == {"META_PATH N": (2, True)}


def test_lines_of_no_such_log_are_problems(tmp_path: Path) -> None:
    records = function(tmp_path, "Traceback:\n1677161346.5 start\n99999999999 x\n1677161347")
    assert [(problem.kind, problem.line) for problem in of(records, Problem)] == [
        ("record not understood", 1),
        ("record not understood", 3),
        ("torn record", 4),
    ]
    assert len(of(records, Event)) == 1


def test_an_empty_log_says_nothing(tmp_path: Path) -> None:
    assert function(tmp_path, "") == [Tally(0, 0, 0, {}, None, "its times are epochs")]
