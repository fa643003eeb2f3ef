"""Rows of a run that are more than times: who ran what, what it used, what waits for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnpcsql.analyses.concurrency import Steps
from dnpcsql.analyses.resources import level, spending
from dnpcsql.analyses.times import MISSING, OPEN, Times, numbered, told
from dnpcsql.analyses.utilization import Utilization, pooled, utilization
from dnpcsql.errors import NotFoundError
from dnpcsql.identity import trace_id_of
from dnpcsql.subjects import Subject, tasks_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# From when to when a worker was there: its own log, and its manager's for the end of it.
_WORKERS = """
SELECT json_extract(worker.attributes, '$."parsl.manager.id"'),
  json_extract(worker.attributes, '$."parsl.worker.id"'),
  worker.start_unix_nano,
  max(worker.end_unix_nano, coalesce((
    SELECT max(manager.end_unix_nano) FROM span AS manager
    WHERE manager.uuid BETWEEN :part || '46' AND :part || '46g'
      AND json_extract(manager.attributes, '$."parsl.manager.id"')
        = json_extract(worker.attributes, '$."parsl.manager.id"')
  ), worker.end_unix_nano))
FROM span AS worker
WHERE worker.uuid BETWEEN :part || '57' AND :part || '57g'
  AND worker.type = 'parsl.executor.htex.worker' AND worker.start_unix_nano IS NOT NULL
"""

# What each manager told last of how many workers it has; from the interchange, else monitoring.db.
_MANAGERS = """
SELECT max(json_extract(attributes, '$."parsl.manager.worker_count"')),
  min(start_unix_nano), max(end_unix_nano)
FROM span
WHERE (uuid BETWEEN :part || '16' AND :part || '16g'
    OR uuid BETWEEN :part || '36' AND :part || '36g')
  AND start_unix_nano IS NOT NULL
  AND json_extract(attributes, '$."parsl.manager.worker_count"') > 0
