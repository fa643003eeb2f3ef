"""funcX and Globus Compute as a whole: a task's way through the logs of every machine."""

from __future__ import annotations

import json
import shutil
import statistics
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.audit import unmatched
from dnpcsql.importers import funcx_names
from dnpcsql.store import Store
from tests import funcx_samples as samples
from tests.conftest import DATA, corpus, dump, facts
from tests.funcx_samples import BEGAN, EIGHT, ENDPOINT, GROUP, MANAGER, OTHERS, SEVEN

HOPS = (
    "submit", "submitted", "cloud_received", "cloud_dispatched", "interchange_received",
    "interchange_sent", "manager_received", "manager_sent", "worker_received", "worker_executing",
    "remote_start", "remote_end", "worker_executed", "worker_completed", "worker_sending",
    "endpoint_forwarded", "cloud_result", "cloud_sent", "retrieved",
)  # fmt: skip
SOURCES = ("client.log", "endpoint.log", "HighThroughputExecutor", "cloud.json")


def tasks(store: Store) -> dict[Any, dict[str, Any]]:
    """Rows of funcx_task by the task's UUID, or by the client's number."""
    rows = store.query("SELECT * FROM funcx_task").dicts()
    return {row["task_id"] or row["number"]: row for row in rows}


def test_a_task_s_way_from_the_client_to_a_worker_and_back_is_one_row(
    tmp_path: Path, store: Store
) -> None:
    store.import_(samples.write(tmp_path / "logs"))
    found = tasks(store)
    assert set(found) == {SEVEN, EIGHT, OTHERS, 9}
    seven = found[SEVEN]
    after = [round(seven[hop] - BEGAN, 3) for hop in HOPS]
    assert after == [
        1.0, 1.1, 1.7, 2.5, 3.0, 3.3, 4.0, 4.1, 5.0, 5.1, 5.25, 6.5, 6.6, 6.7, 6.71, 8.0, 8.2,
        8.5, 9.1,
    ]  # fmt: skip
    named = ("number", "endpoint_id", "manager_id", "worker_id", "state", "error")
    assert [seven[name] for name in named] == [7, ENDPOINT, MANAGER, 3, "retrieved", None]
    eight = found[EIGHT]
    assert (eight["state"], eight["error"]) == ("failed", "ValueError: no good")
    assert eight["worker_executed"] is None
    assert (found[9]["state"], found[9]["task_id"]) == ("submitted", None)
    other = found[OTHERS]
    assert (other["client_uuid"], other["state"]) == (None, "interchange.sent")


def test_that_way_is_one_tree_of_one_trace(tmp_path: Path, store: Store) -> None:
    store.import_(samples.write(tmp_path / "logs"))
    rows = store.query(
        "SELECT uuid, parent_uuid, type, start_unix_nano, end_unix_nano FROM span "
        "WHERE trace_high = :trace",
        trace=SEVEN.replace("-", "")[:20],
    ).all()
    (root,) = [row for row in rows if row[1] is None]
    assert root[2] == "funcx.client.task"
    assert {row[1] for row in rows if row is not root} == {root[0]}
    assert sorted(row[2] for row in rows if row is not root) == [
        "funcx.cloudwatch.task", "funcx.endpoint.task", "funcx.manager.task", "funcx.worker.task",
    ]  # fmt: skip
    assert len({row[0][:12] for row in rows}) == 1
    assert (root[3], root[4]) == ((BEGAN * 10 + 10) * 10**8, (BEGAN * 10 + 91) * 10**8)
    # and each contains what it contains: a worker its tasks, an endpoint its managers
    held = set(
        store.query(
            "SELECT super.type, sub.type FROM subspan JOIN span AS super ON super.uuid = "
            "superspan_uuid JOIN span AS sub ON sub.uuid = subspan_uuid"
        ).all()
    )
    assert {
        ("funcx.client", "funcx.client.task"), ("funcx.client.task", "funcx.worker.task"),
        ("funcx.endpoint", "funcx.endpoint.task"), ("funcx.endpoint", "funcx.endpoint.manager"),
        ("funcx.endpoint.manager", "funcx.endpoint.task"), ("funcx.manager", "funcx.worker"),
        ("funcx.worker", "funcx.worker.task"), ("funcx.manager", "funcx.manager.task"),
    } <= held  # fmt: skip
    assert store.query("SELECT note FROM facet").all() == [("same manager",)]


def test_as_opentelemetry_no_parent_is_in_another_trace(tmp_path: Path, store: Store) -> None:
    store.import_(samples.write(tmp_path / "logs"))
    rows = store.query("SELECT uuid, parent_uuid, trace_id, type FROM otlp_span").all()
    traces = {uuid: trace for uuid, _, trace, _ in rows}
    assert all(parent is None or traces[parent] == trace for _, parent, trace, _ in rows)
    services = store.query("SELECT DISTINCT service FROM otlp_span ORDER BY 1").all()
    assert [name.removeprefix("funcx-") for (name,) in services] == [
        "client", "cloudwatch", "endpoint", "manager", "worker",
    ]  # fmt: skip
    roots = [(trace, type_) for _, parent, trace, type_ in rows if parent is None]
    # Each task is a tree whose root is the client's account of it, where there is one. That of
    # which the client never learned the UUID is in the client's own.
    seven = SEVEN.replace("-", "")[:20]
    assert [type_ for trace, type_ in roots if trace[:20] == seven] == ["funcx.client.task"]
    assert sorted(type_ for _, type_ in roots) == [
        "funcx.client", "funcx.client.task", "funcx.client.task", "funcx.endpoint",
        "funcx.endpoint.task", "funcx.manager",
    ]  # fmt: skip


