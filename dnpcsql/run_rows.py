"""Rows of a run that are more than times: who ran what, what it used, what waits for what."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnpcsql.analyses.concurrency import Steps
from dnpcsql.analyses.resources import level, spending
from dnpcsql.analyses.times import Times, from_seconds, numbered, told
from dnpcsql.analyses.utilization import Utilization, utilization
from dnpcsql.errors import NotFoundError
from dnpcsql.identity import trace_id_of
from dnpcsql.subjects import Subject, tasks_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_TASKS = """
SELECT manager_id, worker_id, task_id, try_id, received, freed
FROM parsl_worker_task WHERE run_id = :run ORDER BY received, uuid
"""
_CAPACITY = """
SELECT executor, manager_id, worker_id, workers, connected, gone
FROM worker_capacity WHERE run_id = :run ORDER BY connected, uuid
"""
_NUMBERS = "SELECT manager_id, worker_id FROM parsl_worker WHERE run_id = :run ORDER BY 1, 2"
_MOST_WORKERS = 100_000  # of a manager; no node has so many

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
    """What workers ran, as parsl_worker_task and worker_capacity tell it: a row for each task."""

    rows: list[int | None]  # of the subject; None: no file tells which try it was
    names: list[str]
    starts: Times
    ends: Times
    connected: dict[str, list[tuple[int, int]]]
    alone: tuple[Times, Times]  # starts and ends of what ran on workers that no file names
    unplaced: int  # tries that ran on workers, no file tells on which
    pools: int  # managers whose workers left no log

    def utilization(self) -> Utilization:
        """Busy and connected workers."""
        return utilization(self.names, self.starts, self.ends, self.connected, unplaced=self.alone)


def workers_of(store: Store, run: Run, found: Subject, *, all_tasks: bool = True) -> Work:
    """Which worker ran which tries, and from when to when each worker was connected.

    `all_tasks`: also what no file ties to a try.
    """
    place = {key: row for row, key in enumerate(_keys(found))}
    placed: list[tuple[int | None, str, float, float]] = []
    alone: list[tuple[float, float]] = []
    ran: set[int | None] = set()
    for manager, number, task, attempt, received, freed in store.query(_TASKS, run=run.id):
        row = place.get((task, attempt))
        if row is None and not (all_tasks and task is None):
            continue
        if number is None:
            alone.append((received, freed))
        else:
            placed.append((row, worker_name(manager, number), received, freed))
            ran.add(row)
    capacity = store.query(_CAPACITY, run=run.id).all()
    executors = {executor for executor, *_ in capacity}
    known = store.query(_NUMBERS, run=run.id).all()
    begun = np.flatnonzero(told(found.first_of("worker_received", "running", "queue_running")))
    at_workers = zip(found.groups("executor"), found.groups("block_id"), strict=True)
    on_worker = [block is not None or executor in executors for executor, block in at_workers]
    return Work(
        [row for row, *_ in placed],
        [name for _, name, *_ in placed],
        from_seconds([received for *_, received, _ in placed]),
        from_seconds([freed for *_, freed in placed]),
        _connected(capacity, known),
        (from_seconds([start for start, _ in alone]), from_seconds([end for _, end in alone])),
        sum(on_worker[row] and row not in ran for row in begun.tolist()),
        sum(number is None for _, _, number, *_ in capacity) if not known else 0,
    )


def worker_name(manager: str | None, number: object) -> str:
    """A worker for people: `6456cb9d6a7c/3`; Work Queue's and TaskVine's have names."""
    return f"{manager or 'worker'}/{number}" if isinstance(number, int) else str(number)


def _connected(
    capacity: list[Any], known: list[tuple[str | None, Any]]
) -> dict[str, list[tuple[int, int]]]:
    """From when to when each worker was there: those that left a log, and those that did not."""
    numbers: dict[str | None, list[Any]] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for manager, number in known:
        numbers.setdefault(manager, []).append(number)
        found[worker_name(manager, number)] = []
    for _, manager, only, workers, *times in capacity:
        up, down = from_seconds(times).tolist()
        mine = [only] if only is not None else list(numbers.get(manager, ()))
        taken = set(mine)
        free = (number for number in count() if number not in taken)
        some = min(workers, _MOST_WORKERS)
        missing = [next(free) for _ in range(some - len(mine))]
        for number in (*mine[:some], *missing):
            found.setdefault(worker_name(manager, number), []).append((up, down))
    return found


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
