"""monitoring.db, with the very schema that Parsl gives it (schema.sql is one's `.schema`)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

BATCH = 20_000
SCHEMA = Path(__file__).with_name("schema.sql")

# Columns of each table; task is given its rowid, node is left to number its rows.
INSERTS = {
    "workflow": "INSERT INTO workflow VALUES (?,?,?,?,?,?,?,?,?,?)",
    "task": "INSERT INTO task (rowid, task_id, run_id, task_depends, task_func_name, task_memoize,"
    " task_hashsum, task_inputs, task_outputs, task_stdin, task_stdout, task_stderr,"
    " task_time_invoked, task_time_returned, task_fail_count, task_fail_cost)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "try": "INSERT INTO try VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "node": "INSERT INTO node VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)",
    "block": "INSERT INTO block VALUES (?,?,?,?,?,?)",
    "status": "INSERT INTO status VALUES (?,?,?,?,?)",
    "resource": "INSERT INTO resource VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
}


class Database:
    """Rows for monitoring.db, inserted many at a time."""

    def __init__(self, path: Path | None) -> None:
        """Add to the database at `path`, made if it is not there; or only count the rows."""
        self.rows = dict.fromkeys(INSERTS, 0)
        self.first_task_row = 1
        self._waiting: dict[str, list[tuple[object, ...]]] = {table: [] for table in INSERTS}
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            self._connection = _open(path)
            query = "SELECT coalesce(max(rowid), 0) + 1 FROM task"
            [self.first_task_row] = self._connection.execute(query).fetchone()

    def add(self, table: str, *row: object) -> None:
        """Add one row."""
        self.rows[table] += 1
        if self._connection is None:
            return
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= BATCH:
            self._insert(table)

    def close(self) -> None:
        """Insert what still waits, and end the one transaction that everything is in."""
        if self._connection is None:
            return
        for table in INSERTS:
            self._insert(table)
        self._connection.commit()
        self._connection.close()

    def _insert(self, table: str) -> None:
        """Insert a table's waiting rows."""
        if self._connection is not None:
            self._connection.executemany(INSERTS[table], self._waiting[table])
        self._waiting[table].clear()


def _open(path: Path) -> sqlite3.Connection:
    """A database that cannot be rolled back, and is the faster for it."""
    made = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    if made:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
    return connection
