"""JOIN: tie together what several files tell of the same things.

Each .sql file here only adds relations, or derives what no file states. It looks at the spans
that the source just read told of (`temp.touched`) and at what is there already, so it costs by
the size of that source and gives the same whatever the order of imports.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable

from dnpcsql.database import sql_files
from dnpcsql.identity import worker_span_id

# Whether any source is not Parsl's own, or funcX's: only then may a span be another program's.
_FOREIGN = """
SELECT EXISTS (
  SELECT 1 FROM source
  WHERE importer NOT IN (
    'monitoring.db', 'parsl.log', 'interchange.log', 'manager.log', 'worker log', 'monitoring log',
    'submit script', 'transaction_log', 'master_log', 'debug_log', 'function_data log',
    'metric lines', 'funcx client log', 'funcx endpoint.log', 'funcx manager.log',
    'funcx worker log', 'globus compute audit.log', 'cloudwatch'
  )
)
"""


_GRAPH = "SELECT EXISTS (SELECT 1 FROM source WHERE importer = 'taskvine taskgraph')"


def relate(connection: sqlite3.Connection) -> None:
    """Relate the spans in temp.touched to the others, in the transaction that is open."""
    _name_workers(connection)
    there = {
        "otel": connection.execute(_FOREIGN).fetchone()[0],
        "taskvine": connection.execute(_GRAPH).fetchone()[0],
    }
    for name, statement in _statements():
        if there.get(name, True):
            connection.execute(statement)


def relate_foreign(connection: sqlite3.Connection) -> None:
    """The same where none of the spans is of Parsl's own accounts: costs by their number alone,
    though they lie in a large run's trace."""
    _name_workers(connection)
    for name, statement in _statements():
        if name == "otel":
            connection.execute(statement)


def _name_workers(connection: sqlite3.Connection) -> None:
    """SQL has no hash, which a worker's span id is in part: `worker_span_id(manager, rank)`."""
    connection.create_function("worker_span_id", 2, worker_span_id, deterministic=True)


def relate_again(connection: sqlite3.Connection, runs: Iterable[str]) -> None:
    """Look again at what was inferred of runs, parts of uuids, of which something was taken out."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS temp.touched (uuid TEXT PRIMARY KEY) WITHOUT ROWID"
    )
    connection.execute("DELETE FROM temp.touched")
    connection.executemany("INSERT INTO temp.touched VALUES (? || '00')", [(run,) for run in runs])
    relate(connection)


@functools.cache
def _statements() -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, part.strip())
        for name, text in sql_files("dnpcsql.relate").items()
        for part in text.split(";\n")
        if part.strip()
    )
