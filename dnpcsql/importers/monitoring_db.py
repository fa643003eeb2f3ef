"""Parsl's monitoring.db: the tables workflow, task, try, status, resource, block and node.

Known since 2021 (Parsl 1.2.0); a database may hold many runs. Columns that an era lacks are taken
as NULL, columns that no era known here has are counted. Two clocks write it: the submitting
process's, and for `running`, `running_ended` and resource rows that of the worker's host.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from dnpcsql.importers.context import Context
from dnpcsql.importers.monitoring_rows import COLUMNS, RESOURCE_KEY, Rows
from dnpcsql.importers.sqlite_file import lenient, open_readonly
from dnpcsql.records import Problem, Record, Tally

TABLES = frozenset(COLUMNS)

_Read: TypeAlias = Callable[..., Sequence[Record]]


def monitoring_db(path: Path, context: Context) -> Iterator[Record]:
    """All runs of one monitoring.db, whatever the file is called."""
    with open_readonly(path) as connection:
        hosts = _hosts(connection)
        rows = Rows(lambda run_id, rundir: context.clocks_of_run(run_id, rundir, hosts))
        read = understood = 0
        for table in COLUMNS:
            counts = yield from _table(connection, table, rows)
            read, understood = read + counts[0], understood + counts[1]
        yield from rows.problems()
        yield Tally(read, read, understood, {})


def _hosts(connection: sqlite3.Connection) -> dict[str, str]:
    """Manager uid → host name, as the node table has it."""
    try:
        return dict(connection.execute("SELECT DISTINCT uid, hostname FROM node"))
    except sqlite3.DatabaseError:
        return {}


def _table(
    connection: sqlite3.Connection, table: str, rows: Rows
) -> Generator[Record, None, tuple[int, int]]:
    """The records of one table, in the order in which its rows were written.

    Returns how many rows there were, and how many of them were understood.
    """
    read: _Read = rows.attempt if table == "try" else getattr(rows, table)
    lines = understood = 0
    try:
        present = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        if not present:
            yield Problem(None, "table missing", table)
            return 0, 0
        for name in present:
            if table != "resource" and name not in COLUMNS[table] and name != "id":
                yield Problem(None, "column not known", f"{table}.{name}")
        for line, *values in _rows(connection, _select(table, present, rows)):
            lines += 1
            try:
                yield from read(line, *values)
                understood += 1
            except (ValueError, TypeError, AttributeError) as error:
                yield Problem(line, "row not understood", f"{table}: {error}: {values!r}")
    except sqlite3.DatabaseError as error:
        yield Problem(lines, "damaged table", f"{table}: {error}; read as far as it goes")
    return lines, understood


def _rows(connection: sqlite3.Connection, select: str) -> Iterator[tuple[Any, ...]]:
    """Rows by rowid. Text is decoded by sqlite3 itself, which is quick but gives up at what is
    not UTF-8; from there on it is decoded here."""
    last = -1
    try:
        for row in connection.execute(f"{select} ORDER BY rowid"):
            last = row[0]
            yield row
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        connection.text_factory = lenient
        yield from connection.execute(f"{select} WHERE rowid > ? ORDER BY rowid", (last,))
        connection.text_factory = str


def _select(table: str, present: Sequence[str], rows: Rows) -> str:
    """All known columns in their order, NULL for those that this database's era lacks."""
    columns = [f'"{name}"' if name in present else "NULL" for name in COLUMNS[table]]
    if table == "resource":
        rows.metrics = tuple(name for name in present if name not in RESOURCE_KEY)
        columns += [f'"{name}"' for name in rows.metrics]
    if table in ("status", "resource"):
        columns.insert(0, _HOST.format(table=table) if rows.hosts_differ() else "NULL")
    return f'SELECT rowid, {", ".join(columns)} FROM "{table}"'


# The host whose clock wrote a worker's row.
_HOST = (
    '(SELECT hostname FROM "try" WHERE "try".run_id = "{table}".run_id '
    'AND "try".task_id = "{table}".task_id AND "try".try_id = "{table}".try_id)'
)