GROUP BY substr(uuid, 15)
"""

# A short name → the metrics that are added up, whether they are counters, the unit, and by how
# much to divide.
_METRICS: dict[str, tuple[tuple[str, ...], bool, str, float]] = {
    "memory": (("psutil_process_memory_resident",), False, "GiB", 2.0**30),
    "virtual": (("psutil_process_memory_virtual",), False, "GiB", 2.0**30),
    "cpu": (("psutil_process_time_user", "psutil_process_time_system"), True, "CPUs", 1.0),
    "read": (("psutil_process_disk_read",), True, "MB/s", 1e6),
    "write": (("psutil_process_disk_write",), True, "MB/s", 1e6),
}
_MOST_GROUPS = 6


class Work(NamedTuple):
    """What workers ran: a row for each try that a known worker had."""

    rows: list[int]  # of the subject
    names: list[str]
    starts: Times
    ends: Times
    connected: dict[str, tuple[int, int]]
    unplaced: int  # tries that ran, no file tells where
    until: int | None
    pool: tuple[Times, Times, Times, Times, Times] | None  # where no try's worker is known

    def utilization(self) -> Utilization:
        """Busy and connected workers."""
        if self.pool is not None:
            return pooled(*self.pool, until=self.until)
        return utilization(self.names, self.starts, self.ends, self.connected, until=self.until)


def workers_of(store: Store, run: Run, found: Subject) -> Work:
    """Which worker ran which tries, and from when to when each worker was connected."""
    part = trace_id_of(run.id)[-12:]
    starts = found.first_of("worker_received", "running")
    ends = found.first_of("worker_finished", "worker_completed", "running_ended")
    managers, numbers = found.groups("manager_id"), found.groups("worker_id")
    ran = told(starts)
    rows = [row for row in np.flatnonzero(ran).tolist() if numbers[row] is not None]
    names = [f"{managers[row] or 'worker'}/{numbers[row]}" for row in rows]
    connected = {
        f"{manager}/{number}": (start, OPEN if end is None else end)
        for manager, number, start, end in store.query(_WORKERS, part=part)
    }
    pool = None
    if not rows and not connected:
        told_of = np.array(
            store.query(_MANAGERS, part=part).all() or np.empty((0, 3)), dtype=object
        )
        counts = told_of[:, 0].astype(np.int64)
        up = told_of[:, 1].astype(np.int64)
        down = np.array([OPEN if end is None else end for end in told_of[:, 2]], dtype=np.int64)
        if counts.size:
            # What ran in no block ran in the submitting process, on none of these workers.
            inside = np.array([block is not None for block in found.groups("block_id")])
            pool = (np.where(inside, starts, MISSING), ends, up, down, counts)
    return Work(
        rows,
        names,
        starts[rows],
        ends[rows],
        connected,
        int(ran.sum()) - len(rows),
        found.until,
        pool,
    )


class Used(NamedTuple):
    """Levels of a metric over time, by group, and how to call it."""

    what: str
    unit: str
    levels: dict[str, Steps]


def readings_of(store: Store, run: Run, found: Subject, metric: str, by: str | None) -> Used:
    """What the tries used over time: `memory`, `cpu`, or a metric by its own name.

    Raises NotFoundError with the metrics that there are.
    """
    part = trace_id_of(run.id)[-12:]
    names, counter, unit, divisor = _METRICS.get(metric, ((metric,), _counts_up(metric), "", 1.0))
    owners, times, values = _readings(store, part, names)
    if not times.size and metric not in _METRICS:
        known = store.query("SELECT DISTINCT name FROM sample_value ORDER BY name").all()
        listed = ", ".join([*_METRICS, *(name for (name,) in known)])
        raise NotFoundError(f"no readings of {metric}; there are: {listed}")
    place = {key: row for row, key in enumerate(_keys(found))}
    row_of = np.array([place.get(owner, -1) for owner in owners], dtype=np.int64)
    groups = np.zeros(len(found.names), dtype=np.int64)
    labels = ["all"]
    if by is not None:
        labels, groups = numbered(found.groups(by))
    ended = found.first_of("running_ended", "worker_completed", "returned")
    levels = {}
    for number, label in enumerate(labels):
        here = row_of >= 0
        here &= groups[np.maximum(row_of, 0)] == number if len(groups) else False
        if not here.any():
            continue
        one = row_of[here], times[here], values[here] / divisor
        levels[label] = spending(*one) if counter else level(*one, ended)
    if len(levels) > _MOST_GROUPS:
        most = sorted(levels, key=lambda label: -float(levels[label].counts.max(initial=0)))
        levels = {label: levels[label] for label in most[:_MOST_GROUPS]}
    return Used(metric if metric in _METRICS else names[0], unit, levels)


def _readings(store: Store, part: str, names: tuple[str, ...]) -> tuple[list[Any], Times, Any]:
    """Owners (task, try), times and the sum of the named metrics of each reading of the run."""
    rows = store.query(
        "SELECT CAST(substr(span_uuid, 15, 10) AS INTEGER), CAST(substr(span_uuid, 25, 4) AS "
        "INTEGER), time_unix_nano, sum(value) FROM sample_value "
        "WHERE span_uuid BETWEEN :part || '13' AND :part || '13g' AND name IN (:one, :two) "
        "AND typeof(value) IN ('integer', 'real') GROUP BY span_uuid, time_unix_nano, line",
        part=part,
        one=names[0],
        two=names[-1],
    ).all()
    owners = [(task, attempt) for task, attempt, _, _ in rows]
    times = np.array([time for _, _, time, _ in rows], dtype=np.int64)
    return owners, times, np.array([value for *_, value in rows], dtype=np.float64)


def _keys(found: Subject) -> list[tuple[int, int]]:
    numbers = [name.split(" ")[0].partition(".") for name in found.names]
    return [(int(task), int(attempt or 0)) for task, _, attempt in numbers]


def _counts_up(metric: str) -> bool:
    return any(word in metric for word in ("_time_", "_disk_", "_switches_"))


def dependencies_of(
    store: Store, run: Run, where: str | None, by: str
) -> tuple[dict[int, Any], list[tuple[int, int]]]:
    """Task → group, and (earlier, later) of each dependency between these tasks."""
    found = tasks_of(store, run, where)
    nodes = {
        int(name.split(" ")[0]): group
        for name, group in zip(found.names, found.groups(by), strict=True)
    }
    pairs = store.query("SELECT depends_on, task_id FROM parsl_dependency WHERE run_id = :run "
                        "ORDER BY 1, 2", run=run.id)  # fmt: skip
    if where is None:
        return nodes, pairs.all()
    return nodes, [pair for pair in pairs if pair[0] in nodes and pair[1] in nodes]
