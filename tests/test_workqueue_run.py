"""A real run of Parsl on Work Queue: which task of Work Queue's was which try."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.sequences import sequences
from dnpcsql.store import Store
from tests.conftest import Case, corpus, dump, facts

NAME = "parsl-2026.10.26-workqueue"
LABEL = "WorkQueueExecutor"
RUN = "f3773e4f-7d74-465c-9f18-01d2eb25b328"
WORKER = "worker-8c1b8878f8166519e1c1b745e1dac6f4"
DATABASE, LOG = "monitoring.db", "000/parsl.log"
TRANSACTIONS, DEBUG = f"000/{LABEL}/transaction_log", f"000/{LABEL}/debug_log"


@pytest.fixture
def run(copy: Case) -> Callable[..., Path]:
    """The run without some of its files."""

    def make(*dropped: str) -> Path:
        tree = copy(NAME)
        for name in dropped:
            (tree / name).unlink()
        return tree

    return make


def tries(store: Store) -> list[dict[str, Any]]:
    return store.query(
        "SELECT * FROM parsl_try WHERE executor = :label ORDER BY task_id, try_id", label=LABEL
    ).dicts()


def audited(store: Store) -> dict[str, tuple[int, int, int, int]]:
    rows = store.query(
        "SELECT pair, matched, left_only, right_only, inferred FROM join_audit "
        "WHERE executor = :label",
        label=LABEL,
    )
    return {pair: tuple(counts) for pair, *counts in rows}


@pytest.mark.parametrize("dropped", [(), (DEBUG,), (LOG,), (LOG, DEBUG)], ids=str)
def test_each_try_is_tied_to_the_task_in_which_its_app_ran(
    case: Case, run: Callable[..., Path], store: Store, dropped: tuple[str, ...]
) -> None:
    """The app wrote down its process and its times, which no log of Work Queue's knows."""
    store.import_(run(*dropped))
    told = {(row["task_id"], row["try_id"]): row for row in tries(store)}
    pids = {
        (task, attempt): pid
        for task, attempt, pid in store.query(
            "SELECT DISTINCT CAST(substr(span_uuid, 15, 10) AS INTEGER), "
            "CAST(substr(span_uuid, 25, 4) AS INTEGER), value FROM sample_value "
            "WHERE name = 'psutil_process_pid' AND substr(span_uuid, 13, 2) = '13'"
        )
    }
    seen = 0
    for task in facts(case(NAME))["workflows"][0]["tasks"]:
        inside = task.get("inside")
        if not inside:
            continue
        row = told[task["task_id"], 0]
        assert pids[task["task_id"], 0] == inside["pid"]
        assert row["queue_running"] < inside["start"] < inside["end"]
        assert inside["end"] < row["queue_waiting_retrieval"]
        assert row["launched"] < row["queue_waiting"] + 0.1
        assert row["queue_done"] < row["returned"] + 0.1
        assert (row["block_id"], row["worker_id"]) == (inside["block"], WORKER)
        seen += 1
    assert seen == 17
    numbers = [row["queue_task_id"] for row in told.values() if row["queue_task_id"]]
    assert sorted(numbers) == list(range(1, 25)), "each task of Work Queue's is one try's"


@pytest.mark.parametrize(
    ("dropped", "hosts"),
    [((), {"vm"}), ((DATABASE,), {"vm"}), ((DATABASE, DEBUG), {"127.0.0.1"})],
    ids=lambda value: str(value) if isinstance(value, tuple) else None,
)
def test_where_a_try_ran(
    run: Callable[..., Path], store: Store, dropped: tuple[str, ...], hosts: set[str]
) -> None:
    store.import_(run(*dropped))
    ran = [row for row in tries(store) if row["queue_running"] is not None]
    assert len(ran) == 24
    assert {row["hostname"] for row in ran} == hosts
    assert {row["worker_id"] for row in ran} == {WORKER}


def test_a_task_that_was_tried_three_times_had_three_tasks(case: Case, store: Store) -> None:
    store.import_(case(NAME) / "runinfo")
    boom = [row for row in tries(store) if row["task_id"] == 17]
    assert [(row["try_id"], row["executor_task_id"], row["queue_task_id"]) for row in boom] == [
        (0, 16, 17),
        (1, 21, 22),
        (2, 22, 23),
    ]
    assert [row["state"] for row in boom] == ["fail_retryable", "fail_retryable", "failed"]


