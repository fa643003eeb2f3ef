"""A Parsl run as WfFormat 1.5, for WfCommons and the tools that read its instances.

Tasks, what they depend on, when and how long they ran, on which machines, and what they used, as
far as any file told it. A task that never ran is in the specification only.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from dnpcsql.errors import NotFoundError
from dnpcsql.exporters.wfformat_usage import usage_of
from dnpcsql.query import Row
from dnpcsql.runs import Run

if TYPE_CHECKING:
    from dnpcsql.store import Store

VERSION = "1.5"

# What a task's time is taken from, the surest first: the app's body, its worker, its executor.
_EXTENTS = (
    ("running", "running_ended"),
    ("worker_received", "worker_completed"),
    ("launched", "returned"),
)
_RAN = ", ".join(itertools.chain.from_iterable(_EXTENTS))
_NO_ID = re.compile(r"[^0-9A-Za-z_.#-]")


@dataclass
class Written:
    """What was written of a run."""

    tasks: int = 0
    dependencies: int = 0
    executions: Counter[str] = field(default_factory=Counter)
    """How many tasks ran, by what their runtime is: `running to running_ended`."""
    machines: int = 0


class Writable(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object:
        """Write text."""


def write(store: Store, run: str, file: Writable) -> Written:
    """Write a run as WfFormat, a task at a time. Raises NotFoundError if it has no tasks."""
    found = store.run(run)
    if not found.tasks:
        raise NotFoundError(f"run {found.id} has no tasks, of which WfFormat needs one at least")
    written = Written()
    for part in _parts(store, found, written):
        file.write(part)
    return written


def _parts(store: Store, run: Run, written: Written) -> Iterator[str]:
    first, last = _extent(store, run)
    about = {
        "name": run.name or f"Parsl run {run.id}",
        "description": _description(run),
        "createdAt": _iso(first),
        "schemaVersion": VERSION,
        "runtimeSystem": {
            "name": "Parsl",
            "version": run.parsl_version or "unknown",
            "url": "https://parsl-project.org",
        },
    }
    head = {name: value for name, value in about.items() if value is not None}
    yield json.dumps(head, ensure_ascii=False)[:-1]
    yield ', "workflow": {"specification": {"tasks": ['
    yield from _joined(_specified(store, run, written))
    yield "]}"
    if first is not None and last is not None:
        yield from _execution(store, run, written, first, last)
    yield "}}\n"


def _execution(
    store: Store, run: Run, written: Written, first: float, last: float
) -> Iterator[str]:
    """When anything ran: its tasks, and where."""
    hosts: set[str] = set()
    executed = _joined(_executed(store, run, written, hosts))
    begun = next(executed, None)
    if begun is None:
        return
    about = {"makespanInSeconds": round(max(last - first, 0.0), 6), "executedAt": _iso(first)}
    yield f', "execution": {json.dumps(about)[:-1]}, "tasks": ['
    yield begun
    yield from executed
    yield "]"
    if hosts:
        yield ', "machines": ['
        yield from _joined(_machines(store, run, written, hosts))
        yield "]"
    yield "}"


def _specified(store: Store, run: Run, written: Written) -> Iterator[dict[str, Any]]:
    """Tasks, in the order of their numbers, with those before and behind them."""
    ids = {app: _NO_ID.sub("_", app) for app in _apps(store, run)}
    tasks = store.query(
        "SELECT task_id, app FROM parsl_task WHERE run_id = :run ORDER BY task_id", run=run.id
    )
    pairs = (
        "SELECT DISTINCT {0}, {1}, app FROM parsl_dependency LEFT JOIN (SELECT task_id AS number, "
        "app FROM parsl_task WHERE run_id = :run) ON number = {1} WHERE run_id = :run ORDER BY 1, 2"
    )
    parents = _Grouped(store.query(pairs.format("task_id", "depends_on"), run=run.id))
    children = _Grouped(store.query(pairs.format("depends_on", "task_id"), run=run.id))
    for number, app in tasks:
        before = [_id(ids, row[2], row[1]) for row in parents.of(number)]
        written.tasks += 1
        written.dependencies += len(before)
        yield {
            "name": app or "unknown",
            "id": _id(ids, app, number),
            "parents": before,
            "children": [_id(ids, row[2], row[1]) for row in children.of(number)],
        }


def _executed(
    store: Store, run: Run, written: Written, hosts: set[str]
) -> Iterator[dict[str, Any]]:
    """The last try that ran of each task that did."""
    ids = {app: _NO_ID.sub("_", app) for app in _apps(store, run)}
    tries = store.query(
        f"SELECT task_id, try_id, app, hostname, {_RAN} FROM parsl_try WHERE run_id = :run "
        "ORDER BY task_id, try_id",
        run=run.id,
    )
    used = usage_of(store, run.id)
    for number, rows in itertools.groupby(tries, itemgetter(0)):
        ran = [(row, extent) for row in rows if (extent := _ran(row[4:])) is not None]
        usage = used.of(number)
        if not ran:
            continue
        (_, attempt, app, host, *_), (start, end, how) = ran[-1]
        written.executions[how] += 1
        if host:
            hosts.add(host)
        told = {
            "id": _id(ids, app, number),
            "runtimeInSeconds": round(end - start, 6),
            "executedAt": _iso(start),
            **usage.get(attempt, {}),
            "machines": [host] if host else None,
        }
        yield {name: value for name, value in told.items() if value is not None}


def _ran(times: Row) -> tuple[float, float, str] | None:
    """When a try ran, and between which two of its moments."""
    for (first, last), start, end in zip(_EXTENTS, times[::2], times[1::2], strict=True):
        if start is not None and end is not None and start <= end:
            return start, end, f"{first} to {last}"
    return None


def _machines(
    store: Store, run: Run, written: Written, hosts: set[str]
) -> Iterator[dict[str, Any]]:
    """The hosts that tasks ran on, with what their managers told of them."""
    rows = store.query(
        "SELECT json_extract(attributes, '$.\"host.name\"'), "
        "max(json_extract(attributes, '$.\"parsl.manager.cpu_count\"')), "
        "max(json_extract(attributes, '$.\"parsl.manager.total_memory\"')) FROM span "
        "WHERE type IN ('parsl.monitoring.manager', 'parsl.executor.htex.manager') "
        "AND substr(uuid, 1, 12) = :run GROUP BY 1",
        run=run.id[-12:],
    )
    known = {row[0]: row[1:] for row in rows}
    for host in sorted(hosts):
        cores, memory = known.get(host, (None, None))
        machine: dict[str, Any] = {"nodeName": host}
        if isinstance(memory, int) and memory > 0:
            machine["memoryInBytes"] = memory
        if isinstance(cores, int) and cores > 0:
            machine["cpu"] = {"coreCount": cores}
        written.machines += 1
        yield machine


class _Grouped:
    """Rows in the order of their first column, taken together with another list in that order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = itertools.groupby(rows, itemgetter(0))
        self._number: int | None = -1
        self._rows: list[Row] = []

    def of(self, number: int) -> list[Row]:
        """The rows of a number that is not less than the one asked for before."""
        while self._number is not None and self._number < number:
            found = next(self._groups, None)
            self._number = None if found is None else found[0]
            self._rows = [] if found is None else list(found[1])
        return self._rows if self._number == number else []


