from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import fixed, naive_ns
from dnpcsql.importers.context import Context
from dnpcsql.importers.parsl_log import parsl_log
from dnpcsql.importers.parsl_messages import find
from dnpcsql.importers.wordings import first_word
from dnpcsql.records import Containment, Event, Link, Problem, Record, Span, Tally
from dnpcsql.store import Store
from tests.conftest import Case, as_text, facts

RUN = "71d4a751-6867-449f-b893-6b653903b644"
KNOWN_RUN = Context(run_id=RUN)
EPOCH = 1795331200


def a(
    message: str, second: float = 0.0, thread: str = "MainThread-14", site: str = "dflow:734 f"
) -> str:
    """A record of today (shape A), so many seconds from the run's start."""
    return (
        f"{EPOCH + second:.6f} 2026-11-22 07:06:40 MainProcess-16615 {thread} "
        f"parsl.dataflow.{site} INFO: {message}\n"
    )


def d(message: str, second: float = 0.0) -> str:
    """A record of Parsl 1.2.0 (shape D)."""
    return f"2021-12-01 07:14:{second:06.3f} parsl.dataflow.dflow:610 [INFO]  {message}\n"


def read(path: Path, text: str | bytes, context: Context = KNOWN_RUN) -> list[Record]:
    path = path / "parsl.log" if path.is_dir() else path
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(parsl_log(path, context))