PAIRS = ("try - executor task", "executor task - queue task")


@pytest.mark.parametrize(
    ("dropped", "expected"),
    [
        ((), [(24, 0, 0, 0), (24, 0, 0, 24)]),
        ((DEBUG,), [(24, 0, 0, 0), (24, 0, 0, 24)]),
        ((LOG,), [(24, 0, 0, 24), (0, 0, 24, 0)]),
        ((TRANSACTIONS,), [(24, 0, 0, 0), (0, 24, 0, 0)]),
        ((DATABASE,), [(24, 0, 0, 0), (24, 0, 0, 24)]),
    ],
    ids=lambda value: str(value[0]) if value and isinstance(value[0], str) else None,
)
def test_what_fits_is_counted_and_what_is_inferred_is_said(
    run: Callable[..., Path],
    store: Store,
    dropped: tuple[str, ...],
    expected: list[tuple[int, ...]],
) -> None:
    store.import_(run(*dropped))
    counts = audited(store)
    assert [counts.get(pair, (0, 0, 0, 0)) for pair in PAIRS] == expected
    assert "executor task - interchange" not in counts
    notes = store.query(
        "SELECT DISTINCT note FROM subspan WHERE superspan_uuid LIKE '____________28%' "
        "AND subspan_uuid LIKE '____________6a%'"
    ).all()
    assert all(note.startswith("inferred: ") for (note,) in notes)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_the_order_of_imports_does_not_matter(
    case: Case, tmp_path: Path, order: tuple[int, ...]
) -> None:
    tree = case(NAME) / "runinfo"
    files = [tree / name for name in (DATABASE, LOG, TRANSACTIONS, DEBUG)]
    with Store(tmp_path / "all") as at_once, Store(tmp_path / "one") as one_by_one:
        at_once.import_(*files)
        for place in order:
            one_by_one.import_(files[place])
        assert dump(at_once) == dump(one_by_one)


@pytest.mark.parametrize("name", [DATABASE, LOG, TRANSACTIONS, DEBUG])
def test_what_is_forgotten_leaves_no_trace(case: Case, tmp_path: Path, name: str) -> None:
    tree = case(NAME) / "runinfo"
    files = [tree / other for other in (DATABASE, LOG, TRANSACTIONS, DEBUG)]
    with Store(tmp_path / "a") as without, Store(tmp_path / "b") as store:
        without.import_(*(file for file in files if file != tree / name))
        store.import_(*files)
        store.forget(name)
        # The zone of what is left was found with the others there.
        left, had = dump(without), dump(store)
        assert {key: left[key] for key in left if key != "source"} == {
            key: had[key] for key in had if key != "source"
        }


STATED = (
    "1795331667.000000 2026-11-22 07:14:27 WorkQueue-Submit-Process-31784 MainThread-1 "
    "parsl.executors.workqueue.executor:994 _work_queue_submit_wait INFO: {}\n"
)


@pytest.mark.parametrize(
    ("submitted", "completed"),
    [
        (
            "Task {} submitted to WorkQueue with id {}",
            "Completed WorkQueue task {1}, parsl task {0}",
        ),
        (
            "Executor task {} submitted to Work Queue with Work Queue task id {}",
            "Completed WorkQueue task {1}, parsl executor task {0}",
        ),
        (
            "Executor task {} submitted as Work Queue task {}",
            "Completed Work Queue task {1}, executor task {0}",
        ),
    ],
)
def test_what_parsl_log_states_counts_before_what_is_inferred(
    run: Callable[..., Path], store: Store, submitted: str, completed: str
) -> None:
    """The three wordings of until 2025-03."""
    tree = run()
    with (tree / LOG).open("a") as log:
        for number in range(24):
            log.write(STATED.format(submitted.format(number, number + 1)))
            log.write(STATED.format(completed.format(number, number + 1)))
    store.import_(tree)
    assert audited(store)["executor task - queue task"] == (24, 0, 0, 0)
    assert store.query(
        "SELECT event.type, count(*) FROM event JOIN span ON span.uuid = span_uuid "
        "WHERE span.type = 'parsl.executors.workqueue.executor_task' GROUP BY 1 ORDER BY 1"
    ).all() == [("executor_completed", 24), ("executor_submitted", 24), ("launched", 24)]