def test_tasks_of_other_clients_are_counted_and_not_mixed_in(tmp_path: Path, store: Store) -> None:
    store.import_(samples.write(tmp_path / "logs"))
    rows = store.query("SELECT * FROM funcx_client").dicts()
    ours, others = sorted(rows, key=lambda row: row["uuid"] is None)
    counts = ("tasks", "client", "endpoint", "worker", "cloud")
    assert [ours[name] for name in counts] == [3, 3, 2, 2, 1]
    assert ours["task_group_id"] == GROUP
    assert [others[name] for name in counts] == [1, 0, 1, 0, 0]
    audit: dict[str, str] = dict(
        store.query(
            "SELECT pair, group_concat(matched || ' ' || left_only || ' ' || right_only, '; ') "
            "FROM (SELECT * FROM join_audit WHERE pair LIKE 'funcX%' ORDER BY run_id) GROUP BY pair"
        ).all()
    )
    # a client's own: 2 matched; and one of another client's, which only the endpoint tells of
    assert audit["funcX client - endpoint"] == "0 0 1; 2 0 0"
    assert audit["funcX client - worker"] == "2 0 0"
    # of those that the manager ought to tell of, as it does of others of that client
    assert {one.what for one in unmatched(store, absent=True)} >= {f"task {OTHERS}"}


def test_no_order_matters_and_twice_is_once(tmp_path: Path, store: Store) -> None:
    place = samples.write(tmp_path / "logs")
    for name in SOURCES:
        store.import_(place / name)
    with Store(tmp_path / "other.sqlite3") as other:
        for name in reversed(SOURCES):
            other.import_(place / name)
        other.import_(place)
        assert dump(other) == dump(store)
        (place / "endpoint.log").write_text(
            "".join(f"{line}\n" for line in samples.ENDPOINT_LOG[:-1])
        )
        other.import_(place)
        assert tasks(other)[EIGHT]["endpoint_forwarded"] is None
        assert tasks(other)[SEVEN]["endpoint_forwarded"] is not None


def test_a_password_in_a_log_does_not_come_into_the_database(tmp_path: Path, store: Store) -> None:
    place = samples.write(tmp_path / "logs")
    log = place / "endpoint.log"
    log.write_text(
        log.read_text()
        + samples.endpoint(30, "Unable to reach amqps://me:4vVkX_TdSLdA@mq:5671", "ERROR")
        + "\n  and again: amqps://me:4vVkX_TdSLdA@mq:5671\n"
        + samples.endpoint(31, "Connecting to amqps://me:4vVkX_TdSLdA@mq:5671")  # torn
    )
    store.import_(place)
    text = json.dumps(dump(store))
    assert "Unable to reach" in text
    assert "4vVkX_TdSLdA" not in text


def test_the_views_name_the_run_part_that_importers_use() -> None:
    for name in ("views/funcx_task", "views/funcx_client", "views/join_side", "relate/funcx"):
        text = (Path(funcx_names.__file__).parents[1] / f"{name}.sql").read_text()
        assert f"'{funcx_names.RUN}" in text


# A real run of funcX, of 3 August 2022.


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("funcx") / "dnpc.sqlite3")
    store.import_(corpus("funcx-2022"))
    return store


def test_real_every_task_of_the_client_went_the_whole_way(real: Store) -> None:
    rows = real.query("SELECT * FROM funcx_task WHERE client_uuid IS NOT NULL").dicts()
    assert len(rows) == 1000
    assert {row["state"] for row in rows} == {"retrieved"}
    told = [
        "submit", "submitted", "interchange_received", "interchange_sent", "worker_received",
        "worker_executing", "remote_start", "remote_end", "worker_executed", "worker_completed",
        "worker_sending", "endpoint_forwarded", "retrieved",
    ]  # fmt: skip
    for row in rows:
        times = [row[hop] for hop in told]
        assert None not in times
        assert times == sorted(times)
        assert row["manager_id"] == "0739733c6b92"


def test_real_the_return_path_names_the_hop_that_takes_the_time(real: Store) -> None:
    rows = real.query(
        "SELECT worker_completed - remote_end, endpoint_forwarded - worker_completed, "
        "retrieved - endpoint_forwarded FROM funcx_task WHERE client_uuid IS NOT NULL"
    ).all()
    means = [statistics.fmean(hop) for hop in zip(*rows, strict=True)]
    assert means[0] < 0.01
    assert 19 < means[1] < 21
    assert means[2] < 0.5


