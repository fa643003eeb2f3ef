"""Parsl's monitoring.db: the tables workflow, task, try, status, resource, block and node.

Known since 2021 (Parsl 1.2.0); a database may hold many runs. Columns that an era lacks are taken
as NULL, columns that no era known here has are counted. Two clocks write it: the submitting
process's, and for `running`, `running_ended` and resource rows that of the worker's host.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from dnpcsql.importers.context import Context
from dnpcsql.importers.monitoring_rows import Rows
from dnpcsql.importers.monitoring_times import Times
from dnpcsql.importers.sqlite_file import DAMAGE, lenient, open_readonly, told_if_passing
from dnpcsql.records import Problem, Record, Tally

# In the order in which they are read: a run's bounds are known before its rows.
COLUMNS = {
    "workflow": (
        "run_id", "workflow_name", "workflow_version", "time_began", "time_completed", "host",
        "user", "rundir", "tasks_failed_count", "tasks_completed_count",
    ),
    "task": (
        "run_id", "task_id", "task_depends", "task_func_name", "task_memoize", "task_hashsum",
        "task_inputs", "task_outputs", "task_stdin", "task_stdout", "task_stderr",
        "task_time_invoked", "task_time_returned", "task_fail_count", "task_fail_cost",
    ),
    "try": (
        "run_id", "task_id", "try_id", "block_id", "hostname", "task_executor",
        "task_try_time_launched", "task_try_time_running", "task_try_time_returned",
        "task_fail_history", "task_joins",
    ),
    "status": ("run_id", "task_id", "try_id", "task_status_name", "timestamp"),
    "resource": ("run_id", "task_id", "try_id", "timestamp"),
    "block": ("run_id", "executor_label", "block_id", "job_id", "timestamp", "status"),
    "node": (
        "run_id", "hostname", "uid", "block_id", "cpu_count", "total_memory", "active",
        "worker_count", "python_v", "timestamp", "last_heartbeat",
    ),
}  # fmt: skip
_BEFORE_ALL = -(2**63)

_Read: TypeAlias = Callable[..., Sequence[Record]]


# The host whose clock wrote a worker's row.
_HOST = (
    '(SELECT hostname FROM "try" WHERE "try".run_id = "{table}".run_id '
    'AND "try".task_id = "{table}".task_id AND "try".try_id = "{table}".try_id)'
)


def monitoring_db(path: Path, context: Context) -> Iterator[Record]:
    """The runs of one monitoring.db, whatever the file is called."""
    with open_readonly(path) as connection:
        hosts = _hosts(path, connection)
        times = Times(lambda run_id, rundir: context.clocks_of_run(run_id, rundir, hosts))
        reading = _Reading(path, connection, times, context.only_runs)
        for table in COLUMNS:
            yield from reading.table(table)
        yield from times.problems()
        yield Tally(reading.read, reading.read, reading.understood, {}, times.offset(), times.how())


def _hosts(path: Path, connection: sqlite3.Connection) -> dict[str, str]:
    """Manager uid → host name, as the node table has it."""
    connection.text_factory = lenient
    try:
        return dict(connection.execute("SELECT DISTINCT uid, hostname FROM node"))
    except DAMAGE as error:
        told_if_passing(error, path, connection)
        return {}
    finally:
        connection.text_factory = str


class _Reading:
    """One database, table by table."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        times: Times,
        only_runs: frozenset[str] | None,
    ) -> None:
        self._path = path
        self._connection = connection
        self._times = times
        self._rows = Rows(times)
        self._only = None if only_runs is None else json.dumps(sorted(only_runs))
        self.read = 0
        self.understood = 0

    def table(self, table: str) -> Iterator[Record]:
        """The records of one table, in the order in which its rows were written."""
        records: _Read = self._rows.attempt if table == "try" else getattr(self._rows, table)
        try:
            present = [row[1] for row in self._connection.execute(f'PRAGMA table_info("{table}")')]
            if not present:
                yield Problem(None, "table missing", table)
                return
            for name in present:
                if table != "resource" and name not in COLUMNS[table] and name != "id":
                    yield Problem(None, "column not known", f"{table}.{name}")
            odd = self._times.odd
            for row in self._select(table, present):
                self.read += 1
                try:
                    yield from records(*row)
                    self.understood += 1
                except (ValueError, TypeError, AttributeError) as error:
                    text = f"{table}: {error}: {list(row[1:])!r}"
                    yield Problem(row[0], "row not understood", text)
                if odd:
                    yield from [Problem(row[0], *each) for each in odd]
                    odd.clear()
        except DAMAGE as error:
            told_if_passing(error, self._path, self._connection)
            yield Problem(None, "damaged table", f"{table}: {error}; read as far as it goes")

    def _select(self, table: str, present: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """All known columns in their order, NULL for those that this database's era lacks."""
        columns = [f'"{name}"' if name in present else "NULL" for name in COLUMNS[table]]
        if table == "resource":
            key = COLUMNS["resource"]
            self._rows.metrics = tuple(name for name in present if name not in key)
            columns += [f'"{name}"' for name in self._rows.metrics]
        if table in ("status", "resource"):
            differ = self._times.hosts_differ()
            columns.insert(0, _HOST.format(table=table) if differ else "NULL")
        select = f'SELECT rowid, {", ".join(columns)} FROM "{table}" WHERE rowid > ?'
        if self._only is None:
            return _rows(self._connection, select)
        return _rows(
            self._connection,
            f"{select} AND run_id IN (SELECT value FROM json_each(?))",
            self._only,
        )


def _rows(
    connection: sqlite3.Connection, select: str, *values: object
) -> Iterator[tuple[Any, ...]]:
    """Rows by rowid. Text is decoded by sqlite3 itself, which is quick but gives up at what is
    not UTF-8; from there on it is decoded here."""
    last = _BEFORE_ALL
    try:
        for row in connection.execute(f"{select} ORDER BY rowid", (last, *values)):
            last = row[0]
            yield row
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        connection.text_factory = lenient
        yield from connection.execute(f"{select} ORDER BY rowid", (last, *values))
        connection.text_factory = str
