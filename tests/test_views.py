from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql.database import connect
from dnpcsql.store import Store
from dnpcsql.views import View, views
from tests.conftest import Case, as_text, corpus, facts

VIEWS = {view.name: view for view in views()}
HOPS = [
    "pending", "launched", "interchange_received", "interchange_sent", "manager_got",
    "worker_received", "running", "running_ended", "worker_completed", "worker_finished",
    "interchange_result", "returned",
]  # fmt: skip
LOGGED_AFTERWARDS = {"launched", "interchange_sent", "interchange_result", "worker_finished"}
# What users, and the acceptance checks, rely on.
PROMISED = {
    "parsl_run": "run_id name rundir started ended tasks host user parsl_version",
    "parsl_task": "run_id task_id app state tries executor fail_count invoked returned uuid",
    "parsl_try": "run_id task_id try_id executor executor_task_id block_id manager_id worker_id "
    f"hostname state {' '.join(HOPS)} uuid",
    "parsl_dependency": "run_id task_id depends_on",
    "moment": "span_uuid time_unix_nano time type source_id line",
    "entity": "span_uuid entity_uuid",
}
NANOSECOND = 1e-9


@pytest.fixture(scope="module")
def full(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A run of 2023 with tasks of every kind, told by its database and its log."""
    with Store(tmp_path_factory.mktemp("full") / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2023.12.18-full"))
        yield store


@pytest.fixture(scope="module")
def whole_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A run of 2026 with the logs of its executors and workers."""
    with Store(tmp_path_factory.mktemp("tree") / "dnpc.sqlite3") as store:
        store.import_(corpus("parsl-2026.10.26-full") / "runinfo")
        yield store


# All views


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_each_column_is_explained_and_each_explained_is_a_column(view: View, full: Store) -> None:
    assert view.about
    assert full.query(f"SELECT * FROM {view.name} LIMIT 0").columns == list(view.columns)
    assert all(view.columns.values())


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_each_view_of_an_empty_database_is_empty(view: View, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "empty.sqlite3", write=True)) as connection:
        assert connection.execute(f"SELECT * FROM {view.name}").fetchall() == []


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_each_view_of_a_real_run_can_be_read_to_its_end(view: View, full: Store) -> None:
    full.query(f"SELECT * FROM {view.name}").all()


@pytest.mark.parametrize(("name", "columns"), PROMISED.items())
def test_the_columns_that_others_rely_on_are_there(name: str, columns: str) -> None:
    assert [column for column in columns.split() if column not in VIEWS[name].columns] == []


def test_views_keep_to_what_old_sqlite_knows() -> None:
    """HPC sites have sqlite3 commands of 2020: 3.31."""
    from dnpcsql.database import sql_files

    newer = (
        r"->>|->|\bunixepoch\(|\bRETURNING\b|\bRIGHT JOIN\b|\bFULL JOIN\b|\bMATERIALIZED\b|\biif\("
    )
    for name, text in sql_files("dnpcsql.views").items():
        code = re.sub(r"--.*", "", text)
        assert re.findall(newer, code) == [], name


