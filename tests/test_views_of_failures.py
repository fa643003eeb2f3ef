"""What failed and where, what was tried again, spared, used, waited for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dnpcsql import Event, Link, Sample, Span
from dnpcsql.identity import MONITORING, Names
from dnpcsql.store import Store
from tests.conftest import CORPUS, Case, corpus, facts

RUN = "71d4a751-6867-449f-b893-6b653903b644"

# What the apps of the script of the full runs raise.
RAISES = {"boom": "ValueError", "tick_fail": "KeyError", "bash_fail": "BashExitFailure"}


@pytest.fixture(params=["both", "logs", "database"])
def told(request: pytest.FixtureRequest, case: Case, store: Store) -> tuple[str, Store]:
    """A run of 2023 with tasks of every kind, told by its database, its log or both."""
    folder = case("parsl-2023.12.18-full") / "runinfo"
    paths = {
        "both": folder,
        "logs": folder / "000" / "parsl.log",
        "database": folder / "monitoring.db",
    }
    store.import_(paths[request.param])
    return request.param, store


# Failures


def test_each_failed_try_is_a_failure_with_its_exception_and_place(
    told: tuple[str, Store], case: Case
) -> None:
    accounts, store = told
    (flow,) = facts(case("parsl-2023.12.18-full"))["workflows"]
    rows = store.query("SELECT * FROM failure WHERE what = 'try'").dicts()
    assert len({(row["task_id"], row["try_id"]) for row in rows}) == len(rows)
    by_task = {row["task_id"]: row for row in sorted(rows, key=lambda row: row["try_id"])}
    for task in flow["tasks"]:
        if task["final_state"] == "failed":
            row = by_task[task["task_id"]]
            assert (row["app"], row["layer"]) == (task["app"], "app")
            assert row["exception"] == RAISES[task["app"]]
        if task["final_state"] == "dep_fail":
            assert by_task[task["task_id"]]["layer"] == "dependency"
    for row in rows:
        assert row["time"] is not None
        suffix = "monitoring.db" if accounts == "database" else "parsl.log"
        assert row["path"].endswith(suffix)
        if accounts != "database":
            line = Path(row["path"]).read_text().split("\n")[row["line"] - 1]
            assert f"Task {row['task_id']} " in line


def test_failures_are_counted_by_what_they_have_in_common(told: tuple[str, Store]) -> None:
    _, store = told
    total = store.query("SELECT sum(failures) FROM failure_summary").value()
    assert total == store.query("SELECT count(*) FROM failure").value()
    assert store.query(
        "SELECT layer, exception, sum(failures), sum(tasks) FROM failure_summary "
        "WHERE app = 'boom' GROUP BY layer, exception"
    ).all() == [("app", "ValueError", 6, 2)]


def test_blocks_and_managers_fail_too(store: Store) -> None:
    names = Names(RUN, MONITORING)
    block = names.block("htex", "0")
    store.add(
        [
            Span(
                block, "parsl.monitoring.block", names.trace_high,
                attributes='{"parsl.executor.label": "htex", "parsl.block.id": "0"}',
            ),
            *(Event(block, second * 10**9, "FAILED", second) for second in (5, 6, 7)),
        ]
    )  # fmt: skip
    assert store.query(
        "SELECT layer, what, exception, executor, block_id, time, line FROM failure"
    ).all() == [("block", "block", "FAILED", "htex", "0", 5.0, 5)]


def test_spans_of_other_programs_fail(store: Store) -> None:
    store.import_(CORPUS / "otlp" if CORPUS.is_dir() else corpus("otlp"))
    bad = store.query("SELECT count(*) FROM span WHERE status_code = 2").value()
    assert bad
    assert store.query("SELECT count(*) FROM failure WHERE layer = 'trace'").value() == bad


# Tried again, spared


def test_each_later_try_says_what_the_one_before_failed_of(told: tuple[str, Store]) -> None:
    _, store = told
    rows = store.query("SELECT * FROM retry").dicts()
    later = store.query("SELECT count(*) FROM parsl_try WHERE try_id > 0").value()
    assert len(rows) == later > 5
    for row in rows:
        assert row["cause"]
        assert 0 <= row["delay_s"] < 5
        assert row["lost_s"] > 0
    flaky = [row for row in rows if row["app"] == "flaky"]
    assert {"RuntimeError" in row["cause"] for row in flaky} == {True}


def test_what_was_memoized_says_which_task_did_the_work(told: tuple[str, Store]) -> None:
    accounts, store = told
    hits = store.query("SELECT task_id, worked_task_id, saved_s FROM memoization WHERE hit").all()
    assert [task for task, _, _ in hits] == [41, 42]
    if accounts == "logs":
        assert {worked for _, worked, _ in hits} == {None}
        return
    assert {worked for _, worked, _ in hits} == {40}
    took = store.query("SELECT returned - invoked FROM parsl_task WHERE task_id = 40").value()
    assert all(saved == pytest.approx(took, abs=1e-6) for _, _, saved in hits)


def test_a_tasks_error_is_its_last_failed_trys(told: tuple[str, Store]) -> None:
    accounts, store = told
    rows = store.query("SELECT app, state, error FROM parsl_task WHERE error IS NOT NULL").all()
    # The log of those days says that a dependency failed, but no type of exception.
    wanted = {"failed"} if accounts == "logs" else {"failed", "dep_fail"}
    assert {state for _, state, _ in rows} >= wanted
    assert all("ValueError" in error for app, _, error in rows if app == "boom")
    failed = store.query("SELECT count(*) FROM parsl_task WHERE state = 'failed'").value()
    assert failed == sum(state == "failed" for _, state, _ in rows)


# Used


def reading(line: int, pid: int, resident: float, user: float, system: float) -> Sample:
    metrics = {
        "psutil_process_pid": pid, "psutil_process_memory_resident": resident,
        "psutil_process_time_user": user, "psutil_process_time_system": system,
    }  # fmt: skip
    uuid = Names(RUN, MONITORING).attempt(3, 0)
    return Sample(uuid, line * 10**9, line, json.dumps(metrics))


def test_counters_that_never_restart_count_by_how_far_they_rose(store: Store) -> None:
    """A worker's process served others before: its counters begin above 0. Two served this try."""
    names = Names(RUN, MONITORING)
    store.add(
        [
            Span(names.task(3), "parsl.monitoring.task", names.trace_high, name="work"),
            Span(names.attempt(3, 0), "parsl.monitoring.try", names.trace_high),
            reading(1, 17, 100.0, 50.0, 7.0),
            reading(2, 17, 300.0, 51.5, 7.25),
            reading(3, 17, 200.0, 52.0, 7.5),
            reading(4, 18, 150.0, 9.0, 1.0),
            reading(5, 18, 150.0, 9.5, 1.0),
        ]
    )
    (row,) = store.query(
        "SELECT app, readings, seconds, memory_peak, cpu_user_s, cpu_system_s, cpu_s, cpus "
        "FROM resource_use"
    ).all()
    assert row == ("work", 5, 4.0, 300.0, 2.5, 0.5, 3.0, 0.75)
    (row,) = store.query("SELECT tries, memory_peak, cpu_s FROM resource_summary").all()
    assert row == (1, 300.0, 3.0)


