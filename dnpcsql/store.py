"""The store: add the records of a source, relate them to what is there, ask.

    store = dnpcsql.open("dnpc.sqlite3")
    store.import_("runinfo")
    store.query("SELECT app, count(*) FROM parsl_task GROUP BY app")
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from dnpcsql import database, sources
from dnpcsql.errors import DnpcsqlError
from dnpcsql.identity import hexdigest
from dnpcsql.query import Result, run_query
from dnpcsql.records import Record, Tally
from dnpcsql.relate import relate
from dnpcsql.sources import Source
from dnpcsql.writer import Writer

if TYPE_CHECKING:
    from dnpcsql.importing import Importing
    from dnpcsql.runs import Run


class Store:
    """One dnpc.sqlite3. Opened for reading; the first call that writes opens it for writing."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """`path` defaults to $DNPCSQL_DB, else dnpc.sqlite3 in the current directory."""
        self.path = Path(path or os.environ.get("DNPCSQL_DB") or database.DEFAULT_NAME)
        self._connection: sqlite3.Connection | None = None
        self._writable = False

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, sql: str, **values: object) -> Result:
        """The rows that SQL, or the name of a view, gives; `:name` takes its value from `values`.

        Read-only. Raises QueryError with what to do.
        """
        return run_query(self.reading(), sql, values)

    def run(self, name: str = "last") -> Run:
        """The run of that id, id prefix, directory number, workflow name, or `last`."""
        from dnpcsql.runs import find_run

        return find_run(self, name)

    def import_(
        self, *paths: str | os.PathLike[str], **options: object
    ) -> Importing:
        """Import files and trees; see `dnpcsql.importing.import_paths` for the options."""
        from dnpcsql.importing import import_paths

        return import_paths(self, [Path(path) for path in paths], **options)  # type: ignore[arg-type]

    def add(self, records: Iterable[Record], name: str = "added from Python") -> Source:
        """Add records of your own: `store.add(my_generator())`. The same name replaces."""
        source = Source(path=name, importer="store.add", fingerprint=hexdigest(32, name))
        return self.add_source(source, records)

    def add_source(
        self,
        source: Source,
        records: Iterable[Record],
        progress: Callable[[int], None] | None = None,
    ) -> Source:
        """Put a source's records in the place of what it told before, in one transaction."""
        connection = self.writing()
        with database.telling(self.path), database.transaction(connection):
            known = sources.by_path(connection, source.path)
            if known is not None:
                sources.remove(connection, [known])
            source_id = known.id if known is not None else sources.next_id(connection)
            writer = Writer(connection, source_id)
            tally = writer.write(records, progress) or Tally(0, 0, 0, {})
            relate(connection)
            added = source.told(source_id, tally, writer)
            sources.insert(connection, added)
        return added

    def forget(self, found: Sequence[Source]) -> None:
        """Take sources out again, with all that they told."""
        connection = self.writing()
        with database.telling(self.path), database.transaction(connection):
            sources.remove(connection, found)

    def sources(self) -> list[Source]:
        """All that was imported."""
        return sources.all_of(self.reading())

    def reading(self) -> sqlite3.Connection:
        """The sqlite3 connection, as it is; read-only until something was written."""
        if self._connection is None:
            self._connection = database.connect(self.path)
            self._writable = False
        return self._connection

    def writing(self) -> sqlite3.Connection:
        """The sqlite3 connection, for writing; makes the database if it is not there."""
        if self._connection is None or not self._writable:
            self.close()
            self._connection = database.connect(self.path, write=True)
            self._writable = True
        return self._connection

    def __repr__(self) -> str:
        try:
            return f"<dnpcsql.Store {self.path}: {len(self.sources())} sources>"
        except DnpcsqlError as error:
            return f"<dnpcsql.Store {self.path}: {error}>"
