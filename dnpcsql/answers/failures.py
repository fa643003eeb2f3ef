"""Failures explained: what failed where, which of them share a cause, and what they cost."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql.analyses.causes import Cause, Failed, causes, cost_ns, held_ns
from dnpcsql.analyses.ledger import walls
from dnpcsql.analyses.path import Paths
from dnpcsql.analyses.times import told
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.paths import read_paths
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_FAILURES = """
SELECT layer, what, exception, message, NULL, app, task_id, try_id, executor, host, block_id,
  failure.time, path, line
FROM failure WHERE run_id = :run
ORDER BY failure.time, line
"""

_TRACEBACKS = """
SELECT CAST(substr(event.span_uuid, 15) AS INTEGER),
  json_extract(event.attributes, '$."exception.stacktrace"')
FROM span JOIN event ON event.span_uuid = span.uuid AND event.type = 'exception'
WHERE span.uuid > :part || '23' AND span.uuid < :part || '23g' AND span.status_code = 2
  AND instr(event.attributes, '"exception.stacktrace"') > 0
"""

_MEMORY = """
SELECT CAST(substr(uuid, 15) AS INTEGER),
  (
    SELECT json_extract(metrics, '$.psutil_process_memory_resident') FROM sample
    WHERE span_uuid = span.uuid ORDER BY time_unix_nano DESC LIMIT 1
  )
FROM span
WHERE uuid > :part || '13' AND uuid < :part || '13g' AND status_code = 2
"""

_WAITING = """
SELECT task_id, depends_on FROM parsl_dependency WHERE run_id = :run ORDER BY 1, 2
"""

_TRIES = 10_000

# What happened to managers, workers and blocks, by the type of the event that tells of it.
_BROKE = {
    "error": "ended with an error",
    "lost": "lost: no heartbeat any more",
    "worker_died": "died",
    "manager_died": "left behind by a manager that died",
    "interchange_lost": "lost the interchange",
    "executor_bad_state": "given up by Parsl",
}


class Failures(NamedTuple):
    """Why things of a run failed, the costliest cause first."""

    run: Run
    causes: list[Cause]
    unfinished: int  # tasks that never returned, as far as is told

    @property
    def held_ns(self) -> int:
        """Worker time that went into what failed."""
        return sum(cause.held_ns for cause in self.causes)


def failures(store: Store, run: Run) -> Failures:
    """Why things of a run failed, with a file and a line for each."""
    return failures_of(store, run, read_paths(store, run))


def failures_of(store: Store, run: Run, paths: Paths) -> Failures:
    """The failures of a run whose paths were read before."""
    part = trace_id_of(run.id)[-12:]
    rows = store.query(_FAILURES, run=run.id).all()
    unfinished = int((~told(paths.done)).sum())
    if not rows:
        return Failures(run, [], unfinished)
    numbers = (paths.tasks[paths.owners] * _TRIES + paths.tries).tolist()
    held = dict(zip(numbers, held_ns(paths).tolist(), strict=True))
    tracebacks: dict[int, str] = dict(store.query(_TRACEBACKS, part=part).all())
    memory: dict[int, float] = dict(store.query(_MEMORY, part=part).all())
    waits_for: dict[int, list[int]] = defaultdict(list)
    if any(row[0] == "dependency" for row in rows):
        for task, earlier in store.query(_WAITING, run=run.id):
            waits_for[task].append(earlier)
    failed = []
    for *row, path, line in rows:
        key = -1 if row[6] is None else row[6] * _TRIES + row[7]
        row[4] = tracebacks.get(key)
        place = f"{PurePosixPath(path or '?').name}:{line}"
        told_of = (place, held.get(key, 0), key >= 0 and key + 1 in held, memory.get(key))
        failed.append(Failed._make((*row, *told_of)))
    begins, ends, _ = walls(paths)
    walls_ns = dict(zip(paths.tasks.tolist(), (ends - begins).tolist(), strict=True))
    return Failures(run, causes(failed, waits_for, walls_ns), unfinished)


def sentence(cause: Cause) -> str:
    """A cause in one sentence."""
    what = f"{cause.exception or 'no exception told'}"
    if cause.exit_code is not None and f"{cause.exit_code}" not in what:
        what += f" (exit code {cause.exit_code})"
    where = []
    if cause.what == "try":
        subject = (
            f"{_many(cause.failures, 'try', 'tries')} of {_many(cause.tasks, 'task', 'tasks')}"
        )
        if cause.app:
            subject += f" of app {cause.app}"
        said = f"{subject} failed with {what}"
        if cause.raised_at:
            where.append(f"raised at {cause.raised_at}")
    else:
        how = _BROKE.get(str(cause.exception), f"failed: {what}")
        said = f"{_many(cause.failures, cause.what, cause.what + 's')} {how}"
        if cause.message:
            where.append(f'"{cause.message}"')
    if cause.blocks and cause.what != "block":
        where.append(f"in block {', '.join(cause.blocks[:5])}")
    elif cause.blocks:
        where.append(f"block {', '.join(cause.blocks[:5])}")
    if cause.hosts:
        where.append(f"on {', '.join(cause.hosts[:5])}")
    came = []
    if cause.retried:
        came.append(f"{cause.retried} were tried again")
    if cause.stopped:
        came.append(f"{_many(cause.stopped, 'task', 'tasks')} that waited could not run")
    if cause.held_ns:
        came.append(f"cost {cause.held_ns / 1e9:.1f} worker-seconds")
    if cause.wall_ns:
        came.append(f"{cause.wall_ns / 1e9:.1f} s of tasks led to nothing")
    return "; ".join([said + (", " + ", ".join(where) if where else ""), *came])


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def findings(found: Failures) -> list[Finding]:
    """Each cause, weighed by the time that led to nothing."""
    command = f"dnpcsql failures {found.run.id[:8]}"
    return [
        Finding(cost_ns(cause) / 1e9, sentence(cause), command, cause.lines)
        for cause in found.causes
    ]