def _extent(store: Store, run: Run) -> tuple[float | None, float | None]:
    """When a run began and ended; of one that never ended, the last that is known of its tasks."""
    first, last = store.query(
        "SELECT min(invoked), max(returned) FROM parsl_task WHERE run_id = :run", run=run.id
    ).all()[0]
    if run.ended is None:
        (launched,) = store.query(
            "SELECT max(max(coalesce(launched, 0), coalesce(running_ended, 0), "
            "coalesce(returned, 0))) FROM parsl_try WHERE run_id = :run",
            run=run.id,
        ).all()[0]
        last = max(last or 0.0, launched or 0.0) or None
    return (run.started if run.started is not None else first), run.ended or last


def _apps(store: Store, run: Run) -> list[str]:
    rows = store.query("SELECT DISTINCT app FROM parsl_task WHERE run_id = :run", run=run.id)
    return [app for (app,) in rows if app]


def _id(ids: dict[str, str], app: str | None, number: int) -> str:
    """`work_ID0000026`, as WfCommons writes ids."""
    return f"{ids.get(app or '', 'unknown')}_ID{number:07d}"


def _description(run: Run) -> str:
    ended = "" if run.ended is not None else "; it never ended, as far as is known"
    return f"Parsl run {run.id}, told by dnpcsql{ended}"


def _iso(unix: float | None) -> str | None:
    if unix is None:
        return None
    moment = datetime.fromtimestamp(round(unix * 1e6) // 10**6, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{round(unix * 1e6) % 10**6:06d}Z"


def _joined(values: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield (",\n" if number else "\n") + json.dumps(value, ensure_ascii=False)