def test_views_are_there_for_whoever_opens_the_file(full: Store) -> None:
    with closing(sqlite3.connect(full.path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM parsl_task").fetchone()
    assert count == full.query("SELECT count(*) FROM parsl_task").value()


# Found without a search


@pytest.mark.parametrize("view", ["parsl_task", "parsl_try"])
def test_one_task_is_found_without_looking_at_all_of_them(view: str, full: Store) -> None:
    plan = full.query(
        f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE task_id = :task AND run_id = :run",
        task=7,
        run="x",
    ).all()
    steps = [row[3] for row in plan]
    tables = "span|event|subspan|sample|link|task|attempt|logged|stored|worker|manager"
    assert [step for step in steps if re.match(rf"SCAN (TABLE )?({tables})\b", step)] == []


def test_the_dependencies_of_one_task_are_found_without_looking_at_all(full: Store) -> None:
    plan = full.query(
        "EXPLAIN QUERY PLAN SELECT * FROM parsl_dependency WHERE task_id = 7 AND run_id = 'x'"
    ).all()
    assert [
        row[3] for row in plan if re.match(r"SCAN (TABLE )?(span|link)\b(?!.*INDEX)", row[3])
    ] == []


# Answers


def test_one_row_for_each_run_whatever_was_imported(case: Case, tmp_path: Path) -> None:
    folder = case("parsl-2025.9.15-multi")
    flows = facts(folder)["workflows"]
    logs = sorted((folder / "runinfo").glob("*/parsl.log"))
    imports: dict[str, list[Path]] = {
        "both": [folder / "runinfo"],
        "logs": logs,
        "database": [folder / "runinfo" / "monitoring.db"],
    }
    for name, paths in imports.items():
        with Store(tmp_path / f"{name}.sqlite3") as store:
            store.import_(*paths)
            told = [flow for flow in flows if flow["monitored"] or name != "database"]
            rows = store.query("SELECT run_id, tasks, ended IS NOT NULL FROM parsl_run").all()
            assert sorted(rows) == sorted((flow["run_id"], flow["total_tasks"], 1) for flow in told)


def test_a_run_says_who_what_and_where(full: Store) -> None:
    (run,) = full.query("parsl_run").dicts()
    assert run["name"] == "full workflow"
    assert Path(run["rundir"]).name == "000"
    assert run["parsl_version"] == "2023.12.18"
    assert run["user"]
    assert run["host"]
    assert 0 < run["ended"] - run["started"] < 120


def test_a_run_that_was_killed_never_ended(case: Case, store: Store) -> None:
    store.import_(case("parsl-2026.10.26-killed"))
    assert store.query("SELECT ended FROM parsl_run").all() == [(None,)]
    states = {row[0] for row in store.query("SELECT state FROM parsl_task WHERE returned IS NULL")}
    assert states <= {"pending", "launched", "running", "running_ended"}


@pytest.mark.parametrize("accounts", ["both", "logs", "database"])
def test_one_row_for_each_task_whoever_tells_of_it(
    accounts: str, case: Case, tmp_path: Path
) -> None:
    folder = case("parsl-2023.12.18-full")
    paths = {
        "both": folder / "runinfo",
        "logs": folder / "runinfo" / "000" / "parsl.log",
        "database": folder / "runinfo" / "monitoring.db",
    }
    (flow,) = facts(folder)["workflows"]
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(paths[accounts])
        tasks = store.query("SELECT * FROM parsl_task ORDER BY task_id").dicts()
        assert [task["task_id"] for task in tasks] == list(range(flow["total_tasks"]))
        for known in flow["tasks"]:
            task = tasks[known["task_id"]]
            assert (task["app"], task["state"]) == (known["app"], known["final_state"])
            assert known["tries"] in (None, task["tries"])
            assert task["uuid"].endswith(f"02{known['task_id']:010d}0000")
        pairs = store.query("SELECT task_id, depends_on FROM parsl_dependency").all()
        assert len(pairs) == len(set(pairs))
        for known in flow["tasks"]:
            depends = {on for task_id, on in pairs if task_id == known["task_id"]}
            assert set(known["depends_seen_by_script"] or ()) <= depends
        tries = store.query("SELECT task_id, try_id FROM parsl_try").all()
        assert len(tries) == len(set(tries))


def test_entity_ids_do_not_depend_on_whose_account_was_imported(case: Case, tmp_path: Path) -> None:
    folder = case("parsl-2023.12.18-full") / "runinfo"
    found: list[set[str]] = []
    for number, path in enumerate((folder, folder / "000" / "parsl.log", folder / "monitoring.db")):
        with Store(tmp_path / f"{number}.sqlite3") as store:
            store.import_(path)
            found.append({row[0] for row in store.query("SELECT uuid FROM parsl_task")})
            entities = {row[0] for row in store.query("SELECT entity_uuid FROM entity")}
            assert found[-1] <= entities
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (["pending"], "pending"),
        (["launched", "pending"], "launched"),
        (["running", "launched"], "running"),
        (["exec_done", "running_ended", "running"], "exec_done"),
        (["failed", "exec_done"], None),
        (["joining", "running_ended"], "joining"),
        (["fail_retryable"], "fail_retryable"),
        (["dep_fail"], "dep_fail"),
        (["memo_done", "pending"], "memo_done"),
    ],
)
def test_a_final_state_wins_else_the_furthest_whatever_the_order(
    events: list[str], state: str | None, store: Store
) -> None:
    from dnpcsql import Event, Span
    from dnpcsql.identity import MONITORING, Names

    names = Names("71d4a751-6867-449f-b893-6b653903b644", MONITORING)
    store.add(
        [
            Span(names.task(1), "parsl.monitoring.task", names.trace_high),
            Span(names.attempt(1, 0), "parsl.monitoring.try", names.trace_high),
            *(Event(names.attempt(1, 0), n, type_, n) for n, type_ in enumerate(events)),
        ]
    )
    for view in ("parsl_task", "parsl_try"):
        found = store.query(f"SELECT state FROM {view}").value()
        assert found == state or (state is None and found in ("failed", "exec_done"))