def test_order_ties_nothing_where_a_file_says_otherwise(
    run: Callable[..., Path], store: Store
) -> None:
    tree = run(DEBUG)
    with (tree / LOG).open("a") as log:
        log.write(STATED.format("Executor task 3 submitted as Work Queue task 5"))
    store.import_(tree)
    assert audited(store)["executor task - queue task"] == (1, 23, 23, 0)


def test_order_ties_nothing_where_categories_say_otherwise(
    run: Callable[..., Path], store: Store
) -> None:
    tree = run(DEBUG)
    log = tree / TRANSACTIONS
    log.write_text(log.read_text().replace("TASK 20 WAITING nap", "TASK 20 WAITING boom"))
    store.import_(tree)
    assert audited(store)["executor task - queue task"] == (0, 24, 24, 0)


def test_any_category_will_do_that_is_no_apps(run: Callable[..., Path], store: Store) -> None:
    """With autocategory=False all tasks are of one."""
    tree = run(DEBUG)
    log = tree / TRANSACTIONS
    text = log.read_text()
    for app in ("work", "boom", "flaky", "hello", "nap", "total"):
        text = text.replace(f"WAITING {app} ", "WAITING parsl-default ")
    log.write_text(text)
    store.import_(tree)
    assert audited(store)["executor task - queue task"] == (24, 0, 0, 24)
    assert store.query(
        "SELECT DISTINCT note FROM subspan WHERE note LIKE 'inferred: by Work Queue%'"
    ).all() == [("inferred: by Work Queue's order",)]


