"""A span of a worker's process lies in the task that the worker had then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnpcsql import Containment, Event, Span
from dnpcsql.identity import PARSL_LOG, WORKER_LOG, Names
from dnpcsql.store import Store
from tests.importers.test_bad_traces import NOW, TRACE, a_span
from tests.test_foreign_ties import RUN, attributes

LOG, WORKER = Names(RUN, PARSL_LOG), Names(RUN, WORKER_LOG)
MANAGER, LABEL = "4bf92f3577b3", "htex"
SECOND = 10**9


def parsl_log(store: Store) -> None:
    """Two tasks, tried once each."""
    store.add(
        [
            Span(LOG.workflow(), "parsl.rundir.workflow", LOG.trace_high),
            *(Span(LOG.task(task), "parsl.rundir.task", LOG.trace_high) for task in (7, 8)),
            *(Span(LOG.attempt(task, 0), "parsl.rundir.try", LOG.trace_high) for task in (7, 8)),
            *(Containment(LOG.attempt(task, 0), LOG.executor_task(LABEL, task)) for task in (7, 8)),
        ],
        "parsl.log",
    )


def worker_log(store: Store) -> None:
    """Worker 1 has task 7 for ten seconds, and then task 8, which it does not end."""
    records: list[Any] = [Span(WORKER.worker(MANAGER, 1), "parsl.executor.htex.worker",
                               WORKER.trace_high)]  # fmt: skip
    for task, began in ((7, NOW), (8, NOW + 20 * SECOND)):
        uuid = WORKER.executor_task(LABEL, task)
        records += [
            Span(uuid, "parsl.executor.htex.worker.task", WORKER.trace_high),
            Containment(WORKER.worker(MANAGER, 1), uuid),
            Event(uuid, began, "worker_received_task", 1),
        ]
        if task == 7:
            records.append(Event(uuid, began + 10 * SECOND, "worker_all_finished_task", 2))
    store.add(records, "worker_1.log")


def at(number: int, start: float, end: float, **fields: Any) -> dict[str, Any]:
    times = {"startTimeUnixNano": NOW + int(start * SECOND),
             "endTimeUnixNano": NOW + int(end * SECOND)}  # fmt: skip
    return a_span(number, name=f"{number}", **times, **fields)


SPANS = [
    at(1, 1, 2),
    at(2, 1.2, 1.8, parentSpanId=f"{1:016x}"),  # lies in the first, and so in the task
    at(3, 9, 10.0005),  # the log cuts off what is below a millisecond
    at(4, 9, 12),  # too long for it
    at(5, 15, 16),  # between the two
    at(6, 21, 1000),  # in one that never ended
    at(7, 1, 2, attributes=attributes(run_id=RUN, task_id=8)),  # its own word counts
]


def traces(folder: Path, rank: Any = 1) -> Callable[[Store], None]:
    resource = attributes(manager_id=MANAGER, worker_id=rank)
    element = {"resource": {"attributes": resource}, "scopeSpans": [{"spans": SPANS}]}
    (folder / "traces").write_text(json.dumps({"resourceSpans": [element]}))

    def read(store: Store) -> None:
        store.import_(folder / "traces")

    return read


def found(store: Store) -> list[tuple[Any, ...]]:
    return store.query(
        "SELECT name, run_id, task_id, try_id, how FROM task_span ORDER BY name"
    ).all()


INFERRED = "inferred: by the worker and the time"
EXPECTED = [
    ("1", RUN, 7, 0, INFERRED),
    ("3", RUN, 7, 0, INFERRED),
    ("6", RUN, 8, 0, INFERRED),
    ("7", RUN, 8, None, "by the ids that it bears"),
]


@pytest.mark.parametrize("order", ["logs first", "traces first", "traces between"])
def test_in_any_order(tmp_path: Path, store: Store, order: str) -> None:
    steps: list[Callable[[Store], None]] = [parsl_log, worker_log]
    steps.insert({"logs first": 2, "traces first": 0, "traces between": 1}[order], traces(tmp_path))
    for step in steps:
        step(store)
    assert found(store) == EXPECTED
    # A worker's log that goes takes with it what was inferred of it.
    store.forget("worker_1.log")
    assert found(store) == EXPECTED[3:]
    worker_log(store)
    assert found(store) == EXPECTED
    store.forget(str(tmp_path / "traces"))
    assert found(store) == []
    assert store.query("SELECT count(*) FROM link").value() == 0


@pytest.mark.parametrize("rank", [2, "one", "", 99999])
def test_another_worker_has_another_task(tmp_path: Path, store: Store, rank: Any) -> None:
    parsl_log(store)
    worker_log(store)
    traces(tmp_path, rank)(store)
    assert found(store) == EXPECTED[3:]


def test_spans_of_the_runs_own_trace_are_no_accounts_of_it(tmp_path: Path, store: Store) -> None:
    """They lie among them by their uuids; dnpcsql.tracing makes ids that begin with a letter."""
    from dnpcsql.tracing.process import _Ids

    ids = {f"{_Ids().generate_span_id():016x}" for _ in range(500)}
    assert len(ids) == 500
    assert {one[0] for one in ids} == set("abcdef")
    assert TRACE not in ids
