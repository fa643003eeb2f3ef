"""Read the path of a run's tasks from the store: every moment of every try, in nanoseconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from dnpcsql.analyses.path import MOMENTS, PLACE, Paths
from dnpcsql.analyses.times import MISSING, Counts, Mask, Times, told
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# A try's number in one: its task's, then four digits of its own.
_TRIES = 10_000

TYPES = {
    "pending": "pending",
    "running": "running",
    "running_ended": "running_ended",
    "launched": "launched",
    "joining": "joining",
    "exec_done": "returned",
    "failed": "returned",
    "fail_retryable": "returned",
    "interchange_received_task": "interchange_received",
    "interchange_to_manager": "interchange_sent",
    "interchange_removing_task": "interchange_result",
    "manager_got_task": "manager_got",
    "worker_received_task": "worker_received",
    "worker_completed_task": "worker_completed",
    "worker_all_finished_task": "worker_finished",
    "WAITING": "queue_waiting",
    "READY": "queue_waiting",
    "INITIAL": "queue_waiting",
    "RUNNING": "queue_running",
    "WAITING_RETRIEVAL": "queue_waiting_retrieval",
    "RETRIEVED": "queue_retrieved",
    "DONE": "queue_done",
}
# A task of Work Queue's may go to several workers: to the last one in the end.
_LAST_COUNTS = {"queue_running", "queue_waiting_retrieval", "queue_retrieved", "queue_done"}
_ANSWERED = -1  # in the place of a moment

_CASE = "CASE event.type " + " ".join(
    f"WHEN '{type_}' THEN {PLACE[moment]}" for type_, moment in TYPES.items()
)

# What monitoring.db tells of a try, or else parsl.log: as in parsl_try.
_STATES = f"""
SELECT CAST(substr(span_uuid, 15) AS INTEGER),
  {_CASE} WHEN 'memo_done' THEN {_ANSWERED} WHEN 'dep_fail' THEN {_ANSWERED} END AS moment,
  time_unix_nano
FROM event
WHERE span_uuid > :part || :account AND span_uuid < :part || :account || 'g' AND moment IS NOT NULL
"""  # noqa: S608

# What happens to it below the executor, which knows it by another number.
_BELOW = f"""
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER),
  CASE WHEN substr(event.span_uuid, 13, 2) = '28' THEN {PLACE["submitted"]} ELSE {_CASE} END END
    AS moment,
  event.time_unix_nano
FROM subspan AS tie
CROSS JOIN event ON event.span_uuid IN (
  tie.subspan_uuid,
  :part || '38' || substr(tie.subspan_uuid, 15),
  :part || '48' || substr(tie.subspan_uuid, 15),
  :part || '58' || substr(tie.subspan_uuid, 15)
)
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
  AND moment IS NOT NULL
UNION ALL
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER), {_CASE} END AS moment, event.time_unix_nano
FROM subspan AS tie
CROSS JOIN subspan AS queued
  ON queued.superspan_uuid = tie.subspan_uuid
  AND queued.subspan_uuid > :part || '6a' AND queued.subspan_uuid < :part || '6ag'
CROSS JOIN event ON event.span_uuid = queued.subspan_uuid
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
  AND moment IS NOT NULL
"""  # noqa: S608

_TASKS = """
SELECT CAST(substr(uuid, 15, 10) AS INTEGER), name, start_unix_nano, end_unix_nano
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

_ATTEMPTS = """
SELECT CAST(substr(uuid, 15) AS INTEGER), end_unix_nano,
  json_extract(attributes, '$."parsl.executor.label"'),
  json_extract(attributes, '$."parsl.block.id"'), json_extract(attributes, '$."host.name"')
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

# Which worker, or at least manager, had it.
_PLACES = """
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER), held.superspan_uuid
FROM subspan AS tie
CROSS JOIN (SELECT '58' AS task, '57' AS thing UNION ALL SELECT '48', '46' UNION ALL SELECT '38', '36')
CROSS JOIN subspan AS held
  ON held.subspan_uuid = :part || task || substr(tie.subspan_uuid, 15)
  AND held.superspan_uuid > :part || thing AND held.superspan_uuid < :part || thing || 'g'
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
"""
_THINGS = """
SELECT uuid, json_extract(attributes, '$."parsl.block.id"'),
  json_extract(attributes, '$."host.name"'),
  'worker ' || json_extract(attributes, '$."parsl.worker.id"') || ' of manager '
    || json_extract(attributes, '$."parsl.manager.id"')
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