def test_a_run_cut_off_is_tied_as_far_as_it_goes(run: Callable[..., Path], store: Store) -> None:
    tree = run(DEBUG)
    log = tree / TRANSACTIONS
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[: len(lines) // 2]))
    store.import_(tree)
    assert store.query(
        "SELECT count(*), sum(end_unix_nano IS NULL) > 0 FROM span WHERE type = 'workqueue.task'"
    ).all() == [(23, 1)]
    assert audited(store)["executor task - queue task"] == (23, 1, 0, 23)


def test_the_way_of_a_task_is_one_tree(case: Case, store: Store) -> None:
    store.import_(case(NAME) / "runinfo")
    moments = [moment.what for moment in store.life(RUN, 21).moments]
    assert moments == [
        "invoked",
        "pending",
        "launched",
        "executor task launched",
        "WAITING",
        "RUNNING",
        "running",
        "running ended",
        "WAITING RETRIEVAL",
        "RETRIEVED",
        "DONE",
        "returned",
        "exec done",
    ]
    (parent,) = store.query(
        "SELECT DISTINCT parent.type FROM span JOIN span AS parent ON parent.uuid = "
        "span.parent_uuid WHERE span.type = 'workqueue.task'"
    ).all()
    assert parent == ("parsl.executors.workqueue.executor_task",)


def test_statistics_lie_in_the_manager_and_that_in_the_executor(case: Case, store: Store) -> None:
    store.import_(case(NAME) / "runinfo")
    assert store.query(
        "SELECT upper.type, lower.type FROM subspan JOIN span AS upper ON upper.uuid = "
        "superspan_uuid JOIN span AS lower ON lower.uuid = subspan_uuid "
        "WHERE lower.type LIKE 'workqueue.manager%' ORDER BY 2"
    ).all() == [
        ("parsl.rundir.executor", "workqueue.manager"),
        ("workqueue.manager", "workqueue.manager.statistics"),
    ]
    assert store.query(
        "SELECT count(*) FROM sample WHERE span_uuid LIKE '____________60%'"
    ).all() == [(86,)]
    assert store.query(
        "SELECT max(value) FROM sample_value WHERE name = 'tasks_done'"
    ).value() == 24  # fmt: skip


def test_without_parsl_around_it_a_directory_is_one_managers(
    case: Case, tmp_path: Path, store: Store
) -> None:
    alone = tmp_path / "queue"
    shutil.copytree(case(NAME) / "runinfo" / "000" / LABEL, alone)
    done = store.import_(alone)
    assert done.problems == 0
    assert store.query("SELECT count(DISTINCT trace_id) FROM span").value() == 1
    assert store.query("SELECT count(*) FROM parsl_task").value() == 0
    assert len(sequences(store)) >= 1


def test_a_log_torn_from_its_run_gives_way_to_the_run(
    case: Case, tmp_path: Path, store: Store
) -> None:
    torn = tmp_path / "transaction_log"
    shutil.copy(case(NAME) / "runinfo" / TRANSACTIONS, torn)
    store.import_(torn)
    assert store.query("SELECT count(*) FROM span WHERE type = 'workqueue.task'").value() == 24
    store.import_(case(NAME) / "runinfo")
    assert store.query("SELECT count(*) FROM span WHERE type = 'workqueue.task'").value() == 24


def test_two_executors_are_told_apart_by_their_processes(
    run: Callable[..., Path], store: Store
) -> None:
    tree = run(DEBUG)
    other = tree / "000" / "other"
    other.mkdir()
    (other / "transaction_log").write_text(
        "1795331666636265 99 MANAGER START\n"
        "1795331666780402 99 TASK 8 WAITING work FIRST_RESOURCES {}\n"
    )
    with (tree / LOG).open("a") as log:
        for pid, task in ((31784, 1), (99, 8), (5, 3)):
            line = STATED.replace("31784", str(pid))
            log.write(line.format(f"Executor task 0 submitted as Work Queue task {task}"))
    store.import_(tree)
    stated = store.query(
        "SELECT substr(subspan_uuid, 21) FROM subspan WHERE superspan_uuid LIKE '____________28%' "
        "AND subspan_uuid LIKE '____________6a%' AND source_id IS NOT NULL ORDER BY 1"
    ).all()
    assert stated == [("00000001",), ("00000008",)]
    assert store.query("SELECT kind, count FROM problem").all() == [("executor unknown", 1)]


@pytest.mark.parametrize("place", ["vine", "000/vine"], ids=["since 2024", "before"])
def test_taskvines_logs_belong_to_the_run_that_was_open(
    run: Callable[..., Path], store: Store, place: str
) -> None:
    """Parsl keeps them in runinfo/<label>/<when>, once in runinfo/NNN/<label>/<when>."""
    tree = run()
    (tree / "000" / "vine").mkdir()
    logs = tree / place / "2026-11-22T07:14:26" / "vine-logs"
    logs.mkdir(parents=True)
    (logs / "transactions").write_text(
        "1795331667636265 99 MANAGER 99 START 0\n"
        "1795331667780402 99 TASK 1 READY work FIRST_RESOURCES 1 {}\n"
    )
    (logs / "performance").write_text("# timestamp workers_connected\n1795331667780402 1\n")
    store.import_(tree)
    assert store.query("SELECT DISTINCT trace_id FROM span WHERE type LIKE 'taskvine.%'").all() == [
        (RUN.replace("-", ""),)
    ]
    assert store.query(
        "SELECT json_extract(attributes, '$.\"parsl.executor.label\"') FROM span "
        "WHERE type = 'taskvine.manager'"
    ).all() == [("vine",)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", ["empty file"]),
        ("this is no such log\nat all\n", ["nothing understood"]),
        ("\x7fELF\x01\x02" + "\x00" * 10_000, ["nothing understood", "torn record"]),
    ],
    ids=["empty", "foreign", "binary"],
)
def test_a_file_of_that_name_that_is_none_is_told_of(
    tmp_path: Path, store: Store, text: str, kinds: list[str]
) -> None:
    (tmp_path / "transaction_log").write_text(text)
    store.import_(tmp_path / "transaction_log")
    assert [kind for (kind,) in store.query("SELECT kind FROM problem ORDER BY kind")] == kinds


# The published log of 2023, never committed.


def test_the_log_of_2023_has_one_order_and_the_published_means(store: Store) -> None:
    folder = corpus("workqueue-upstream-fixture")
    known = json.loads((folder / "expected.json").read_text())
    done = store.import_(folder / "transaction_log")
    assert done.problems == 0
    (variant,) = sequences(store, "workqueue.task")
    assert variant.count == known["tasks"] == 50
    assert [label.rpartition("/")[2] for label in variant.labels] == known[
        "all_tasks_same_event_sequence"
    ]
    means = [step.since_start_sum / variant.count / 1e9 for step in variant.steps]
    assert means == pytest.approx(known["mean_cumulative_s"], abs=30e-9)
    types = {row[0] for row in store.query("SELECT DISTINCT type FROM span")}
    assert types == {"workqueue.manager", "workqueue.task", "workqueue.worker"}
