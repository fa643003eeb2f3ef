"""Read the path of a run's tasks from the store: every moment of every try, in nanoseconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from dnpcsql.analyses.path import MOMENTS, PLACE, Paths
from dnpcsql.analyses.times import MISSING, Counts, Mask, Times, told
from dnpcsql.answers import path_rows as sql
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store


def read_paths(store: Store, run: Run) -> Paths:
    """The path of each of a run's tasks, whatever was imported of it."""
    part = trace_id_of(run.id)[-12:]

    def ask(text: str, **values: object) -> list[tuple[Any, ...]]:
        return store.query(text, part=part, **values).all()

    told_by_log = {key: row for key, *row in ask(sql.TASKS, account="22")}
    told_by_db = {key: row for key, *row in ask(sql.TASKS, account="12")}
    names = sorted(told_by_log.keys() | told_by_db.keys())
    tasks = np.array(names, dtype=np.int64)
    none = (None, None, None)
    both = [(told_by_db.get(key, none), told_by_log.get(key, none)) for key in names]
    apps, invoked, done = (
        [db[column] if db[column] is not None else log[column] for db, log in both]
        for column in range(3)
    )

    attempts = {key: row for key, *row in ask(sql.ATTEMPTS, account="23")}
    for key, *row in ask(sql.ATTEMPTS, account="13"):
        attempts[key] = _first_told(row, attempts.get(key, (None,) * 4))
    numbers = np.array(sorted(attempts), dtype=np.int64)
    placed = _placed(ask)
    owned = np.isin(numbers // sql.TRIES, tasks)
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
        _last_heard(ask, times),
        np.searchsorted(tasks, numbers // sql.TRIES),
        numbers % sql.TRIES,
        times,
        np.zeros(numbers.shape, dtype=np.bool_),
        answered,
        [_label(row[1]) for row in rows],
        *([_label(place[column]) for place in places] for column in range(3)),
    )
    return _ready(paths, ask(sql.WAITING))


def _moments(numbers: Counts, ask: Any) -> tuple[Times, Mask]:
    """The moments of each try, (tries, MOMENTS), and whether it was answered without launching."""
    logged, answered = _grid(numbers, ask(sql.STATES, account="23"))
    stored, also = _grid(numbers, ask(sql.STATES, account="13"))
    below, _ = _grid(numbers, ask(sql.BELOW))
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
    answered[row[place == sql.ANSWERED]] = True
    last = np.isin(place, [PLACE[name] for name in sql.LAST_COUNTS])
    np.maximum.at(times, (row[last], place[last]), at[last])
    first = ~last & (place != sql.ANSWERED)
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
        uuid: row
        for account in ("36", "46", "57")
        for uuid, *row in ask(sql.THINGS, account=account)
    }
    found: dict[int, list[str | None]] = {}
    for key, uuid in ask(sql.PLACES):
        found[key] = _first_told(found.get(key, (None,) * 3), things.get(uuid, (None,) * 3))
    return found


def _last_heard(ask: Any, times: Times) -> int:
    """The run's end, in nanoseconds; else the last that the submitting process told of itself."""
    ((value,),) = ask(sql.LAST_HEARD)
    return int(times.max(initial=0)) if value is None else int(value)


def _first_told(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    return [a if a is not None else b for a, b in zip(one, other, strict=True)]


def _nanoseconds(values: Iterable[int | None]) -> Times:
    return np.array([MISSING if value is None else value for value in values], dtype=np.int64)


def _label(value: Any) -> str:
    return "-" if value is None else str(value)
