from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import SECOND, naive_ns
from dnpcsql.identity import PARSL_LOG, WORKER_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.interchange_log import interchange_log
from dnpcsql.importers.offsets import clock_of_json, clock_of_pending
from dnpcsql.importers.parsl_log import parsl_log
from dnpcsql.importers.worker_log import worker_log
from dnpcsql.layout import Layout, Zones
from dnpcsql.records import Event, Link, Problem, Record, Span, Tally
from dnpcsql.store import Store
from tests.conftest import Case, dump

HOUR = 3600 * SECOND
RUN = "598af58f-8a3e-45df-be5a-12fce41274fe"
OTHER = "11111111-8a3e-45df-be5a-222222222222"
EPOCH = 1795331239
PLACE = Context(run_id=RUN, label="htex", block_id="0", manager_uid="4bf512eeb30c")


def record(
    formatted: str,
    second: float = 0.0,
    name: str = "parsl.dataflow.dflow",
    thread: str = "MainThread",
    **more: str,
) -> str:
    """A line as Parsl 2026.10.26 writes it."""
    return json.dumps(
        {
            "created": EPOCH + second,
            "process": 18293,
            "processName": "MainProcess",
            "threadName": thread,
            "thread": 140123660090240,
            "name": name,
            "lineno": 123,
            "funcname": "submit",
            "levelname": "INFO",
            "msg": formatted,
            "formatted": formatted,
            **more,
        }
    )


def dfk(run_id: str) -> dict[str, Any]:
    return {"parsl.dfk": run_id}


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def problems(records: list[Record]) -> list[str]:
    found = [r for r in records if isinstance(r, Problem)]
    return [problem.kind for problem in found if problem.kind != "message missing"]


def test_messages_are_read_from_formatted_and_times_to_the_last_digit(tmp_path: Path) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        record(f"Run id is: {RUN}"),
        record("Task 24 submitted for App work, waiting on task 0, task 1", 6.1),
        record("Task 24 initializing state to pending", 6.9383488, **dfk(RUN)),
        record("Parsl task 24 try 0 launched on executor htex with executor id 3", 7, **dfk(RUN)),
        record("Task 24 changing state from pending to launched", 7, **dfk(RUN)),
    )
    records = list(parsl_log(path, PLACE))
    names = Names(RUN, PARSL_LOG)
    events = {(r.span_uuid, r.type): r.time_unix_nano for r in records if isinstance(r, Event)}
    assert events[names.attempt(24, 0), "pending"] == EPOCH * 10**9 + 6938348800 // 100 * 100
    assert (names.executor_task("htex", 3), "launched") in events
    depends = [r.linked_uuid for r in records if isinstance(r, Link)]
    assert depends == [names.task(0), names.task(1)]
    assert problems(records) == []


def test_a_message_of_many_lines_is_one_record(tmp_path: Path) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        record("Setting bad state due to exception\nTraceback\nValueError: no"),
    )
    (event,) = (r for r in parsl_log(path, PLACE) if isinstance(r, Event))
    assert json.loads(event.attributes or "") == {
        "exception.stacktrace": "Traceback\nValueError: no"
    }


def test_records_of_other_loggers_are_counted_and_not_taken(tmp_path: Path) -> None:
    pool = "parsl.executors.high_throughput.process_worker_pool"
    path = write(
        tmp_path / "worker_0.jsonlog",
        record("Worker 0 started", 0, pool),
        record("Received executor task 1", 1, pool),
        record("Completed executor task 1", 2, "root"),
        record("Completed executor task 1", 3, "parslish"),
        record("Completed executor task 1", 4, pool),
    )
    records = list(worker_log(path, PLACE))
    task = Names(RUN, WORKER_LOG).executor_task("htex", 1)
    times = [r.time_unix_nano - EPOCH * 10**9 for r in records
             if isinstance(r, Event) and r.span_uuid == task]  # fmt: skip
    assert times == [10**9, 4 * 10**9]
    (tally,) = (r for r in records if isinstance(r, Tally))
    assert (tally.records, tally.understood) == (5, 3)
    assert tally.messages == {
        "logger root: not Parsl's": (1, True),
        "logger parslish: not Parsl's": (1, True),
    }
    started = next(r for r in records if isinstance(r, Event))
    assert json.loads(started.attributes or "") == {"process.pid": 18293}


