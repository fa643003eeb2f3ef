"""What was imported: the rows of `source`, and taking a source's rows out again."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql import database, settling, unicode
from dnpcsql.records import Tally
from dnpcsql.relate import relate_again

if TYPE_CHECKING:
    from dnpcsql.store import Store
    from dnpcsql.writer import Writer

_KEPT_SHAPES = 50

# A second file of these that tells of a run is a copy of another age.
ONE_A_RUN = frozenset({"monitoring.db", "parsl.log"})

# Tables whose rows belong to the source that told them, and where a row's span stands.
_OWNED = {
    "event": "span_uuid",
    "link": "span_uuid",
    "sample": "span_uuid",
    "subspan": "superspan_uuid",
    "facet": "left_uuid",
    "span": "uuid",
}


class Source(NamedTuple):
    """A row of `source`: a file, and how well it was understood."""

    path: str
    importer: str
    fingerprint: str
    size: int | None = None
    modified_unix_nano: int | None = None
    utc_offset: str | None = None
    utc_offset_how: str | None = None
    id: int = 0
    imported_at: float | None = None
    runs: str = "[]"
    lines: int = 0
    records: int = 0
    understood: int = 0
    problems: int = 0
    messages: str = "{}"
    shares: str = "[]"

    def told_of(self) -> set[str]:
        """The run parts of the uuids that it told of."""
        return set(json.loads(self.runs))

    def unused(self) -> dict[str, tuple[int, bool]]:
        """What was read and not used, by shape: (count, left out on purpose)."""
        return {
            shape: (int(count), bool(known))
            for shape, (count, known) in json.loads(self.messages).items()
        }

    def told(self, source_id: int, tally: Tally, writer: Writer) -> Source:
        """The same source, after it was read."""
        most = sorted(tally.messages.items(), key=lambda item: (item[1][1], -item[1][0], item[0]))
        return self._replace(
            id=source_id,
            imported_at=time.time(),
            runs=json.dumps(sorted(writer.runs)),
            lines=tally.lines,
            records=tally.records,
            understood=tally.understood,
            problems=sum(writer.problem_counts.values()),
            messages=unicode.mended(json.dumps(dict(most[:_KEPT_SHAPES]), ensure_ascii=False)),
            shares=json.dumps(sorted(writer.settler.relies_on)),
            utc_offset=tally.utc_offset if tally.utc_offset_how else self.utc_offset,
            utc_offset_how=tally.utc_offset_how or self.utc_offset_how,
        )


def all_of(connection: sqlite3.Connection) -> list[Source]:
    """Every source, by path."""
    rows = connection.execute(f"SELECT {', '.join(Source._fields)} FROM source ORDER BY path")
    return [Source(*row) for row in rows]


def by_path(connection: sqlite3.Connection, path: str) -> Source | None:
    """The source that was read from a path."""
    row = connection.execute(
        f"SELECT {', '.join(Source._fields)} FROM source WHERE path = ?", (path,)
    ).fetchone()
    return None if row is None else Source(*row)


def by_id(connection: sqlite3.Connection, source_id: int) -> Source:
    """The source of that id, which must be there."""
    row = connection.execute(
        f"SELECT {', '.join(Source._fields)} FROM source WHERE id = ?", (source_id,)
    ).fetchone()
    return Source(*row)


def next_id(connection: sqlite3.Connection) -> int:
    """A number that no source has."""
    found: int = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM source").fetchone()[0]
    return found


def insert(connection: sqlite3.Connection, source: Source) -> None:
    """Put a source's row in, or in the place of the one it had."""
    marks = ", ".join("?" * len(source))
    connection.execute(
        f"INSERT OR REPLACE INTO source ({', '.join(Source._fields)}) VALUES ({marks})", source
    )