def test_real_what_the_logs_hold_is_all_there(real: Store) -> None:
    """Counted in the raw logs, by their lines."""
    folder = corpus("funcx-2022")
    lines = (folder / "endpoint.log").read_text().split("\n")
    sent = sum("Sent task " in line for line in lines)
    worker_logs = list(folder.glob("worker_logs/*/funcx_worker_*.log"))
    received = sum(log.read_text().count("Received task with task_id=") for log in worker_logs)
    counts: dict[str, int] = dict(
        real.query("SELECT type, count(*) FROM event GROUP BY type").all()
    )
    assert counts["interchange.sent"] == sent == 2000
    assert counts["worker.received"] == counts["worker.sending"] == received == 1258
    by_manager: dict[str, int] = dict(
        real.query(
            "SELECT json_extract(attributes, '$.\"parsl.manager.id\"'), count(*) FROM span "
            "WHERE type = 'funcx.worker' GROUP BY 1"
        ).all()
    )
    assert by_manager == facts(folder)["worker_dirs"]
    assert real.query("SELECT * FROM problem").all() == []
    counts_of = real.query(
        "SELECT tasks, endpoint, worker FROM funcx_client ORDER BY uuid IS NULL"
    ).all()
    assert counts_of == [(1000, 1000, 1000), (1000, 1000, 258)]


# Globus Compute 4.19, run here: an endpoint of two workers, 8 tasks, the sixth raises.


@pytest.fixture(scope="module")
def globus_compute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("globus-compute")
    with tarfile.open(DATA / "globus-compute-4.19.tar.xz") as archive:
        archive.extractall(place, filter="data")
    return place


def test_today_s_endpoint_is_tied_to_its_executor(globus_compute: Path, store: Store) -> None:
    place = globus_compute / "debug"
    store.import_(place)
    truth = json.loads((place / "truth.json").read_text())
    assert store.query("SELECT * FROM problem").all() == []
    found = tasks(store)
    assert set(found) == set(truth["tasks"])
    published = {task_id: time for time, task_id in truth["done"]}
    for number, task_id in enumerate(truth["tasks"], 1):
        row = found[task_id]
        assert (row["executor_task_id"], row["endpoint_id"]) == (number, truth["endpoint"])
        hops = (
            "endpoint_received", "interchange_received", "worker_received", "worker_completed",
            "worker_sending", "interchange_result", "endpoint_forwarded",
        )  # fmt: skip
        times = [row[hop] for hop in hops]
        assert None not in times
        # Of two clocks, one is cut off after a microsecond, and the audit log is written later.
        assert times[:6] == sorted(times[:6])
        # Which of the executor's tasks it was, nobody says; but when its result was published.
        assert 0 <= published[task_id] - row["worker_completed"] < 0.05
        assert abs(row["endpoint_forwarded"] - published[task_id]) < 0.05
    raised = found[truth["tasks"][5]]
    assert raised["worker_completed"] - raised["worker_received"] < 0.1
    note = store.query(
        "SELECT DISTINCT note FROM subspan WHERE superspan_uuid > :first AND note IS NOT NULL",
        first=funcx_names.RUN + "b8",
    ).all()
    assert note == [("inferred: by order of receipt",)]


def test_an_endpoint_started_more_often_than_its_executor_is_not_tied(
    globus_compute: Path, store: Store, tmp_path: Path
) -> None:
    place = tmp_path / "ep"
    shutil.copytree(globus_compute / "debug", place)
    log = place / "endpoint.log"
    (start,) = (line for line in log.read_text().split("\n") if "Initializing Endpoint" in line)
    log.write_text(f"{start}\n{log.read_text()}")
    store.import_(place)
    assert [kind for (kind,) in store.query("SELECT kind FROM problem")] == ["executor unknown"]
    assert {row["executor_task_id"] for row in tasks(store).values()} == {None}


def test_at_info_level_only_the_audit_log_tells_of_tasks(
    globus_compute: Path, store: Store
) -> None:
    place = globus_compute / "info"
    store.import_(place)
    truth = json.loads((place / "truth.json").read_text())
    found = tasks(store)
    assert set(found) == set(truth["tasks"])
    assert store.query("SELECT count(*) FROM span WHERE type = 'funcx.endpoint.task'").value() == 0
    for time, task_id in truth["done"]:
        assert abs(found[task_id]["endpoint_forwarded"] - time) < 0.05


def test_today_s_endpoint_alone_shows_no_zone(
    globus_compute: Path, store: Store, tmp_path: Path
) -> None:
    alone = tmp_path / "endpoint.log"
    shutil.copy(globus_compute / "debug" / "endpoint.log", alone)
    store.import_(alone)
    assert {kind for (kind,) in store.query("SELECT kind FROM problem")} == {"no zone"}
    with Store(tmp_path / "given.sqlite3") as given:
        given.import_(alone, timezone=["America/Chicago"])
        assert given.query("SELECT * FROM problem").all() == []
        with Store(tmp_path / "whole.sqlite3") as whole:
            whole.import_(globus_compute / "debug")
            received = "SELECT task_id, endpoint_received FROM funcx_task ORDER BY 1"
            assert given.query(received).all() == whole.query(received).all()
