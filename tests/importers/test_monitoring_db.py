from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import fixed, naive_ns
from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.importers import sqlite_file
from dnpcsql.importers.context import Alone, Context
from dnpcsql.importers.monitoring_db import monitoring_db
from dnpcsql.records import Event, Link, Problem, Record, Sample, Span, Tally
from dnpcsql.store import Store
from tests.conftest import Case, corpus, facts
from tests.test_database import held

RUN = "71d4a751-6867-449f-b893-6b653903b644"
UTC = Context(clocks_of_run=lambda *_: Alone(fixed(0, "told")))

# The tables as Parsl 1.2.0 of 2021 made them, without their constraints: nothing is NOT NULL.
_TABLES = """
CREATE TABLE workflow (run_id TEXT, workflow_name TEXT, workflow_version TEXT, time_began DATETIME,
  time_completed DATETIME, host TEXT, user TEXT, rundir TEXT, tasks_failed_count INTEGER,
  tasks_completed_count INTEGER);
CREATE TABLE task (task_id INTEGER, run_id TEXT, task_depends TEXT, task_func_name TEXT,
  task_memoize TEXT, task_hashsum TEXT, task_inputs TEXT, task_outputs TEXT, task_stdin TEXT,
  task_stdout TEXT, task_stderr TEXT, task_time_invoked DATETIME, task_time_returned DATETIME,
  task_fail_count INTEGER, task_fail_cost FLOAT);
CREATE TABLE try (try_id INTEGER, task_id INTEGER, run_id TEXT, block_id TEXT, hostname TEXT,
  task_executor TEXT, task_try_time_launched DATETIME, task_try_time_running DATETIME,
  task_try_time_returned DATETIME, task_fail_history TEXT, task_joins TEXT);
CREATE TABLE node (id INTEGER PRIMARY KEY, run_id TEXT, hostname TEXT, uid TEXT, block_id TEXT,
  cpu_count INTEGER, total_memory INTEGER, active BOOLEAN, worker_count INTEGER, python_v TEXT,
  timestamp DATETIME, last_heartbeat DATETIME);
CREATE TABLE block (run_id TEXT, executor_label TEXT, block_id TEXT, job_id TEXT,
  timestamp DATETIME, status TEXT);
CREATE TABLE status (task_id INTEGER, task_status_name TEXT, timestamp DATETIME, run_id TEXT,
  try_id INTEGER);
"""
_RESOURCE = """
CREATE TABLE resource (try_id INTEGER, task_id INTEGER, run_id TEXT, timestamp DATETIME,
  resource_monitoring_interval FLOAT, psutil_process_pid INTEGER, {era}
  psutil_process_memory_percent FLOAT, psutil_process_children_count FLOAT,
  psutil_process_time_user FLOAT, psutil_process_time_system FLOAT,
  psutil_process_memory_virtual FLOAT, psutil_process_memory_resident FLOAT,
  psutil_process_disk_read FLOAT, psutil_process_disk_write FLOAT, psutil_process_status TEXT
  {later});
"""
_ERAS = {
    "2021, 16 columns": ("psutil_process_cpu_percent FLOAT,", ""),
    "2023, 15 columns": ("", ""),
    "2024, 18 columns": (
        "",
        """, psutil_cpu_num TEXT, psutil_process_num_ctx_switches_voluntary FLOAT,
        psutil_process_num_ctx_switches_involuntary FLOAT""",
    ),
}
T = "2026-11-22 07:06:{:09.6f}".format


def database(path: Path, *rows: dict[str, Any], era: str = "2023, 15 columns") -> Path:
    """A monitoring.db of these rows: {"table": …, column: value}."""
    early, later = _ERAS[era]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES + _RESOURCE.format(era=early, later=later))
        for row in rows:
            values = dict(row)
            table = values.pop("table")
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values())
            )
        connection.commit()
    return path


def workflow(**values: Any) -> dict[str, Any]:
    return {"table": "workflow", "run_id": RUN, "time_began": T(0), "rundir": "/x/000", **values}


