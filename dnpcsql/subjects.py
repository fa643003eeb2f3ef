"""What is to be counted or drawn: the tries or tasks of a run, or spans of any type, as arrays.

Rows come from views; everything that `analyses` and `plots` need of them is in a Subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dnpcsql.analyses.times import MISSING, Times, bounds, from_seconds, told
from dnpcsql.analyses.timestamps import Ranges, timestamps
from dnpcsql.clock import local_text
from dnpcsql.errors import NotFoundError, QueryError
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# The way of a try, in the order in which it goes; the task's own two around it.
HOPS = (
    "pending", "launched", "interchange_received", "interchange_sent", "manager_got",
    "worker_received", "queue_waiting", "queue_running", "running", "running_ended",
    "worker_completed", "worker_finished", "interchange_result", "queue_waiting_retrieval",
    "queue_retrieved", "queue_done", "joining", "returned",
)  # fmt: skip
EVENTS = ("invoked", *HOPS, "task_returned")
_OF_TASKS = {"invoked": "invoked", "returned": "task_returned"}
_GROUPS = ("app", "executor", "state", "hostname", "block_id", "manager_id", "worker_id", "error")

_JOINING = """
SELECT CAST(substr(span_uuid, 15, 10) AS INTEGER), CAST(substr(span_uuid, 25, 4) AS INTEGER),
  min(time_unix_nano)
FROM event
WHERE type = 'joining'
  AND (span_uuid BETWEEN :part || '13' AND :part || '13g'
    OR span_uuid BETWEEN :part || '23' AND :part || '23g')
GROUP BY 1, 2
"""

_SOME_TRY = "task_id IN (SELECT task_id FROM parsl_try WHERE run_id = :run"


@dataclass(frozen=True)
class Subject:
    """Rows of spans: names, groups by which to colour or split them, and when each event was."""

    noun: str  # tasks, tries, spans
    about: str  # whose they are, for people
    names: list[str]
    columns: Mapping[str, Sequence[Any]]  # by what they may be grouped
    events: tuple[str, ...]
    times: Times  # (rows, events), MISSING where not told
    begin: str  # the two events that are meant if none are named
    end: str
    until: int | None  # when what never ended is taken to end

    def of(self, event: str) -> Times:
        """The times of an event. Raises NotFoundError with the events that there are."""
        if event in self.events:
            return self.times[:, self.events.index(event)]
        raise NotFoundError(
            f"no event {event} of these {self.noun}; there are: {', '.join(self.told()) or 'none'}"
        )

    def told(self) -> list[str]:
        """The events that some row has, in their order."""
        return [
            name
            for name, column in zip(self.events, self.times.T, strict=True)
            if told(column).any()
        ]

    def ranges(self, begin: str | None = None, end: str | None = None) -> Ranges:
        """From one event to another of each row."""
        return Ranges(self.of(begin or self.begin), self.of(end or self.end))

    def first_of(self, *events: str) -> Times:
        """Of each row, the time of the first of these events that is told, in this order."""
        found = np.full(len(self.names), MISSING, dtype=np.int64)
        for event in events:
            found = np.where(told(found), found, self.of(event))
        return found

    def groups(self, by: str) -> Sequence[Any]:
        """What each row is called by a column. Raises NotFoundError with those that there are."""
        if by not in self.columns:
            raise NotFoundError(f"no column {by} of these {self.noun}; there are: "
                                f"{', '.join(self.columns)}")  # fmt: skip
        return self.columns[by]


def tries_of(store: Store, run: Run, where: str | None = None) -> Subject:
    """The tries of a run, with their tasks' own times; `where`: SQL over columns of parsl_try."""
    columns = _columns(store, "parsl_try", run.id, where, "task_id, try_id")
    tasks = _columns(store, "parsl_task", run.id, None, "task_id")
    invoked = dict(zip(tasks["task_id"], tasks["invoked"], strict=True))
    ended = dict(zip(tasks["task_id"], tasks["returned"], strict=True))
    keys = list(zip(columns["task_id"], columns["try_id"], strict=True))
    joining = {
        (task, attempt): time / 1e9
        for task, attempt, time in store.query(_JOINING, part=trace_id_of(run.id)[-12:])
    }
    seconds: dict[str, Sequence[float | None]] = {
        **{hop: columns[hop] for hop in HOPS if hop != "joining"},
        "invoked": [invoked.get(task) for task, _ in keys],
        "task_returned": [ended.get(task) for task, _ in keys],
        "joining": [joining.get(key) for key in keys],
    }
    times = _matrix([seconds[event] for event in EVENTS])
    several = len(keys) > len(set(columns["task_id"]))
    names = [
        f"{task}.{attempt} {app or ''}" if several else f"{task} {app or ''}"
        for (task, attempt), app in zip(keys, columns["app"], strict=True)
    ]
    groups = {name: columns[name] for name in _GROUPS}
    noun = "tries" if several else "tasks"
    return Subject(
        noun, about(run), names, groups, EVENTS, times, "launched", "returned", _until(run, times)
    )


