"""The least that an import could cost: `executemany` of a database's own rows, from memory, into
the same tables and indexes. Prints the CPU seconds of the insert alone."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dnpcsql import database

TABLES = ("span", "event", "subspan", "facet", "link", "sample")


def main(made: Path, target: Path) -> None:
    """Copy `made`, table by table, in the order in which its rows were read from their files."""
    source = sqlite3.connect(made)
    rows = {table: rows_of(source, table) for table in TABLES}
    target.unlink(missing_ok=True)
    connection = database.connect(target, write=True)
    began = time.process_time()
    with database.transaction(connection):
        for statement, values in rows.values():
            connection.executemany(statement, values)
    print(f"cpu {time.process_time() - began}")


def rows_of(source: sqlite3.Connection, table: str) -> tuple[str, list[tuple[object, ...]]]:
    """A table's INSERT, and its rows in the order in which they were read from their files."""
    columns = [row[1] for row in source.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]
    listed = ", ".join(columns)
    order = ", ".join(name for name in ("source_id", "line") if name in columns) or "1"
    values = source.execute(f"SELECT {listed} FROM {table} ORDER BY {order}").fetchall()
    return f"INSERT INTO {table} ({listed}) VALUES ({', '.join('?' * len(columns))})", values


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