def of_type(records: Sequence[Record], kind: type[Any]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def problems(records: Sequence[Record]) -> list[tuple[int | None, str, str]]:
    """But for what such short logs lack."""
    found = of_type(records, Problem)
    return [problem[:3] for problem in found if problem.kind != "message missing"]


def told(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Events, by what they are of (kind, task, try as in the id)."""
    return [(event.span_uuid[13:], event.type) for event in of_type(records, Event)]


def tally(records: Sequence[Record]) -> Tally:
    (found,) = of_type(records, Tally)
    assert isinstance(found, Tally)
    return found


TASK, TRY, RETRY = "20000000007" + "0000", "30000000007" + "0000", "30000000007" + "0001"


# Wordings


@pytest.mark.parametrize(
    ("message", "name", "parts"),
    [
        ("Run id is: cc55368f-7e64-466f-9ce9-19dd3371b141", "run_id",
         ("cc55368f-7e64-466f-9ce9-19dd3371b141",)),
        ("Parsl version: 2026.10.26", "version", ("2026.10.26",)),
        ("Starting DataFlowKernel with config", "started", ()),
        ("Workflow startup information: {'user': 'root'}", "workflow_information",
         ("startup", "{'user': 'root'}")),
        ("DFK cleanup initiated", "cleanup", ("initiated",)),
        ("DFK cleanup complete", "cleanup", ("complete",)),
        ("Unregistering log handler", "cleanup", ("",)),
        ("Adding executor htex of type parsl.executors.high_throughput.executor.HTEX", "executor",
         ("htex", "parsl.executors.high_throughput.executor.HTEX")),
        ("Task 0 will be sent to executor htex", "chosen", ("0", "htex")),
        ("Task 26 submitted for App work, waiting on task 25, task 3", "submitted",
         ("26", "work", "waiting on task 25, task 3")),
        ("Task 0 submitted for App work, not waiting on any dependency", "submitted",
         ("0", "work", "not waiting on any dependency")),
        ("Task 0 initializing state to pending", "initial", ("0", "pending")),
        ("Task 0 set to pending state with AppFuture: <AppFuture at 0x7fe570bd5ed0 state=pending>",
         "initial", ("0", "pending")),
        ("Task 33 changing state from fail_retryable to pending", "changed",
         ("33", "fail_retryable", "pending")),
        ("Parsl task 0 try 0 launched on executor htex with executor id 1", "launched",
         ("0", "0", "htex", "1")),
        ("Parsl task 45 try 0 launched on executor threads", "launched",
         ("45", "0", "threads", None)),
        ("Task 0 launched on executor htex_Local", "launched_then", ("0", "htex_Local")),
        ("Task 33 try 0 failed with exception of type ValueError", "try_failed",
         ("33", "0", "ValueError")),
        ("Task 33 try 0 failed", "try_failed", ("33", "0", None)),
        ("Task 33 marked for retry", "retried", ("33",)),
        ("Task 33 failed after 2 retry attempts", "gave_up", ("33", "2")),
        ("Task 35 failed due to dependency failure so skipping retries", "dependency_failed",
         ("35",)),
        ("Task 0 completed (launched -> exec_done)", "completed", ("0", "launched", "exec_done")),
        ("Task 41 completed (pending -> memo_done)", "completed", ("41", "pending", "memo_done")),
        ("Reraising exception of type <class 'parsl.app.errors.BashExitFailure'>", "reraised",
         ("parsl.app.errors.BashExitFailure",)),
        ("[Scaling executor htex] Launched block 0 with job ID 16795", "block_launched_now",
         ("htex", "0", "16795")),
        ("Launched block 0 on executor htex with job ID 20830", "block_launched",
         ("0", "htex", "20830")),
        ("Launched block 0->31762", "block_launched_then", ("0", "31762")),
        ("Marking block 0 as SCALED_IN", "block_marked", ("0", "SCALED_IN")),
        ("Setting bad state due to exception", "bad_state", ()),
    ],
)  # fmt: skip
def test_every_wording_since_2021_is_understood(
    message: str, name: str, parts: tuple[str | None, ...]
) -> None:
    found = find(first_word(message), message)
    assert found is not None
    assert (found[0], found[1].groups()) == (name, parts)


@pytest.mark.parametrize(
    "message",
    ["", "Task", "Task 7", "Task 7 dances", "Parsl", "Task seven initializing state to pending",
     "Task 7 initializing state to pending and more", "Run id is:"],
)  # fmt: skip
def test_what_is_near_a_wording_is_not_taken_for_it(message: str) -> None:
    assert find(first_word(message), message) is None


# A task's life


def test_a_task_of_today(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Starting DataFlowKernel with config")
        + a("Parsl version: 2026.10.26")
        + a(f"Run id is: {RUN}")
        + a("Task 7 submitted for App work, waiting on task 5, task 3, task 5", 1)
        + a("Task 7 initializing state to pending", 1.5)
        + a("Task 7 changing state from pending to launched", 2)
        + a("Parsl task 7 try 0 launched on executor htex with executor id 12", 2.25)
        + a("Task 7 changing state from launched to exec_done", 3.000001)
        + a("DFK cleanup initiated", 4)
        + a("Unregistering log handler", 5),
    )
    assert [event[1:3] for event in of_type(records, Event) if event.span_uuid[13:] == TRY] == [
        ((EPOCH * 10 + 15) * 10**8, "pending"),
        ((EPOCH + 2) * 10**9, "launched"),
        ((EPOCH + 3) * 10**9 + 1000, "exec_done"),
    ]
    assert [event for uuid, event in told(records) if uuid == TASK] == ["invoked", "returned"]
    assert [link[1][13:] + link.type for link in of_type(records, Link)] == [
        "200000000050000depends_on",
        "200000000030000depends_on",
    ]
    spans = {span.type.rpartition(".")[2]: span for span in of_type(records, Span)}
    assert json.loads(spans["try"].attributes) == {"parsl.executor.label": "htex"}
    assert spans["executor_task"].parent_uuid == spans["try"].uuid
    assert spans["executor_task"].uuid.endswith("00000012")
    assert spans["try"].parent_uuid == spans["task"].uuid
    assert spans["task"].parent_uuid == spans["workflow"].uuid
    assert (spans["task"].name, spans["executor"].name) == ("work", "htex")
    workflow = spans["workflow"]
    assert (workflow.start_unix_nano, workflow.end_unix_nano) == (
        EPOCH * 10**9,
        (EPOCH + 5) * 10**9,
    )
    assert json.loads(workflow.attributes) == {"parsl.version": "2026.10.26"}
    assert problems(records) == []
    assert tally(records) == Tally(10, 10, 10, {})


def test_a_retry_of_today_is_a_try_of_its_own(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Task 7 initializing state to pending")
        + a("Task 7 changing state from pending to launched", 1)
        + a("Parsl task 7 try 0 launched on executor htex with executor id 1", 1)
        + a("Task 7 try 0 failed with exception of type ValueError", 2)
        + a("Task 7 changing state from launched to fail_retryable", 2)
        + a("Task 7 changing state from fail_retryable to pending", 2)
        + a("Task 7 changing state from pending to launched", 3)
        + a("Parsl task 7 try 1 launched on executor htex with executor id 2", 3)
        + a("Task 7 try 1 failed with exception of type ValueError", 4)
        + a("Task 7 failed after 1 retry attempts", 4)
        + "Traceback (most recent call last):\n  File x\nValueError: two\nlines\n"
        + a("Task 7 changing state from launched to failed", 4),
    )
    assert told(records)[1:] == [
        (TRY, "launched"),
        ("8" + told(records)[2][0][1:], "launched"),
        (TRY, "exception"),
        (TRY, "fail_retryable"),
        (RETRY, "pending"),
        (RETRY, "launched"),
        ("8" + told(records)[7][0][1:], "launched"),
        (RETRY, "exception"),
        (RETRY, "failed"),
        (TASK, "returned"),
    ]
    last = [event for event in of_type(records, Event) if event.type == "exception"][-1]
    assert json.loads(last.attributes) == {
        "exception.type": "ValueError",
        "exception.message": "lines",
        "exception.stacktrace": (
            "Traceback (most recent call last):\n  File x\nValueError: two\nlines"
        ),
    }
    assert last.line == 9


def test_a_retry_in_the_words_of_before_2026(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Task 7 submitted for App work, not waiting on any dependency")
        + a("Task 7 set to pending state with AppFuture: <AppFuture at 0x7f state=pending>")
        + a("Parsl task 7 try 0 launched on executor htex with executor id 1", 1)
        + a("Reraising exception of type <class 'parsl.app.errors.Odd'>", 2, "Results-9")
        + a("Task 7 try 0 failed", 2, "Results-9")
        + a("Task 7 marked for retry", 2, "Results-9")
        + a("Parsl task 7 try 1 launched on executor htex with executor id 2", 3)
        + a("Task 7 completed (launched -> exec_done)", 4),
    )
    assert [(uuid, type_) for uuid, type_ in told(records) if uuid[0] == "3"] == [
        (TRY, "pending"),
        (TRY, "launched"),
        (TRY, "exception"),
        (TRY, "fail_retryable"),
        (RETRY, "launched"),
        (RETRY, "exec_done"),
    ]
    failure = next(event for event in of_type(records, Event) if event.type == "exception")
    assert json.loads(failure.attributes) == {"exception.type": "Odd"}


def test_a_task_of_parsl_1_2_0(tmp_path: Path) -> None:
    context = Context(run_id=RUN, clock=fixed(3600 * 10**9, "told"))
    records = read(
        tmp_path,
        d(f"Run id is: {RUN}")
        + d("Task 7 submitted for App work, not waiting on any dependency", 1)
        + d("Task 7 launched on executor htex_Local", 2)
        + d("Task 7 try 0 failed", 2.5)
        + d("Task 7 marked for retry", 2.6)
        + d("Task 7 launched on executor htex_Local", 3)
        + d("Task 7 completed (launched -> exec_done)", 4.25),
        context,
    )
    assert [uuid for uuid, type_ in told(records) if type_ == "launched"] == [TRY, RETRY]
    done = of_type(records, Event)[-1]
    assert done.type == "returned"
    assert done.time_unix_nano == naive_ns("2021-12-01 06:14:04.250")
    assert problems(records) == []


def test_old_records_without_any_zone_are_utc_and_say_so_once(tmp_path: Path) -> None:
    records = read(tmp_path, d(f"Run id is: {RUN}") + d("DFK cleanup initiated"))
    assert [kind for _, kind, _ in problems(records)] == ["no zone"]
    assert of_type(records, Event)[0].time_unix_nano == naive_ns("2021-12-01 07:14:00")


def test_a_memo_hit_has_a_try_that_was_never_launched(tmp_path: Path) -> None:
    for words in (
        a("Task 7 initializing state to pending")
        + a("Task 7 changing state from pending to memo_done"),
        a("Task 7 set to pending state with AppFuture: <AppFuture at 0x1 state=pending>")
        + a("Task 7 completed (pending -> memo_done)"),
    ):
        records = read(
            tmp_path, a("Task 7 submitted for App work, not waiting on any dependency") + words
        )
        assert told(records) == [
            (TASK, "invoked"),
            (TRY, "pending"),
            (TRY, "memo_done"),
            (TASK, "returned"),
        ]
        attempt = of_type(records, Span)[1]
        assert (attempt.type, attempt.uuid[13:]) == ("parsl.rundir.try", TRY)


def test_a_task_whose_dependency_failed_was_never_launched(tmp_path: Path) -> None:
    for words in (
        a("Task 7 failed due to dependency failure")
        + a("Task 7 try 0 failed with exception of type DependencyError")
        + a("Task 7 failed due to dependency failure so skipping retries")
        + a("Task 7 changing state from pending to dep_fail"),
        a("Task 7 failed due to dependency failure so skipping retries"),
    ):
        first = (
            a("Task 7 initializing state to pending")
            if "changing" in words
            else a("Task 7 set to pending state with AppFuture: <AppFuture at 0x1>")
        )
        records = read(tmp_path, a("Task 8 changing state from x to launched") + first + words)
        types = [type_ for uuid, type_ in told(records) if uuid in (TRY, TASK)]
        if "changing" in words:
            assert types == ["pending", "exception", "dep_fail", "returned"]
        else:
            assert types[0] == "pending"


def test_a_join_waits_for_its_inner_tasks(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Task 7 initializing state to pending")
        + a("Task 7 changing state from pending to launched")
        + a("Parsl task 7 try 0 launched on executor _parsl_internal")
        + a("Task 7 changing state from launched to joining")
        + a("Task 7 changing state from joining to exec_done"),
    )
    assert [type_ for uuid, type_ in told(records) if uuid == TRY] == [
        "pending",
        "launched",
        "joining",
        "exec_done",
    ]


def test_what_never_ended_has_no_end(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Task 7 submitted for App work, not waiting on any dependency")
        + a("Task 7 initializing state to pending", 1)
        + a("Task 8 changing state from pending to launched", 2)
        + a("Parsl task 8 try 0 launched on executor htex with executor id 1", 2)
        + a("Task 8 try 0 failed with exception of type WorkerLost", 3),
    )
    assert [(uuid, type_) for uuid, type_ in told(records) if uuid.startswith("30000000008")] == [
        ("300000000080000", "launched"),
        ("300000000080000", "exception"),
    ]
    tries = [span.uuid[13:] for span in of_type(records, Span) if span.type == "parsl.rundir.try"]
    assert TRY in tries
    run = of_type(records, Span)[-1]
    assert run.end_unix_nano is None
    # Until when it lived: its log's last record.
    assert json.loads(run.attributes)["parsl.log.last_unix_nano"] == (EPOCH + 3) * 10**9


def test_a_blocks_life(tmp_path: Path) -> None:
    for words in (
        a("[Scaling executor htex] Launched block 0 with job ID 16795"),
        a("Launched block 0 on executor htex with job ID 16795"),
        a("Strategizing for executor htex") + a("Launched block 0->16795"),
    ):
        records = read(tmp_path, words + a("Marking block 0 as SCALED_IN", 9))
        block = next(span for span in of_type(records, Span) if span.name == "block")
        assert json.loads(block.attributes) == {
            "parsl.executor.label": "htex",
            "parsl.block.id": "0",
            "parsl.block.job_id": "16795",
        }
        assert [event.type for event in of_type(records, Event)] == ["launched", "SCALED_IN"]
        assert len([1 for inside in of_type(records, Containment) if inside[1] == block.uuid]) == 2


def test_a_block_whose_executor_nobody_names_is_a_problem(tmp_path: Path) -> None:
    records = read(
        tmp_path, a("Launched block 0->16795") + a("Marking block 5 as SCALED_IN", 9, "other-1")
    )
    assert problems(records) == [
        (1, "executor unknown", "block 0"),
        (2, "executor unknown", "block 5 marked SCALED_IN"),
    ]


def test_what_the_kernel_says_of_its_workflow(tmp_path: Path) -> None:
    information = (
        "{'python_version': '3.11.7', 'workflow_name': 'it\\'s mine', 'user': 'root', "
        "'host': 'vm', 'rundir': '/x/000', 'tasks_failed_count': 2, 'tasks_completed_count': 70}"
    )
    records = read(
        tmp_path,
        a(f"Workflow startup information: {information}")
        + a("Setting bad state due to exception", 2)
        + "Traceback:\nBadState\n"
        + a(f"Workflow shutdown information: {information}", 3),
    )
    workflow = of_type(records, Span)[-1]
    assert json.loads(workflow.attributes) == {
        "process.runtime.version": "3.11.7",
        "user.name": "root",
        "host.name": "vm",
        "parsl.rundir": "/x/000",
        "parsl.tasks.failed": 2,
        "parsl.tasks.completed": 70,
    }
    assert workflow.end_unix_nano == (EPOCH + 3) * 10**9
    assert json.loads(of_type(records, Event)[0].attributes) == {
        "exception.stacktrace": "Traceback:\nBadState"
    }


# Records that are not as they should be


def test_a_record_goes_on_to_the_next_head(tmp_path: Path) -> None:
    body = "ValueError: first\n1234.5 not a log line\n2026-11-22 is a date\n\nlast\n"
    records = read(tmp_path, a("Task 7 failed after 0 retry attempts") + body + a("Run id is: x"))
    stack = json.loads(of_type(records, Event)[0].attributes)["exception.stacktrace"]
    assert stack == body.rstrip("\n")
    assert tally(records)[:3] == (7, 2, 2)


def test_a_very_long_traceback_keeps_its_beginning_and_its_last_line(tmp_path: Path) -> None:
    body = "".join(f"line {number} {'x' * 50}\n" for number in range(5000)) + "TheError: at last\n"
    records = read(tmp_path, a("Task 7 failed after 0 retry attempts") + body)
    attributes = json.loads(of_type(records, Event)[0].attributes)
    assert attributes["exception.message"] == "TheError: at last"
    assert attributes["exception.stacktrace"].startswith("line 0 ")
    assert len(attributes["exception.stacktrace"]) < 20_000


def test_a_long_last_line_is_cut(tmp_path: Path) -> None:
    records = read(tmp_path, a("Task 7 failed after 0 retry attempts") + "E" * 500_000 + "\n")
    assert len(of_type(records, Event)[0].attributes) < 30_000


def test_a_torn_last_line_is_a_problem_and_not_a_record(tmp_path: Path) -> None:
    whole = a("Task 7 initializing state to pending")
    records = read(tmp_path, whole + a("Task 123 initializing state to pending")[:-15])
    assert told(records) == [(TRY, "pending")]
    assert [(line, kind) for line, kind, _ in problems(records)] == [(2, "torn record")]


@pytest.mark.parametrize(
    "torn",
    [
        "1795331212.928108",
        "1795331212.928108 ",
        "1795331212.928108 2026-11-22 07:06:52 Main",
        "1795331212.92 2026-11-22 07:06:52 MainProcess-1 T-1 x:1 f INFO: Task 9 dances",
        "1795331212.9281 2026-11-22: Run id is: x",
        "1795331212.abcdef 2026-11-22 07:06:52 M-1 T-1 x:1 f INFO: Run id is: y",
        "1795331212.928108 2026-11-22: DFK cleanup initiated",
        "1795331212.928108 2026-11-: ",
        "2026-11-22 07:06:48.129",
        "2026-11-22 07:06:48.129 parsl:1 [INFO]",
        "2026-11-22 07:06:48.129 [INFO] Run id is: x",
        "2026-99-22 07:06:48.129 parsl:1 [INFO] DFK cleanup initiated",
        "{}",
        "Task 7",
        ": ",
        "\x00\x00\x00",
        "é" * 10,
    ],
)
def test_a_record_torn_in_the_middle_costs_no_more_than_itself(torn: str, tmp_path: Path) -> None:
    before, after = a("Task 7 initializing state to pending"), a("DFK cleanup initiated", 9)
    records = read(tmp_path, before + torn + "\n" + after)
    events = [event for event in of_type(records, Event) if event.line != 2]
    assert [event.type for event in events] == ["pending", "cleanup_initiated"]
    assert tally(records).lines == 3


def test_a_record_behind_nul_bytes_is_read(tmp_path: Path) -> None:
    hole = "\0" * 5000
    records = read(
        tmp_path,
        a("Task 7 initializing state to pending")
        + hole
        + a("Task 7 changing state from pending to memo_done")
        + hole
        + "\n"
        + hole
        + d("DFK cleanup initiated"),
    )
    assert [type_ for _, type_ in told(records)] == [
        "pending",
        "memo_done",
        "returned",
        "cleanup_initiated",
    ]
    assert [(line, kind) for line, kind, _ in problems(records)] == [
        (2, "binary junk"),
        (3, "binary junk"),
        (4, "binary junk"),
        (1, "no zone"),
    ]


@pytest.mark.parametrize("number", ["99999999999", "9" * 5000])
@pytest.mark.parametrize(
    "words",
    [
        "Task {} initializing state to pending",
        "Task {} changing state from pending to launched",
        "Task {} submitted for App work, not waiting on any dependency",
        "Task 1 submitted for App work, waiting on task {}",
        "Parsl task {} try 0 launched on executor htex with executor id 1",
        "Parsl task 1 try {} launched on executor htex with executor id 1",
        "Task {} launched on executor htex",
        "Task {} try 0 failed",
        "Task {} marked for retry",
        "Task {} failed after 1 retry attempts",
        "Task {} completed (launched -> exec_done)",
        "Task {} failed due to dependency failure so skipping retries",
    ],
)
def test_a_number_that_no_task_has_is_a_problem(words: str, number: str, tmp_path: Path) -> None:
    records = read(tmp_path, a(words.format(number)) + a("DFK cleanup initiated"))
    assert [(line, kind) for line, kind, _ in problems(records)] == [(1, "record not understood")]
    assert told(records) == [("100000000000000", "cleanup_initiated")]


def test_a_task_may_be_retried_without_end(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        "".join(
            a(f"Task 7 changing state from {change}")
            for _ in range(10_002)
            for change in ("launched to fail_retryable", "fail_retryable to pending")
        ),
    )
    kinds = Counter(kind for _, kind, _ in problems(records))
    assert kinds == {"record not understood": 3}


def test_a_state_of_the_future_is_a_problem(tmp_path: Path) -> None:
    records = read(tmp_path, a("Task 7 changing state from pending to dreaming"))
    assert problems(records) == [(1, "state not known", "task 7: dreaming")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_log_in_another_encoding_is_told_of(
    encoding: str, case: Case, store: Store, tmp_path: Path
) -> None:
    log = (case("parsl-2026.10.26-killed") / "runinfo" / "000" / "parsl.log").read_text()
    (tmp_path / "parsl.log").write_bytes(log.encode(encoding))
    store.import_(tmp_path / "parsl.log")
    kinds = {kind for (kind,) in store.query("SELECT DISTINCT kind FROM problem")}
    assert "nothing understood" in kinds
    assert store.query("SELECT count(*) FROM problem").value() <= 1010


def test_an_empty_log_is_told_of(store: Store, tmp_path: Path) -> None:
    (tmp_path / "parsl.log").touch()
    store.import_(tmp_path / "parsl.log")
    assert ("empty file",) in store.query("SELECT kind FROM problem").all()


def test_a_log_that_says_nothing_known_is_told_of(store: Store, tmp_path: Path) -> None:
    (tmp_path / "parsl.log").write_text("".join(f"step {n} is done\n" for n in range(10)))
    store.import_(tmp_path / "parsl.log")
    assert store.query("SELECT kind FROM problem WHERE kind <> 'run unknown'").all() == [
        ("nothing understood",)
    ]


def test_wordings_of_the_future_are_told_of(store: Store, tmp_path: Path) -> None:
    """All of it, or what is said of tasks alone."""
    (tmp_path / "parsl.log").write_text("".join(a(f"Chore {n}: fetched") for n in range(10)))
    store.import_(tmp_path / "parsl.log")
    kinds = "SELECT kind, text FROM problem WHERE kind <> 'run unknown'"
    assert store.query(kinds).all()[0][0] == "nothing understood"
    (tmp_path / "parsl.log").write_text(
        a("Starting DataFlowKernel with config")
        + a(f"Run id is: {RUN}")
        + "".join(a(f"Task {n} was handed in for App work") for n in range(10))
        + a("DFK cleanup initiated")
    )
    store.import_(tmp_path / "parsl.log")
    assert [kind for kind, _ in store.query(kinds)] == ["wording not known"]
    (source,) = store.sources()
    assert source.unused() == {"Task N was handed in for App work": (10, False)}


def test_a_log_that_lacks_what_must_have_been_said_is_told_of(tmp_path: Path) -> None:
    """One kind of message is worded anew, and all others are as they were."""
    log = (
        a(f"Run id is: {RUN}")
        + a("Task 7 was handed in for App work")
        + a("Task 7 initializing state to pending")
        + a("Parsl task 7 try 0 launched on executor htex with executor id 1")
    )
    missing = of_type(read(tmp_path, log), Problem)
    assert [(problem.kind, problem.text.partition(":")[0]) for problem in missing] == [
        ("message missing", "no `submitted` before `launched`")
    ]


def test_messages_that_are_left_out_are_counted_by_shape(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        a("Task 7 has memoization hash d41d8cd98f00b204", site="memo:1 g")
        + a("Task 8 has memoization hash d41d8cd98f00b204", site="memo:1 g")
        + a("Something 12 unheard of", site="new:9 h")
        + d("Something 13 unheard of"),
    )
    assert tally(records) == Tally(
        4,
        4,
        0,
        {"Task N has memoization hash N": (2, True), "Something N unheard of": (2, False)},
    )


def test_memory_does_not_grow_with_a_log(tmp_path: Path) -> None:
    """Old heads hold nothing but times, new ones thread ids; neither may be kept."""
    path = tmp_path / "parsl.log"
    with path.open("w") as file:
        for number in range(60_000):
            at = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
            at = f"{at}.{number % 1000:03d} x:{number % 7}"
            file.write(f"2021-12-01 {at} [DEBUG]  odd {number} {'y' * 300}\n")
            file.write(a(f"odd {number} {'z' * 300}", number, f"Thread-{number}", "x:1 f"))
    context = Context(run_id=RUN, clock=fixed(0, "told"))
    tracemalloc.start()
    try:
        records = sum(1 for _ in parsl_log(path, context))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert records < 10
    assert peak < 24 << 20


def test_a_line_of_30_mb_costs_no_memory_and_no_other_record(tmp_path: Path) -> None:
    path = tmp_path / "parsl.log"
    with path.open("w") as file:
        file.write(a("Task 7 failed after 0 retry attempts"))
        for _ in range(30):
            file.write("x" * (1 << 20))
        file.write("\n" + a("DFK cleanup initiated"))
    tracemalloc.start()
    try:
        records = list(parsl_log(path, KNOWN_RUN))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type_ for _, type_ in told(records)] == [
        "exception", "failed", "returned", "cleanup_initiated",
    ]  # fmt: skip
    assert [(line, kind) for line, kind, _ in problems(records)] == [(2, "long line")]
    assert peak < 16 << 20


def test_a_log_that_may_not_be_read_is_told_of_and_others_are_read(
    copy: Case, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    opened = Path.open

    def refusing(self: Path, *args: Any, **options: Any) -> Any:
        if self == log:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", refusing)
    done = store.import_(runinfo)
    assert done.failed == [f"{log}: Permission denied"]
    assert len(done.added) == 2


# Whole runs


@pytest.mark.parametrize(
    "name", ["parsl-2023.12.18-full", "parsl-2025.9.15-elastic", "parsl-2026.10.26-dst"]
)
def test_a_log_alone_tells_each_tasks_app_state_tries_and_times(
    name: str, case: Case, store: Store
) -> None:
    store.import_(*sorted((case(name) / "runinfo").glob("*/parsl.log")))
    tasks = {row["task_id"]: row for row in store.query("parsl_task").dicts()}
    (flow,) = facts(case(name))["workflows"]
    assert len(tasks) == flow["total_tasks"]
    for known in flow["tasks"]:
        found = tasks[known["task_id"]]
        assert (found["app"], found["state"]) == (known["app"], known["final_state"])
        if known["tries"] is not None:
            assert found["tries"] == known["tries"]
        assert found["invoked"] == pytest.approx(known["submit_called"], abs=0.5)
        assert found["returned"] == pytest.approx(known["future_done"], abs=1)
    assert store.query("SELECT kind FROM problem").all() == []


def test_every_message_of_real_logs_is_known(case: Case, store: Store) -> None:
    """What is read and neither used nor left out on purpose would be news."""
    for name in ("parsl-2023.12.18-full", "parsl-2025.9.15-multi", "parsl-2026.10.26-killed"):
        store.import_(case(name))
    unknown = {
        shape
        for source in store.sources()
        for shape, (_, known) in source.unused().items()
        if not known
    }
    assert unknown == set()


def assert_all_told(store: Store, flows: list[dict[str, Any]]) -> None:
    tasks = {(row["run_id"], row["task_id"]): row for row in store.query("parsl_task").dicts()}
    for flow in flows:
        for known in flow["tasks"]:
            found = tasks[flow["run_id"], known["task_id"]]
            assert (found["app"], found["state"], found["tries"]) == (
                known["app"], known["final_state"], known["tries"],
            )  # fmt: skip


def test_overlapping_kernels_are_told_apart(case: Case, store: Store) -> None:
    """Runs 003 and 004 were open in one process, and each log holds both kernels' records."""
    folder = case("parsl-2025.9.15-multi")
    store.import_(*sorted((folder / "runinfo").glob("*/parsl.log")))
    flows = facts(folder)["workflows"]
    assert_all_told(store, flows)
    assert store.query("SELECT count(*) FROM parsl_task").value() == sum(
        flow["total_tasks"] for flow in flows
    )
    assert store.query("SELECT kind, text FROM problem").all() == []
    counted = [
        sum(count for shape, (count, _) in source.unused().items() if shape.startswith("other_run"))
        for source in store.sources()
    ]
    assert [count > 0 for count in counted] == [False, False, False, True, True]


@pytest.mark.parametrize("lost", ["003", "004"])
def test_a_log_tells_of_a_kernel_whose_own_log_is_lost(
    lost: str, copy: Case, case: Case, store: Store
) -> None:
    runinfo = copy("parsl-2025.9.15-multi")
    (runinfo / lost / "parsl.log").unlink()
    store.import_(*sorted(runinfo.glob("*/parsl.log")))
    flows = facts(case("parsl-2025.9.15-multi"))["workflows"]
    if lost == "003":  # 004's log tells only of the time when its own kernel was there
        flows = [flow for flow in flows if Path(flow["run_dir"]).name != "003"]
    assert_all_told(store, flows)
    assert store.query("SELECT kind, text FROM problem").all() == []


def test_a_renamed_log_alone_is_known_by_its_contents_and_knows_its_run(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    (tmp_path / "away").mkdir()
    store.import_(log.rename(tmp_path / "away" / "my run.txt"))
    assert [run.id for run in store.runs()] == [RUN]
    assert store.query("SELECT kind FROM problem").all() == []


def test_the_life_of_a_task_reads_as_it_did(case: Case, store: Store, expected: Any) -> None:
    """Task 33 of a run of 2023: two retries, in the words of then."""
    store.import_(case("parsl-2023.12.18-full") / "runinfo")
    rows = store.query(
        "SELECT span.type, substr(span_uuid, 25) AS try, event.type, time_unix_nano, event.line "
        "FROM event JOIN span ON span.uuid = span_uuid "
        "WHERE substr(span_uuid, 14, 1) IN ('2', '3') AND substr(span_uuid, 15, 10) = '0000000033' "
        "ORDER BY event.time_unix_nano, event.span_uuid, event.type"
    )
    expected("task_33_of_2023", as_text(rows.columns, rows.all()))