def task(number: int = 0, **values: Any) -> dict[str, Any]:
    return {"table": "task", "run_id": RUN, "task_id": number, "task_func_name": "app", **values}


def attempt(number: int = 0, try_id: int = 0, **values: Any) -> dict[str, Any]:
    return {"table": "try", "run_id": RUN, "task_id": number, "try_id": try_id, **values}


def status(state: str | None, time: str | None, number: int = 0, try_id: int = 0) -> dict[str, Any]:
    values = {"task_id": number, "try_id": try_id, "task_status_name": state, "timestamp": time}
    return {"table": "status", "run_id": RUN, **values}


def block(**values: Any) -> dict[str, Any]:
    known = {"executor_label": "htex", "block_id": "0", "timestamp": T(1), "status": "PENDING"}
    return {"table": "block", "run_id": RUN, **known, **values}


def read(path: Path, context: Context = UTC) -> list[Record]:
    return list(monitoring_db(path, context))


def of_type(records: Sequence[Record], kind: type[Any]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def problems(records: Sequence[Record]) -> list[tuple[str, str]]:
    return [(found.kind, found.text) for found in of_type(records, Problem)]


def read_rows(tmp_path: Path, *rows: dict[str, Any]) -> list[Record]:
    return read(database(tmp_path / "monitoring.db", *rows))


# Each table


def test_a_workflow_is_the_run(tmp_path: Path) -> None:
    records = read_rows(
        tmp_path,
        workflow(
            workflow_name="mine",
            workflow_version="1",
            time_completed=T(9),
            host="h",
            user="u",
            tasks_failed_count=0,
            tasks_completed_count=3,
        ),
    )
    (span,) = of_type(records, Span)
    assert span.uuid == "6b653903b6441100000000000000"
    assert (span.type, span.name, span.line) == ("parsl.monitoring.workflow", "mine", 1)
    assert (span.start_unix_nano, span.end_unix_nano) == (naive_ns(T(0)), naive_ns(T(9)))
    assert json.loads(span.attributes) == {
        "parsl.workflow.version": "1",
        "host.name": "h",
        "user.name": "u",
        "parsl.rundir": "/x/000",
        "parsl.tasks.failed": 0,
        "parsl.tasks.completed": 3,
    }
    assert [event.type for event in of_type(records, Event)] == ["began", "completed"]
    assert records[-1] == Tally(1, 1, 1, {}, "+00:00", "told")


def test_a_task_depends_on_others_each_once(tmp_path: Path) -> None:
    records = read_rows(
        tmp_path,
        workflow(),
        task(3, task_depends="2,1,2", task_time_invoked=T(1), task_time_returned=T(2)),
        task(4, task_depends="", task_memoize="1", task_hashsum="d41d8", task_inputs="[]"),
    )
    assert [(link.linked_uuid[14:24], link.ordinal) for link in of_type(records, Link)] == [
        ("0000000002", 0),
        ("0000000001", 1),
    ]
    third, fourth = of_type(records, Span)[1:]
    assert (third.name, third.end_unix_nano) == ("app", naive_ns(T(2)))
    assert json.loads(fourth.attributes) == {
        "parsl.task.memoize": True,
        "parsl.task.hashsum": "d41d8",
    }


def test_a_failed_try_has_an_exception_event(tmp_path: Path) -> None:
    records = read_rows(
        tmp_path,
        workflow(),
        attempt(task_fail_history="ValueError('two\n  lines: x')", task_try_time_returned=T(5)),
        attempt(1, task_fail_history="no repr at all", task_try_time_launched=T(6)),
        attempt(2, task_fail_history="Late()", task_try_time_running=T(7)),
        attempt(3, task_fail_history="Never()"),
    )
    assert [
        (event.time_unix_nano, json.loads(event.attributes))
        for event in of_type(records, Event)
        if event.type == "exception"
    ] == [
        (
            naive_ns(T(5)),
            {"exception.type": "ValueError", "exception.message": "'two\n  lines: x'"},
        ),
        (naive_ns(T(6)), {"exception.message": "no repr at all"}),
        (naive_ns(T(7)), {"exception.type": "Late", "exception.message": ""}),
    ]
    assert [span.status_code for span in of_type(records, Span)[1:]] == [2, 2, 2, 2]
    assert problems(records) == [("no time", "a failure without any time: Never()")]


def test_a_long_failure_is_cut(tmp_path: Path) -> None:
    history = f"BadStateException('{'x' * 10**6}')"
    records = read_rows(
        tmp_path, workflow(), attempt(task_fail_history=history, task_try_time_returned=T(5))
    )
    assert len(of_type(records, Span)[1].status_message) == 4000
    assert len(of_type(records, Event)[-1].attributes) < 9000


def test_a_join_links_its_task_to_the_inner_ones(tmp_path: Path) -> None:
    records = read_rows(tmp_path, workflow(), attempt(5, task_joins="6,7"))
    assert [(link.type, link.span_uuid[14:24], link.linked_uuid[14:24]) for link in records
            if isinstance(link, Link)] == [
        ("joins", "0000000005", "0000000006"),
        ("joins", "0000000005", "0000000007"),
    ]  # fmt: skip


def test_a_blocks_states_are_events_of_one_span(tmp_path: Path) -> None:
    records = read_rows(
        tmp_path,
        workflow(),
        block(job_id="77"),
        block(timestamp=T(2), status="RUNNING"),
        block(timestamp=T(3), block_id="1"),
    )
    spans = of_type(records, Span)[1:]
    assert [json.loads(span.attributes) for span in spans] == [
        {"parsl.executor.label": "htex", "parsl.block.id": "0", "parsl.block.job_id": "77"},
        {"parsl.executor.label": "htex", "parsl.block.id": "1"},
    ]
    events = of_type(records, Event)[1:]
    assert [(event.type, event.span_uuid == spans[0].uuid) for event in events] == [
        ("PENDING", True),
        ("RUNNING", True),
        ("PENDING", False),
    ]


def test_a_managers_rows_are_events_that_tell_only_what_changed(tmp_path: Path) -> None:
    node = {
        "table": "node", "run_id": RUN, "hostname": "h", "uid": "91365d3eae4d", "block_id": "0",
        "cpu_count": 8, "total_memory": 10**12, "active": 1, "worker_count": 2, "python_v": "3.11",
        "timestamp": T(1), "last_heartbeat": T(1),
    }  # fmt: skip
    records = read_rows(
        tmp_path,
        workflow(),
        node,
        {**node, "timestamp": T(2)},
        {**node, "timestamp": T(3), "worker_count": 1, "last_heartbeat": T(3)},
        {**node, "timestamp": T(4), "worker_count": 1, "last_heartbeat": T(3), "active": 0},
    )
    (span,) = of_type(records, Span)[1:]
    assert json.loads(span.attributes)["parsl.manager.total_memory"] == 10**12
    assert [(event.type, json.loads(event.attributes or "{}")) for event in of_type(records, Event)
            if event.span_uuid == span.uuid] == [
        ("node_active", {}),
        ("node_active", {}),
        ("node_active", {"parsl.manager.worker_count": 1,
                         "parsl.manager.last_heartbeat_unix_nano": naive_ns(T(3))}),
        ("node_inactive", {}),
    ]  # fmt: skip


@pytest.mark.parametrize("era", _ERAS)
def test_readings_of_every_era_are_kept_whole(era: str, tmp_path: Path) -> None:
    reading = {
        "table": "resource", "run_id": RUN, "task_id": 1, "try_id": 0, "timestamp": T(3),
        "psutil_process_pid": 17071, "psutil_process_time_user": 0.25,
        "psutil_process_status": "sleeping",
    }  # fmt: skip
    if era.startswith("2021"):
        reading["psutil_process_cpu_percent"] = 99.5
    if era.startswith("2024"):
        reading["psutil_cpu_num"] = "3"
    records = read(database(tmp_path / "monitoring.db", workflow(), reading, era=era))
    (sample,) = of_type(records, Sample)
    assert sample.time_unix_nano == naive_ns(T(3))
    assert json.loads(sample.metrics) == {
        name: value for name, value in reading.items() if name.startswith("psutil")
    }
    assert problems(records) == []


def test_a_column_of_the_future_is_told_of_and_the_rest_is_read(tmp_path: Path) -> None:
    path = database(tmp_path / "monitoring.db", workflow(), task())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE task ADD COLUMN task_mood TEXT")
        connection.execute("ALTER TABLE resource ADD COLUMN psutil_process_io FLOAT")
        connection.execute("ALTER TABLE task DROP COLUMN task_hashsum")
        connection.execute("DROP TABLE node")
    records = read(path)
    assert problems(records) == [
        ("column not known", "task.task_mood"),
        ("table missing", "node"),
    ]
    assert len(of_type(records, Span)) == 2


# Rows that are not as they should be


def test_a_row_of_nothing_is_a_problem_and_its_neighbours_are_read(tmp_path: Path) -> None:
    tables = ("workflow", "task", "try", "status", "resource", "block", "node")
    good = [workflow(), task(), attempt(), status("pending", T(1))]
    nothing = [{"table": table, "run_id": None} for table in tables]
    records = read_rows(tmp_path, *nothing, *good, *nothing)
    assert Counter(kind for kind, _ in problems(records)) == {"row not understood": 14}
    assert [span.type.rpartition(".")[2] for span in of_type(records, Span)] == [
        "workflow",
        "task",
        "try",
    ]
    assert records[-1] == Tally(18, 18, 4, {}, "+00:00", "told")


@pytest.mark.parametrize(
    "row",
    [
        task(None),  # type: ignore[arg-type]
        task(-1),
        task(10**10),
        task(2.5),  # type: ignore[arg-type]
        task("three"),  # type: ignore[arg-type]
        task(1, task_depends="1;2"),
        attempt(0, 10**4),
        status(None, T(1)),
        status("", T(1)),
        status("pending", None),
        status("pending", "yesterday"),
        status("pending", "9999-12-31 23:59:59.000000"),
        block(executor_label=None),
        block(block_id=None),
        block(status=None),
        {"table": "node", "run_id": RUN, "timestamp": T(1)},
        {"table": "node", "run_id": RUN, "uid": "u"},
        {"table": "resource", "run_id": RUN, "task_id": 0, "try_id": 0, "timestamp": T(1),
         "psutil_process_time_user": float("inf")},
    ],
)  # fmt: skip
def test_a_row_without_what_it_needs_is_one_problem(row: dict[str, Any], tmp_path: Path) -> None:
    path = database(tmp_path / "monitoring.db", workflow(), row)
    assert [kind for kind, _ in problems(read(path))] == ["row not understood"]
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(path)
        assert store.query("SELECT kind, count FROM problem WHERE kind <> 'no zone'").all() == [
            ("row not understood", 1)
        ]


def test_a_time_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    records = read_rows(
        tmp_path,
        workflow(time_began="in the morning", time_completed=7),
        task(task_time_invoked="", task_time_returned=T(5)),
        attempt(task_try_time_launched="2026-11-22", task_try_time_returned=b"\x00"),
    )
    assert problems(records) == [
        ("time not understood", "workflow: 'in the morning'"),
        ("time not understood", "workflow: 7"),
        ("time not understood", "task: ''"),
        ("time not understood", "try returned: b'\\x00'"),
    ]
    assert len(of_type(records, Span)) == 3
    assert of_type(records, Tally)[0].understood == 3


def test_whole_seconds_are_times_too(tmp_path: Path) -> None:
    records = read_rows(tmp_path, workflow(), status("pending", "2026-11-22 07:06:40"))
    assert of_type(records, Event)[-1].time_unix_nano == 1795331200 * 10**9


def test_broken_utf8_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = database(tmp_path / "monitoring.db", workflow(), task(0), task(1), task(2), attempt(2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE task SET task_func_name = CAST(x'636166e9' AS TEXT) WHERE task_id = 1"
        )
        connection.commit()
    records = read(path)
    names = [span.name for span in of_type(records, Span) if span.type.endswith(".task")]
    assert names == ["app", "caf�", "app"]
    assert problems(records) == []


# The file as a whole


def killed_while_writing(path: Path) -> None:
    """Begin a transaction of many pages beside a live database, and be killed in it."""
    row = "('r', 'h', ?, '', 't', 's')"
    code = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 5')\n"
        "connection.execute('BEGIN')\n"
        "connection.execute('DELETE FROM task')\n"
        "for number in range(20000):\n"
        f'    connection.execute("INSERT INTO block VALUES {row}", (number,))\n'
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_hot_journal_is_rolled_back_in_a_copy(copy: Case, tmp_path: Path) -> None:
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    before = read(path)
    killed_while_writing(path)
    journal = path.with_name("monitoring.db-journal")
    bytes_then = path.read_bytes(), journal.read_bytes()
    assert len(bytes_then[1]) > 0
    assert read(path) == before
    assert (path.read_bytes(), journal.read_bytes()) == bytes_then
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(path.parent)
        assert store.query("SELECT count(*) FROM parsl_task").value() == 23


def test_a_database_in_write_ahead_mode_is_read_with_its_log(copy: Case) -> None:
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    before = read(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE workflow SET workflow_name = 'in the log'")
        connection.commit()
        names = sorted(file.name for file in path.parent.iterdir())
        records = read(path)
        assert sorted(file.name for file in path.parent.iterdir()) == names
    assert of_type(records, Span)[0].name == "in the log"
    assert len(records) == len(before)
    read(path)
    assert not path.with_name("monitoring.db-shm").exists()


def test_a_database_that_is_being_written_is_read_as_it_was(copy: Case) -> None:
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    before = read(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM task")
        assert path.with_name("monitoring.db-journal").stat().st_size > 0
        assert read(path) == before
        writer.execute("ROLLBACK")


def test_a_locked_database_fails_by_name_and_others_are_read(
    copy: Case, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "WAIT_S", 0.1)
    monkeypatch.setattr(sqlite_file, "SHORT_WAIT_S", 0.1)
    runinfo = copy("parsl-2026.10.26-killed")
    with held(runinfo / "monitoring.db") as process:
        done = store.import_(runinfo)
    assert len(done.added) == 2
    (failed,) = done.failed
    assert failed.startswith(f"{runinfo}/monitoring.db is locked by process {process.pid} (python")
    assert "import a copy" in failed
    assert [source.importer for source in store.import_(runinfo).added] == ["monitoring.db"]


def test_a_database_that_is_locked_in_mid_read_fails_as_a_whole(
    copy: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "WAIT_S", 0.1)
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    records = monitoring_db(path, UTC)
    next(records)
    with pytest.raises(UnreadableError, match=r"monitoring\.db: database is locked"):
        _exhaust_while_held(path, records)


def _exhaust_while_held(path: Path, records: Any) -> None:
    for record in records:
        if isinstance(record, Span) and record.type.endswith(".try"):
            break
    # The rows of `try` are being read: the next table is met locked.
    rest = list(_until_status(records))
    assert rest
    with held(path):
        list(records)


def _until_status(records: Any) -> Any:
    for record in records:
        yield record
        if isinstance(record, Span) and record.uuid[14:24] == "0000000022":
            return


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_cut_off_database_is_read_as_far_as_it_goes(
    share: float, copy: Case, store: Store
) -> None:
    path = copy("parsl-2023.12.18-full") / "monitoring.db"
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    done = store.import_(path)
    if done.failed:
        assert done.failed[0].startswith(str(path))
    else:
        assert store.query("SELECT count(*) FROM problem WHERE kind = 'damaged table'").value()


def test_a_database_of_which_no_table_can_be_read_fails_by_name(copy: Case, store: Store) -> None:
    path = copy("parsl-2026.10.26-killed") / "monitoring.db"
    path.write_bytes(path.read_bytes()[:4096].ljust(8192, b"\xff")[:200] + b"\xff" * 8000)
    done = store.import_(path.parent)
    assert [text.partition(":")[0] for text in done.failed] == [str(path)]


def test_a_foreign_database_is_left_alone(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "monitoring.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE firefox_history (url)")
    with pytest.raises(NotFoundError, match="nothing here that dnpcsql knows"):
        store.import_(path)


def test_a_database_is_known_by_its_tables_whatever_its_name(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    (runinfo / "monitoring.db").rename(runinfo / "monitor.sqlite")
    done = store.import_(runinfo)
    assert [(Path(source.path).name, source.importer) for source in done.added][-1] == (
        "monitor.sqlite",
        "monitoring.db",
    )
    assert store.query("SELECT utc_offset_how FROM source WHERE path LIKE '%sqlite'").value() == (
        "from parsl.log"
    )


def test_a_database_in_a_folder_of_any_name_goes_by_the_zone_that_was_given(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "20231105"
    folder.mkdir()
    path = (copy("parsl-2026.10.26-killed") / "monitoring.db").rename(folder / "monitoring.db")
    done = store.import_(path, timezone=["+09:00"])
    assert [(source.utc_offset, source.utc_offset_how) for source in done.added] == [
        ("+09:00", "--timezone +09:00")
    ]
    assert store.query("SELECT kind FROM problem").all() == []


# Clocks


def alone_in(tmp_path: Path) -> Path:
    """A folder around which there is nothing that tells of a run."""
    folder = tmp_path / "far" / "away"
    folder.mkdir(parents=True)
    return folder


def test_a_database_goes_by_the_clock_of_each_runs_log(case: Case, store: Store) -> None:
    """Four runs in Berlin's winter, known from the logs beside the database."""
    folder = case("parsl-2025.9.15-multi")
    store.import_(folder / "runinfo" / "monitoring.db")
    assert store.query("SELECT utc_offset, utc_offset_how FROM source").all() == [
        ("+01:00", "from parsl.log")
    ]
    monitored = [flow for flow in facts(folder)["workflows"] if flow["monitored"]]
    invoked = {
        (run, task): time
        for run, task, time in store.query("SELECT run_id, task_id, invoked FROM parsl_task")
    }
    for flow in monitored:
        for known in flow["tasks"]:
            assert invoked[flow["run_id"], known["task_id"]] == pytest.approx(
                known["submit_called"], abs=0.2
            )


@pytest.mark.parametrize("alone", [False, True])
def test_a_run_over_the_autumn_hour_is_told_apart(
    alone: bool, copy: Case, case: Case, tmp_path: Path
) -> None:
    """With the log's epochs beside it, and with nothing but the zone's name."""
    runinfo = copy("parsl-2026.10.26-dst")
    known = facts(case("parsl-2026.10.26-dst"))["workflows"][0]["tasks"]
    path = runinfo / "monitoring.db"
    with Store(runinfo.parent / "dnpc.sqlite3") as store:
        if alone:
            path = path.rename(alone_in(tmp_path) / "alone.db")
        done = store.import_(path, timezone=["Europe/Berlin"])
        times = {
            row[0]: row[1:]
            for row in store.query("SELECT task_id, invoked, returned FROM parsl_task")
        }
        assert len(times) == len(known) > 100
        for task_ in known:
            invoked, returned = times[task_["task_id"]]
            assert invoked == pytest.approx(task_["submit_called"], abs=0.5)
            assert returned == pytest.approx(task_["future_done"], abs=0.5)
        offset = store.query("SELECT utc_offset, utc_offset_how FROM source").all()
        assert offset == [
            (None, "--timezone Europe/Berlin") if alone else ("+02:00, +01:00", "from parsl.log")
        ]
        ambiguous = store.query("SELECT kind FROM problem").all()
        assert ambiguous == ([("ambiguous hour",)] if alone else [])
    assert done.failed == []


def test_worker_times_go_by_the_clock_of_the_workers_host(tmp_path: Path) -> None:
    """Three hosts with other clocks, one in another zone."""
    folder = corpus("parsl-2026.10.26-skew")
    known = json.loads((folder / "expected.json").read_text())["workflows"][0]["tasks"]
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(folder / "runinfo" / "monitoring.db")
        (source,) = store.sources()
        running = {
            row[0]: row[1]
            for row in store.query("SELECT task_id, max(running) FROM parsl_try GROUP BY task_id")
        }
    assert source.utc_offset == "-06:00, +00:00"
    assert source.utc_offset_how == "from parsl.log; from manager.log"
    checked = 0
    for task_ in known:
        inside = task_.get("inside")
        if inside and task_["final_state"] == "exec_done" and running[task_["task_id"]]:
            assert inside["start"] - 60 < running[task_["task_id"]] <= inside["start"] + 0.002
            checked += 1
    assert checked > 50


def test_a_database_alone_is_read_as_utc_and_says_so(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    path = copy("parsl-2025.9.15-multi") / "monitoring.db"
    store.import_(path.rename(alone_in(tmp_path) / "alone.db"))
    assert store.query("SELECT kind, count(*) FROM problem GROUP BY kind").all() == [("no zone", 4)]
    assert store.query("SELECT utc_offset_how FROM source").value().startswith("nothing known")


@pytest.mark.parametrize("named", [False, True])
def test_a_database_of_before_2022_lies_beside_runinfo_and_goes_by_its_logs(
    named: bool, copy: Case, store: Store
) -> None:
    runinfo = copy("parsl-2025.9.15-multi")
    (runinfo / "monitoring.db").rename(runinfo.parent / "monitoring.db")
    if named:
        for overlapping in ("003", "004"):
            shutil.rmtree(runinfo / overlapping)
        for log in runinfo.glob("*/parsl.log"):  # then the database names the run
            log.write_text(log.read_text().replace("Run id is", "Its name is"))
    store.import_(runinfo.parent)
    assert store.query("SELECT count(*) FROM parsl_run").value() == (4 if named else 5)
    used = "SELECT utc_offset FROM source WHERE importer = 'monitoring.db'"
    assert store.query(used).value() == ("+01:00, +00:00" if named else "+01:00")
    facets = "SELECT count(*) FROM facet WHERE left_uuid LIKE '____________12%'"
    assert store.query(facets).value() == (27 if named else 38)


def test_a_parsl_log_beside_a_database_does_not_hide_its_runs_clocks(
    copy: Case, store: Store
) -> None:
    """As `parsl.set_file_logger("parsl.log")` leaves one where the workflow was started."""
    runinfo = copy("parsl-2025.9.15-multi")
    (runinfo / "parsl.log").write_bytes((runinfo / "000" / "parsl.log").read_bytes()[:2000])
    store.import_(runinfo / "monitoring.db")
    assert store.query("SELECT utc_offset FROM source").value() == "+01:00"


# Some runs of many


def test_only_the_runs_that_are_wanted_are_read(case: Case) -> None:
    folder = case("parsl-2025.9.15-multi")
    wanted = facts(folder)["workflows"][1]["run_id"]
    path = folder / "runinfo" / "monitoring.db"
    records = read(path, Context(clocks_of_run=UTC.clocks_of_run, only_runs=frozenset({wanted})))
    everything = read(path)
    part = wanted.replace("-", "")[-12:]
    uuids = [record[0] for record in records if isinstance(record, Span | Event | Sample | Link)]
    assert {uuid[:12] for uuid in uuids} == {part}
    assert len(of_type(records, Event)) == len(
        [event for event in of_type(everything, Event) if event.span_uuid.startswith(part)]
    )
    assert 0 < of_type(records, Tally)[0].lines < of_type(everything, Tally)[0].lines