def test_a_later_try_counts_for_a_tasks_state(store: Store) -> None:
    from dnpcsql import Event, Span
    from dnpcsql.identity import PARSL_LOG, Names

    names = Names("71d4a751-6867-449f-b893-6b653903b644", PARSL_LOG)
    first, second = names.attempt(1, 0), names.attempt(1, 1)
    store.add(
        [
            Span(names.task(1), "parsl.rundir.task", names.trace_high),
            Span(first, "parsl.rundir.try", names.trace_high),
            Span(second, "parsl.rundir.try", names.trace_high),
            Event(first, 1, "launched", 1),
            Event(first, 2, "fail_retryable", 2),
            Event(second, 3, "launched", 3),
        ]
    )
    assert store.query("SELECT state, tries, fail_count FROM parsl_task").all() == [
        ("launched", 2, 1)
    ]


def test_the_hops_of_a_try_are_where_the_logs_say(whole_tree: Store) -> None:
    """Each hop known, in the order of a task's life, but for what is logged after it is done."""
    tries = whole_tree.query(
        "SELECT * FROM parsl_try WHERE executor = 'htex' AND state = 'exec_done'"
    ).dicts()
    assert len(tries) > 20
    for attempt in tries:
        assert [hop for hop in HOPS if attempt[hop] is None] == []
        times = [attempt[hop] for hop in HOPS if hop not in LOGGED_AFTERWARDS]
        assert times == sorted(times)
        assert abs(attempt["launched"] - attempt["interchange_received"]) < 0.1
        assert abs(attempt["interchange_sent"] - attempt["manager_got"]) < 0.1
        assert attempt["worker_completed"] < attempt["interchange_result"] + 0.05


def test_a_hop_that_nothing_tells_of_is_null(full: Store) -> None:
    told = full.query("SELECT " + ", ".join(f"count({hop})" for hop in HOPS) + " FROM parsl_try")
    (counts,) = told.all()
    known = dict(zip(HOPS, counts, strict=True))
    assert {hop for hop, count in known.items() if not count} == {
        "interchange_received", "interchange_sent", "manager_got", "worker_received",
        "worker_completed", "worker_finished", "interchange_result",
    }  # fmt: skip


def test_moments_are_events_starts_and_ends(full: Store) -> None:
    events = full.query("SELECT count(*) FROM event").value()
    starts = full.query("SELECT count(start_unix_nano) FROM span").value()
    ends = full.query("SELECT count(end_unix_nano) FROM span").value()
    assert full.query("SELECT count(*) FROM moment").value() == events + starts + ends


def test_orders_durations_and_readings(full: Store) -> None:
    order = full.query(
        "SELECT sequence, duration_s FROM event_sequence JOIN span ON span.uuid = span_uuid "
        "WHERE span.uuid LIKE '%1200000000000000'"
    ).all()
    assert [sequence for sequence, _ in order] == ["invoked > returned"]
    duration = full.query(
        "SELECT duration_s FROM span_duration WHERE uuid LIKE '%1200000000000000'"
    ).value()
    assert duration == pytest.approx(order[0][1], abs=NANOSECOND)
    names = {row[0] for row in full.query("SELECT DISTINCT name FROM sample_value")}
    assert "psutil_process_time_user" in names


def test_what_is_there_in_short(full: Store, expected: Callable[[str, str], None]) -> None:
    shown = []
    for sql in (
        "SELECT type, spans, ended FROM span_type ORDER BY type",
        "SELECT * FROM span_type_relation ORDER BY relation, left_type, right_type",
        "SELECT importer, files, lines, records, understood, problems FROM source_summary",
        "SELECT kind, count, files FROM problem_summary",
        "SELECT app, state, count(*) AS tasks, sum(tries) AS tries FROM parsl_task GROUP BY 1, 2",
    ):
        rows = full.query(sql)
        shown.append(as_text(rows.columns, rows.all()))
    expected("what_is_in_a_full_run_of_2023", "\n".join(shown))