def tasks_of(store: Store, run: Run, where: str | None = None) -> Subject:
    """The tasks of a run; `where`: SQL over columns of parsl_try, of which one must fit."""
    columns = _columns(
        store, "parsl_task", run.id, where and f"{_SOME_TRY}{_and(where)})", "task_id"
    )
    times = _matrix([columns["invoked"], columns["returned"]])
    names = [
        f"{task} {app or ''}" for task, app in zip(columns["task_id"], columns["app"], strict=True)
    ]
    groups = {name: columns[name] for name in ("app", "executor", "state", "tries")}
    return Subject("tasks", about(run), names, groups, ("invoked", "returned"), times, "invoked",
                   "returned", _until(run, times))  # fmt: skip


def spans_of(store: Store, type_: str, run: Run | None = None, where: str | None = None) -> Subject:
    """Spans of a type, of all runs and traces or of one; `where`: SQL over columns of span."""
    known = [row[0] for row in store.query("SELECT type FROM span_type ORDER BY type")]
    if type_ not in known:
        raise NotFoundError(f"no spans of type {type_}; there are: {', '.join(known) or 'none'}")
    chosen = f"SELECT uuid, name, status_code, note FROM span WHERE type = :type{_and(where)}"
    values: dict[str, object] = {"type": type_}
    if run is not None:
        chosen = f"SELECT * FROM ({chosen}) WHERE uuid BETWEEN :part AND :part || 'g'"
        values["part"] = trace_id_of(run.id)[-12:]
    rows = store.query(f"{chosen} ORDER BY uuid", **values).all()
    moments = store.query(
        "SELECT span_uuid, time_unix_nano, type FROM moment "
        f"WHERE span_uuid IN (SELECT uuid FROM ({chosen}))",
        **values,
    )
    found = timestamps(moments)
    place = {uuid: number for number, uuid in enumerate(found.spans)}
    times = np.full((len(rows), max(1, len(found.events))), MISSING, dtype=np.int64)
    for row, (uuid, *_) in enumerate(rows):
        if uuid in place:
            times[row] = found.times[place[uuid]]
    events = tuple(found.events) or ("start",)
    begin, end = ("start", "end") if {"start", "end"} <= set(events) else (events[0], events[-1])
    known_times = bounds(times)
    groups = {"name": [row[1] for row in rows], "status_code": [row[2] for row in rows],
              "note": [row[3] for row in rows]}  # fmt: skip
    return Subject(
        "spans",
        type_ if run is None else f"{type_}, {about(run)}",
        [row[1] or row[0] for row in rows],
        groups,
        events,
        times,
        begin,
        end,
        known_times[1] if known_times else None,
    )


def subject(
    store: Store,
    run: str | None,
    *,
    where: str | None = None,
    type: str | None = None,  # noqa: A002
    events: Sequence[str | None] = (),
) -> Subject:
    """Spans of `type` if it is given; else the tasks of a run, or its tries if `events` need them.

    Raises NotFoundError if there is no such run or type.
    """
    if type is not None:
        return spans_of(store, type, store.run(run) if run is not None else None, where)
    if run is None and not store.query("SELECT 1 FROM parsl_run LIMIT 1").all():
        types = ", ".join(row[0] for row in store.query("SELECT type FROM span_type ORDER BY type"))
        raise NotFoundError(
            f"no Parsl run here: say which spans, --type TYPE, of: {types or 'none'}"
        )
    found = store.run(run or "last")
    named = {event for event in events if event}
    if named <= set(_OF_TASKS):
        return tasks_of(store, found, where)
    return tries_of(store, found, where)


def about(run: Run) -> str:
    """Whose a picture is: `run cc55368f "full workflow", 2026-11-22 07:06:40 UTC`."""
    parts = [f"run {run.id[:8]}"]
    if run.name:
        parts[0] += f' "{run.name}"'
    if run.started is not None:
        parts.append(f"{local_text(round(run.started * 1e9))[:19]} UTC")
    return ", ".join(parts)


def _columns(
    store: Store, view: str, run_id: str, where: str | None, order: str
) -> dict[str, list[Any]]:
    """A view's rows of a run, column by column."""
    try:
        result = store.query(
            f"SELECT * FROM {view} WHERE run_id = :run{_and(where)} ORDER BY {order}", run=run_id
        )
        rows = result.all()
    except QueryError as error:
        raise QueryError(f"--where: {error}" if where else str(error)) from None
    if not rows:
        return {name: [] for name in result.columns}
    return dict(zip(result.columns, map(list, zip(*rows, strict=True)), strict=True))


def _and(where: str | None) -> str:
    """The user's own condition; the database is open for reading only."""
    return f" AND (\n{where}\n)" if where else ""


def _matrix(columns: Sequence[Sequence[float | None]]) -> Times:
    return np.stack([from_seconds(column) for column in columns], axis=1)


def _until(run: Run, times: Times) -> int | None:
    """When a run ended, or the last that is known of it."""
    if run.ended is not None:
        return round(run.ended * 1e6) * 1000
    known = bounds(times)
    return known[1] if known else None
