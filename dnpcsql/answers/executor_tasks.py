"""Read what HTEX's logs tell of each task: when, and by which manager and worker, in nanoseconds.

Known by the executor's own numbers, so that it is there without any DataFlowKernel too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.times import MISSING, Counts, Times
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

SUBMITTING = ("launched", "interchange_received", "interchange_sent", "interchange_result")
"""Moments by the clock of the submitting side, where the interchange runs too."""
WORKING = ("manager_got", "worker_received", "worker_completed", "worker_finished", "worker_lost")
"""Moments by the clock of the worker's host."""
MOMENTS = SUBMITTING + WORKING

TYPES = {
    "launched": "launched",
    "interchange_received_task": "interchange_received",
    "interchange_to_manager": "interchange_sent",
    "interchange_removing_task": "interchange_result",
    "manager_got_task": "manager_got",
    "worker_received_task": "worker_received",
    "worker_completed_task": "worker_completed",
    "worker_all_finished_task": "worker_finished",
    "manager_lost_worker": "worker_lost",
}

_PLACES = " ".join(
    f"WHEN '{type_}' THEN {MOMENTS.index(moment)}" for type_, moment in TYPES.items()
)
_EVENTS = f"""
SELECT substr(span_uuid, 15), CASE type {_PLACES} END AS moment, time_unix_nano FROM event
WHERE span_uuid > :part || :account AND span_uuid < :part || :account || 'g' AND moment IS NOT NULL
"""

_OWNERS = """
SELECT substr(subspan_uuid, 15), substr(superspan_uuid, 15) FROM subspan
WHERE superspan_uuid > :part || :owner AND superspan_uuid < :part || :owner || 'g'
  AND subspan_uuid > :part || :owned AND subspan_uuid < :part || :owned || 'g'
"""

_LAUNCHES = """
SELECT substr(subspan_uuid, 15), CAST(substr(superspan_uuid, 15, 10) AS INTEGER),
  CAST(substr(superspan_uuid, 25, 4) AS INTEGER)
FROM subspan
WHERE superspan_uuid > :part || '23' AND superspan_uuid < :part || '23g'
  AND subspan_uuid > :part || '28' AND subspan_uuid < :part || '28g'
"""


class ExecutorTasks(NamedTuple):
    """All that an executor calls a task: one launch of a try. Arrays are of shape (tasks,)."""

    names: list[str]  # the end of their spans' uuids
    times: dict[str, Times]  # by moment, MISSING where no file tells
    task: Counts  # Parsl's number; -1 where no file ties it
    attempt: Counts  # Parsl's number of the try, from 0; -1 where no file ties it
    managers: list[str]  # the end of their uuids
    manager: Counts  # place in `managers`; -1: not told
    workers: list[str]
    worker: Counts  # place in `workers`; -1: not told


def read_executor_tasks(store: Store, run: Run) -> ExecutorTasks:
    """What an executor had to do in a run, as its own logs tell it."""
    part = trace_id_of(run.id)[-12:]
    found: list[tuple[str, int, int]] = []
    for account in ("28", "38", "48", "58"):
        found += store.query(_EVENTS, part=part, account=account).all()
    sent = store.query(_OWNERS, part=part, owner="36", owned="38").all()
    got = store.query(_OWNERS, part=part, owner="46", owned="48").all()
    taken = store.query(_OWNERS, part=part, owner="57", owned="58").all()
    places: dict[str, int] = {}
    for rows in (found, sent, got, taken):
        for row in rows:
            places.setdefault(row[0], len(places))
    names = list(places)
    times = _earliest(found, places)
    task, attempt = np.full((2, len(names)), -1, dtype=np.int64)
    for name, number, tried in store.query(_LAUNCHES, part=part):
        if name in places:
            task[places[name]], attempt[places[name]] = number, tried
    above: dict[str, str] = dict(store.query(_OWNERS, part=part, owner="46", owned="57"))
    by_worker = [(name, above[worker]) for name, worker in taken if worker in above]
    managers, manager = _owned(len(names), places, [*sent, *got, *by_worker])
    workers, worker = _owned(len(names), places, taken)
    return ExecutorTasks(names, times, task, attempt, managers, manager, workers, worker)


def _earliest(rows: list[tuple[str, int, int]], places: dict[str, int]) -> dict[str, Times]:
    """By moment, the first time that is told of each task's."""
    none = np.iinfo(np.int64).max
    grid = np.full((len(places), len(MOMENTS)), none)
    if rows:
        place = np.array([places[row[0]] for row in rows], dtype=np.int64)
        moment, at = np.array([row[1:] for row in rows], dtype=np.int64).T
        np.minimum.at(grid, (place, moment), at)
    grid[grid == none] = MISSING
    return {moment: grid[:, number] for number, moment in enumerate(MOMENTS)}


def _owned(
    size: int, places: dict[str, int], pairs: list[tuple[str, str]]
) -> tuple[list[str], Counts]:
    """Who had each task: of several, the one told of last counts."""
    owners = sorted({owner for _, owner in pairs})
    numbers = {owner: number for number, owner in enumerate(owners)}
    owned = np.full(size, -1, dtype=np.int64)
    for name, owner in pairs:
        owned[places[name]] = numbers[owner]
    return owners, owned