def remove(connection: sqlite3.Connection, found: Sequence[Source]) -> None:
    """Take out all that some sources told, and what was derived from it.

    Costs one scan of the runs that they told of, whatever else the database holds.
    """
    ids = json.dumps([source.id for source in found])
    runs = sorted({run for source in found for run in json.loads(source.runs)})
    connection.execute(
        "CREATE TABLE IF NOT EXISTS temp.removed "
        "(uuid TEXT PRIMARY KEY, resource_id TEXT, scope_id TEXT) WITHOUT ROWID"
    )
    connection.execute("DELETE FROM temp.removed")
    told = "source_id IN (SELECT value FROM json_each(:ids))"
    for run in runs:
        values = {"ids": ids, "run": run}
        connection.execute(
            "INSERT OR IGNORE INTO temp.removed SELECT uuid, resource_id, scope_id FROM span "
            f"WHERE {_of_run('uuid')} AND {told}",
            values,
        )
        for table, column in _OWNED.items():
            connection.execute(f"DELETE FROM {table} WHERE {_of_run(column)} AND {told}", values)
    _remove_derived(connection)
    settling.promote(connection)
    settling.read_again(connection, [source.path for source in found])
    connection.execute(f"DELETE FROM problem WHERE {told}", {"ids": ids})
    connection.execute("DELETE FROM source WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    relate_again(connection, runs)


def _of_run(column: str) -> str:
    """Whether a uuid begins with the run part `:run`. Nothing that does comes after the last of
    all characters, and an index serves."""
    return f"{column} >= :run AND {column} < :run || char(1114111)"


def telling_too(connection: sqlite3.Connection, source: Source, runs: set[str]) -> list[str]:
    """The paths of other sources, of a kind of which a run has one, that tell of the same runs."""
    if source.importer not in ONE_A_RUN:
        return []
    return [
        other.path
        for other in all_of(connection)
        if other.importer == source.importer
        and other.path != source.path
        and runs & other.told_of()
    ]


def remove_run(connection: sqlite3.Connection, run: str) -> None:
    """Take out what sources of several runs told of one; they count as changed from now on."""
    for table, column in _OWNED.items():
        connection.execute(f"DELETE FROM {table} WHERE {_of_run(column)}", {"run": run})
    for source in all_of(connection):
        runs = json.loads(source.runs)
        if run in runs:
            runs.remove(run)
            connection.execute("DELETE FROM problem WHERE source_id = ?", (source.id,))
            left = source._replace(
                runs=json.dumps(runs), fingerprint="", modified_unix_nano=None, problems=0
            )
            insert(connection, left)


def _remove_derived(connection: sqlite3.Connection) -> None:
    """Relations that were found by comparing the removed spans with others, and the resources
    and scopes that none but these had."""
    for table, columns in (
        ("facet", ("left_uuid", "right_uuid")),
        ("subspan", ("superspan_uuid", "subspan_uuid")),
    ):
        for column in columns:
            connection.execute(
                f"DELETE FROM {table} WHERE source_id IS NULL "
                f"AND {column} IN (SELECT uuid FROM temp.removed)"
            )
    for table in ("resource", "scope"):
        connection.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT {table}_id FROM temp.removed) "
            f"AND NOT EXISTS (SELECT 1 FROM span WHERE span.{table}_id = {table}.id)"
        )


def same_content(connection: sqlite3.Connection, fingerprint: str) -> Iterable[Source]:
    """The sources of that very content and surroundings, wherever they lie."""
    rows = connection.execute(
        f"SELECT {', '.join(Source._fields)} FROM source WHERE fingerprint = ? ORDER BY path",
        (fingerprint,),
    )
    return [Source(*row) for row in rows]


def seen_again(store: Store, known: Source, now: Source) -> None:
    """A source that was read before is met again: touched, moved or copied. Nothing is read."""
    gone = known.path != now.path and not Path(known.path.split("!/")[0]).exists()
    if known.path != now.path and not gone:
        return
    connection = store.writing()
    with database.telling(store.path), database.transaction(connection):
        there = by_path(connection, now.path)
        if there is not None and there.id != known.id:
            remove(connection, [there])
        connection.execute(
            "UPDATE source SET path = ?, modified_unix_nano = ? WHERE id = ?",
            (now.path, now.modified_unix_nano, known.id),
        )


def replace_torn(store: Store, now: Source) -> None:
    """A file that was imported without its run gives way to the same file in its tree."""
    connection = store.writing()
    tail = f"/{now.path.rpartition('/')[2]}"
    rows = connection.execute(
        f"SELECT {', '.join(Source._fields)} FROM source "
        "WHERE substr(fingerprint, 1, 32) = ? AND substr(path, ?) = ? "
        "AND (fingerprint LIKE '% alone %' "
        "OR id IN (SELECT source_id FROM problem WHERE kind = 'run unknown'))",
        (now.fingerprint[:32], -len(tail), tail),
    )
    torn = [Source(*row) for row in rows]
    if torn:
        store.remove(torn)
