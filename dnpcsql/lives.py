"""A task's whole life: every event that any file tells of it, in order of time."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql.errors import NotFoundError
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# Two accounts of one event, apart by no more than this, are one line of a life.
_SAME_EVENT_NS = 50_000_000

# Everything inside the task, through containment and through accounts of the same thing. What is
# inside by a tie that no file states, and in no other way, has the words of that tie.
_EVENTS = """
WITH RECURSIVE inside(uuid, inferred) AS (
  SELECT uuid, NULL FROM span WHERE uuid IN (:stored, :logged)
  UNION
  SELECT subspan_uuid, coalesce(inferred, CASE WHEN note LIKE 'inferred: %' THEN note END)
  FROM subspan JOIN inside ON superspan_uuid = inside.uuid
  UNION
  SELECT right_uuid, inferred FROM facet JOIN inside ON left_uuid = inside.uuid
  UNION
  SELECT left_uuid, inferred FROM facet JOIN inside ON right_uuid = inside.uuid
)
SELECT event.span_uuid, span.type, event.type, event.time_unix_nano, event.line,
  source.path, source.importer, event.note, event.attributes, inside.inferred
FROM (
  SELECT uuid, CASE WHEN count(*) = count(inferred) THEN min(inferred) END AS inferred
  FROM inside GROUP BY uuid
) AS inside
JOIN span ON span.uuid = inside.uuid
JOIN event ON event.span_uuid = inside.uuid
LEFT JOIN source ON source.id = event.source_id
ORDER BY event.time_unix_nano, event.span_uuid, event.line, event.type
"""


class Moment(NamedTuple):
    """One line of a life."""

    time_unix_nano: int
    after_s: float  # since the task was invoked; below 0 where clocks differ
    gap_s: float  # since the event before
    try_id: int | None
    what: str
    told_by: tuple[str, ...]
    note: str | None  # what it says of itself, and whether its tie to the task is inferred


class Life(NamedTuple):
    """A task's row of parsl_task, its tries' rows of parsl_try, and its moments."""

    run: Run
    task: dict[str, object]
    tries: list[dict[str, object]]
    waited_for: list[tuple[int, str | None, float | None]]  # task id, state, returned
    moments: list[Moment]


def life(store: Store, run: Run, task_id: int) -> Life:
    """A task's life. Raises NotFoundError if the run has no such task."""
    values: dict[str, object] = {"run": run.id, "task": task_id}
    where = "run_id = :run AND task_id = :task"
    tasks = store.query(f"SELECT * FROM parsl_task WHERE {where}", **values).dicts()
    if not tasks:
        raise NotFoundError(f"run {run.id} has no task {task_id}: `dnpcsql tasks {run.id[:8]}`")
    tries = store.query(f"SELECT * FROM parsl_try WHERE {where} ORDER BY try_id", **values)
    waited_for = store.query(
        "SELECT depends_on, state, returned FROM parsl_dependency AS pair "
        "LEFT JOIN parsl_task AS earlier "
        "ON earlier.run_id = pair.run_id AND earlier.task_id = pair.depends_on "
        "WHERE pair.run_id = :run AND pair.task_id = :task ORDER BY 1",
        **values,
    )
    return Life(run, tasks[0], tries.dicts(), waited_for.all(), _moments(store, run, task_id))


def _moments(store: Store, run: Run, task_id: int) -> list[Moment]:
    part = trace_id_of(run.id)[-12:]
    rows = store.query(
        _EVENTS, stored=f"{part}12{task_id:010d}0000", logged=f"{part}22{task_id:010d}0000"
    )
    lines: list[tuple[tuple[str, str], int, int | None, str, list[str], str | None]] = []
    for uuid, span_type, type_, time, line, path, importer, note, attributes, inferred in rows:
        key = (uuid[13:], type_)
        told = told_by(path, importer, span_type, type_, line)
        same = next(
            (seen for seen in lines if seen[0] == key and time - seen[1] <= _SAME_EVENT_NS), None
        )
        if same is not None:
            same[4].append(told)
        else:
            attempt = int(uuid[24:28]) if span_type.endswith(".try") else None
            what = f"executor task {type_}" if span_type.endswith(".executor_task") else type_
            says = (note or _error(type_, attributes), inferred and f"tie {inferred}")
            remark = "; ".join(text for text in says if text) or None
            lines.append((key, time, attempt, what, [told], remark))
    start = next((time for (_, type_), time, *_ in lines if type_ == "invoked"), None)
    if start is None and lines:
        start = lines[0][1]
    return [
        Moment(
            time,
            (time - (start or 0)) / 1e9,
            (time - lines[max(0, place - 1)][1]) / 1e9,
            attempt,
            type_.replace("_", " "),
            tuple(told),
            note,
        )
        for place, (_, time, attempt, type_, told, note) in enumerate(lines)
    ]


def _error(type_: str, attributes: str | None) -> str | None:
    """What an exception event says: `ValueError: no good`."""
    if type_ != "exception" or attributes is None:
        return None
    said = json.loads(attributes)
    message = str(said.get("exception.message") or "").replace("\\n", "\n").split("\n")[0]
    words = [str(said["exception.type"])] if said.get("exception.type") else []
    return ": ".join([*words, message[:100]] if message else words) or None


def told_by(path: str | None, importer: str | None, span_type: str, type_: str, line: int) -> str:
    """Where an event stands, as people look it up: `parsl.log:2210`, `monitoring.db task 13`."""
    name = PurePosixPath(path or "?").name
    if importer != "monitoring.db":
        return f"{name}:{line}"
    thing = span_type.rpartition(".")[2]
    table = "status" if thing == "try" and type_ != "exception" else thing
    return f"{name} {'node' if table == 'manager' else table} {line}"