def test_one_reading_tells_of_memory_and_of_no_cpu(store: Store) -> None:
    names = Names(RUN, MONITORING)
    store.add(
        [
            Span(names.attempt(3, 0), "parsl.monitoring.try", names.trace_high),
            reading(1, 17, 100.0, 50.0, 7.0),
        ]
    )
    assert store.query("SELECT memory_peak, cpu_s FROM resource_use").all() == [(100.0, None)]


# Waited for


def longest(depends: dict[int, set[int]]) -> dict[int, int]:
    """The depth of each task, by hand."""
    found: dict[int, int] = {}

    def depth(task: int) -> int:
        if task not in found:
            found[task] = max((depth(on) + 1 for on in depends.get(task, ())), default=0)
        return found[task]

    return {task: depth(task) for task in depends}


GRAPHS = {
    "a diamond": {0: set(), 1: {0}, 2: {0}, 3: {1, 2}},
    "a short way and a long way": {0: set(), 1: {0}, 2: {1}, 3: {0, 2}, 4: {3, 0, 1}},
    "staged in by a later number": {0: {2}, 1: {0}, 2: set()},
    "a chain that shares an input": {0: set(), **{n: {0, n - 1} for n in range(1, 60)}},
    "one that waits for many": {**{n: {n - 1} - {-1} for n in range(60)}, 60: set(range(60))},
    "every tenth": {n: {m for m in (n - 1, n - 10) if m >= 0} for n in range(40)},
}  # fmt: skip


@pytest.mark.parametrize("depends", GRAPHS.values(), ids=list(GRAPHS))
def test_depth_is_the_longest_way(depends: dict[int, set[int]], store: Store) -> None:
    names = Names(RUN, MONITORING)
    store.add(
        [
            *(
                Span(names.task(task), "parsl.monitoring.task", names.trace_high)
                for task in depends
            ),
            *(
                Link(names.task(task), names.task(on), "depends_on", place)
                for task, found in depends.items()
                for place, on in enumerate(sorted(found))
            ),
        ]
    )
    rows = store.query("SELECT task_id, depth, fan_in, fan_out FROM dependency_depth").all()
    assert {task: depth for task, depth, _, _ in rows} == longest(depends)
    assert {task: fan for task, _, fan, _ in rows} == {
        task: len(found) for task, found in depends.items()
    }
    assert {task: fan for task, _, _, fan in rows} == {
        task: sum(task in found for found in depends.values()) for task in depends
    }


def test_the_depth_of_a_real_runs_chain_of_thirty(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    (flow,) = facts(folder)["workflows"]
    store.import_(folder)
    known = {task["task_id"]: set(task["depends_seen_by_script"] or ()) for task in flow["tasks"]}
    rows: dict[int, int] = dict(store.query("SELECT task_id, depth FROM dependency_depth").all())
    assert rows == longest(known)
    assert max(rows.values()) >= 29


# By ClickHouse's names


def test_every_span_by_the_names_of_clickhouse(told: tuple[str, Store]) -> None:
    _, store = told
    result = store.query("otel_traces")
    assert result.columns == [
        "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind",
        "ServiceName", "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes",
        "Duration", "StatusCode", "StatusMessage", "Events.Timestamp", "Events.Name",
        "Events.Attributes", "Links.TraceId", "Links.SpanId", "Links.TraceState",
        "Links.Attributes",
    ]  # fmt: skip
    rows = result.dicts()
    assert len(rows) == store.query("SELECT count(*) FROM span").value()
    ids = {row["SpanId"] for row in rows}
    for row in rows:
        assert row["ParentSpanId"] in {"", *ids}
        assert row["ServiceName"] == "parsl-workflow"
        names, times = json.loads(row["Events.Name"]), json.loads(row["Events.Timestamp"])
        assert len(names) == len(times) == len(json.loads(row["Events.Attributes"]))
        assert times == sorted(times)
        assert set(json.loads(row["Links.SpanId"])) <= ids
        if row["Timestamp"]:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}", row["Timestamp"])
    assert {row["StatusCode"] for row in rows} == {"Unset", "Ok", "Error"}
