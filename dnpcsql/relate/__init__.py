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

# Whether any source is not Parsl's own, or funcX's: only then may a span be another program's.
_FOREIGN = """
SELECT EXISTS (
  SELECT 1 FROM source
  WHERE importer NOT IN (
    'monitoring.db', 'parsl.log', 'interchange.log', 'manager.log', 'worker log', 'monitoring log',
    'submit script', 'funcx client log', 'funcx endpoint.log', 'funcx manager.log',
    'funcx worker log', 'globus compute audit.log', 'cloudwatch'
  )
)
"""


def relate(connection: sqlite3.Connection) -> None:
    """Relate the spans in temp.touched to the others, in the transaction that is open."""
    foreign = connection.execute(_FOREIGN).fetchone()[0]
    for name, statement in _statements():
        if foreign or name != "otel":
            connection.execute(statement)


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