@pytest.mark.parametrize(
    "line",
    [
        '{"created": 1795331239.1, "name": "parsl',
        "[1, 2]",
        '"text"',
        "null",
        '{"name": "parsl.dataflow.dflow", "formatted": "Run id is: x"}',
        '{"created": "soon", "name": "parsl.dataflow.dflow", "formatted": "DFK cleanup initiated"}',
        '{"created": 1e400, "name": "parsl.dataflow.dflow", "formatted": "DFK cleanup initiated"}',
        '{"created": 1.5, "name": 7, "formatted": "x"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_record_is_a_problem_and_no_more(tmp_path: Path, line: str) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        record(f"Run id is: {RUN}"),
        line,
        "",
        record("DFK cleanup complete", 9),
    )
    records = list(parsl_log(path, PLACE))
    assert problems(records) == ["torn record"]
    assert [r.line for r in records if isinstance(r, Problem) and r.kind == "torn record"] == [2]
    assert [r.type for r in records if isinstance(r, Event)] == ["cleanup_complete"]


def test_a_last_line_that_was_cut_off_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "interchange.jsonlog"
    whole = record("Put task 1 onto pending_task_queue", 0, "parsl.interchange")
    path.write_text(whole + "\n" + whole.replace("task 1", "task 12")[:-40])
    records = list(interchange_log(path, PLACE))
    assert problems(records) == ["torn record"]
    assert len([r for r in records if isinstance(r, Event)]) == 1


def test_overlapping_kernels_are_told_apart_by_the_kernel_that_records_name(tmp_path: Path) -> None:
    mixed = Context(run_id=RUN, labels=("a", "threads"), overlapping=((OTHER, ("b", "threads")),))
    path = write(
        tmp_path / "parsl.jsonlog",
        record(f"Run id is: {RUN}"),
        record("Task 0 will be sent to executor threads", 1),
        record("Task 0 submitted for App mine, not waiting on any dependency", 1),
        record("Task 0 initializing state to pending", 1, **dfk(RUN)),
        record(f"Run id is: {OTHER}", 2, thread="T2"),
        record("Task 0 will be sent to executor threads", 3, thread="T2"),
        record("Task 0 submitted for App other, not waiting on any dependency", 3, thread="T2"),
        record("Task 1 will be sent to executor threads", 3),
        record("Task 1 submitted for App mine, not waiting on any dependency", 3),
        record("Task 0 initializing state to pending", 3, thread="T2", **dfk(OTHER)),
        record("Task 1 initializing state to pending", 4, **dfk(RUN)),
        record("Task 1 changing state from pending to launched", 5, thread="L", **dfk(RUN)),
        record("Task 0 changing state from pending to launched", 5, thread="L", **dfk(OTHER)),
    )
    records = list(parsl_log(path, mixed))
    mine, other = Names(RUN, PARSL_LOG), Names(OTHER, PARSL_LOG)
    apps = {r.uuid: r.name for r in records if isinstance(r, Span) and r.type.endswith(".task")}
    assert apps == {mine.task(0): "mine", mine.task(1): "mine", other.task(0): "other"}
    launched = [r.span_uuid for r in records if isinstance(r, Event) and r.type == "launched"]
    assert launched == [mine.attempt(1, 0), other.attempt(0, 0)]
    assert problems(records) == []


def startup(second: float, local: str, key: str = "time_began") -> str:
    return record(
        "Workflow information", second, **dfk(RUN), **{f"parsl.workflow_info.{key}": local}
    )


def test_the_zone_is_found_in_what_json_says_of_the_workflow(tmp_path: Path) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        record(f"Run id is: {RUN}"),
        startup(0.1, "2026-11-22 12:37:19.099000"),
        record("DFK cleanup complete", 60),
    )
    clock = clock_of_json(path)
    assert clock is not None
    assert clock.describe() == "+05:30"
    context = Layout(Zones()).context(path)
    assert context.run_id == RUN
    assert context.clock.describe() == "+05:30"


def test_a_clock_that_changed_in_between_is_known_by_the_order_of_records(tmp_path: Path) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        startup(0, "2026-11-22 09:07:19"),
        startup(5400, "2026-11-22 09:37:19", "time_completed"),
    )
    clock = clock_of_json(path)
    assert clock is not None
    assert clock.describe() == "+02:00, +01:00"
    read = clock.reader()
    texts = ["2026-11-22 09:20:00", "2026-11-22 09:59:00", "2026-11-22 09:01:00"]
    read_as = [read(text) - naive_ns(text) for text in texts]
    assert read_as == [-2 * HOUR, -2 * HOUR, -HOUR]


def test_the_zone_is_found_by_the_first_state_that_the_database_tells_too(tmp_path: Path) -> None:
    path = write(
        tmp_path / "parsl.jsonlog",
        record("Task 10 initializing state to pending", 1),
        record("Task 1 initializing state to pending", 2),
    )
    clock = clock_of_pending(path, 1, "2026-11-22 02:07:21.01")
    assert clock is not None
    assert clock.describe() == "-05:00"
    assert clock_of_pending(path, 3, "2026-11-22 02:07:21.01") is None


# 1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 Task-Launch_0-140622933522112 parsl.…
_HEAD = re.compile(
    r"(\d+\.\d+) \S+ \S+ (\S+)-(\d+) (.+)-(\d+) (\S+):(\d+) (\S+) ([A-Z]+): ?(.*)", re.DOTALL
)


def as_json(text: str) -> str:
    """A text log in shape A as the JSON log of the same records."""
    records: list[str] = []
    for line in text.splitlines():
        if _HEAD.match(line):
            records.append(line)
        else:
            records[-1] += "\n" + line
    lines = []
    for entry in records:
        found = _HEAD.match(entry)
        assert found is not None
        created, process, pid, thread, ident, logger, lineno, function, level, message = (
            found.groups()
        )
        values = {"created": float(created), "process": int(pid), "processName": process,
                  "threadName": thread, "thread": int(ident), "name": logger,
                  "lineno": int(lineno), "funcname": function, "levelname": level,
                  "msg": message, "formatted": message}  # fmt: skip
        lines.append(json.dumps(values))
    return "\n".join(lines) + "\n"


def test_a_real_run_in_json_says_what_it_says_in_text(copy: Case, tmp_path: Path) -> None:
    tree = copy("parsl-2026.10.26-killed")
    (tree / "monitoring.db").unlink()
    with Store(tmp_path / "text") as in_text, Store(tmp_path / "json") as in_json:
        in_text.import_(tree)
        log = next(tree.glob("*/parsl.log"))
        log.with_suffix(".jsonlog").write_text(as_json(log.read_text()))
        log.unlink()
        in_json.import_(tree)
        columns = "run_id, task_id, app, state, tries, executor, invoked, returned"
        query = f"SELECT {columns} FROM parsl_task ORDER BY 1, 2"
        assert in_text.query(query).all()
        assert in_json.query(query).all() == in_text.query(query).all()
        assert len(dump(in_json)["link"]) == len(dump(in_text)["link"])