_WAITING = """
SELECT CAST(substr(span_uuid, 15, 10) AS INTEGER), CAST(substr(linked_uuid, 15, 10) AS INTEGER)
FROM link
WHERE type = 'depends_on' AND (
  span_uuid > :part || '12' AND span_uuid < :part || '12g'
  OR span_uuid > :part || '22' AND span_uuid < :part || '22g'
)
"""

_LAST_HEARD = """
SELECT CASE
  WHEN ended IS NOT NULL THEN (
    SELECT coalesce(
      (SELECT end_unix_nano FROM span WHERE uuid = :part || '1100000000000000'),
      (SELECT end_unix_nano FROM span WHERE uuid = :part || '2100000000000000')
    )
  )
  ELSE (
    SELECT max(time_unix_nano) FROM event
    WHERE (span_uuid > :part || '21' AND span_uuid < :part || '29')
      OR (
        span_uuid > :part || '11' AND span_uuid < :part || '14'
        AND type NOT IN ('running', 'running_ended')
      )
  )
END
FROM parsl_run WHERE run_id = :run
"""


def read_paths(store: Store, run: Run) -> Paths:
    """The path of each of a run's tasks, whatever was imported of it."""
    part = trace_id_of(run.id)[-12:]

    def ask(sql: str, **values: object) -> list[tuple[Any, ...]]:
        return store.query(sql, part=part, **values).all()

    told_by_log = {key: row for key, *row in ask(_TASKS, account="22")}
    told_by_db = {key: row for key, *row in ask(_TASKS, account="12")}
    names = sorted(told_by_log.keys() | told_by_db.keys())
    tasks = np.array(names, dtype=np.int64)
    none = (None, None, None)
    both = [(told_by_db.get(key, none), told_by_log.get(key, none)) for key in names]
    apps, invoked, done = (
        [db[column] if db[column] is not None else log[column] for db, log in both]
        for column in range(3)
    )

    attempts = {key: row for key, *row in ask(_ATTEMPTS, account="23")}
    for key, *row in ask(_ATTEMPTS, account="13"):
        attempts[key] = _first_told(row, attempts.get(key, (None,) * 4))
    numbers = np.array(sorted(attempts), dtype=np.int64)
    placed = _placed(ask)
    owned = np.isin(numbers // _TRIES, tasks)
    numbers = numbers[owned]
    times, answered = _moments(numbers, ask)
    rows = [attempts[key] for key in numbers.tolist()]
    # The body of a join app returns before the tasks inside are done; its try ends after them.
    ended = _nanoseconds(row[0] for row in rows)
    plain = told(ended) & ~told(times[:, PLACE["joining"]])
    times[plain, PLACE["returned"]] = ended[plain]
    places = [
        _first_told([*row[2:], None], placed.get(key, (None,) * 3))
        for key, row in zip(numbers.tolist(), rows, strict=True)
    ]
    paths = Paths(
        tasks,
        [_label(app) for app in apps],
        _nanoseconds(invoked),
        _nanoseconds(done),
        _last_heard(store, run, part, times),
        np.searchsorted(tasks, numbers // _TRIES),
        numbers % _TRIES,
        times,
        np.zeros(numbers.shape, dtype=np.bool_),
        answered,
        [_label(row[1]) for row in rows],
        *([_label(place[column]) for place in places] for column in range(3)),
    )
    return _ready(paths, ask(_WAITING))


def _moments(numbers: Counts, ask: Any) -> tuple[Times, Mask]:
    """The moments of each try, (tries, MOMENTS), and whether it was answered without launching."""
    logged, answered = _grid(numbers, ask(_STATES, account="23"))
    stored, also = _grid(numbers, ask(_STATES, account="13"))
    below, _ = _grid(numbers, ask(_BELOW))
    times = np.where(told(stored), stored, np.where(told(logged), logged, below))
    return times, answered | also


def _grid(numbers: Counts, rows: list[tuple[int, int, int]]) -> tuple[Times, Mask]:
    """Of equal moments the first counts, but for some of Work Queue's the last."""
    times = np.full((numbers.size, len(MOMENTS)), MISSING, dtype=np.int64)
    answered = np.zeros(numbers.shape, dtype=np.bool_)
    if not rows or not numbers.size:
        return times, answered
    key, place, at = np.array(rows, dtype=np.int64).T
    row = np.minimum(np.searchsorted(numbers, key), numbers.size - 1)
    known = numbers[row] == key
    row, place, at = row[known], place[known], at[known]
    answered[row[place == _ANSWERED]] = True
    last = np.isin(place, [PLACE[name] for name in _LAST_COUNTS])
    np.maximum.at(times, (row[last], place[last]), at[last])
    first = ~last & (place != _ANSWERED)
    earliest = np.full_like(times, np.iinfo(np.int64).max)
    np.minimum.at(earliest, (row[first], place[first]), at[first])
    return np.where(earliest != np.iinfo(np.int64).max, earliest, times), answered


def _ready(paths: Paths, pairs: list[tuple[int, int]]) -> Paths:
    """When the last of the tasks that each one waits for was done; at once where there is none.

    It is not known where one of them never was, as far as is told.
    """
    wanted: dict[int, int] = {}
    if pairs and paths.tasks.size:
        task, other = np.array(pairs, dtype=np.int64).T
        known = np.isin(task, paths.tasks) & np.isin(other, paths.tasks)
        task, other = (np.searchsorted(paths.tasks, side[known]) for side in (task, other))
        latest = np.full(paths.tasks.shape, MISSING, dtype=np.int64)
        np.maximum.at(latest, task, paths.done[other])
        latest[task[~told(paths.done[other])]] = MISSING
        wanted = dict(zip(task.tolist(), latest[task].tolist(), strict=True))
    first = np.append(True, paths.owners[1:] != paths.owners[:-1])[: paths.owners.size]
    pending, ready = paths.times[:, PLACE["pending"]], paths.times[:, PLACE["ready"]]
    ready[:] = pending
    for place in np.flatnonzero(first & np.isin(paths.owners, list(wanted))).tolist():
        latest_done = wanted[int(paths.owners[place])]
        paths.waits[place] = True
        ready[place] = MISSING if latest_done == MISSING else max(latest_done, int(pending[place]))
    return paths


def _placed(ask: Any) -> dict[int, list[str | None]]:
    """Block, host and worker of tries, as the logs below the executor tell of them."""
    things = {
        uuid: row for account in ("36", "46", "57") for uuid, *row in ask(_THINGS, account=account)
    }
    found: dict[int, list[str | None]] = {}
    for key, uuid in ask(_PLACES):
        found[key] = _first_told(found.get(key, (None,) * 3), things.get(uuid, (None,) * 3))
    return found


def _last_heard(store: Store, run: Run, part: str, times: Times) -> int:
    """The run's end, in nanoseconds; else the last that the submitting process told of itself."""
    value = store.query(_LAST_HEARD, part=part, run=run.id).value()
    if value is not None:
        return int(value)
    return int(times.max(initial=0))


def _first_told(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    return [a if a is not None else b for a, b in zip(one, other, strict=True)]


def _nanoseconds(values: Iterable[int | None]) -> Times:
    return np.array([MISSING if value is None else value for value in values], dtype=np.int64)


def _label(value: Any) -> str:
    return "-" if value is None else str(value)
