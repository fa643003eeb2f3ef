"""Records → rows, in batches, for one source."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dnpcsql import unicode
from dnpcsql.identity import RUN_DIGITS
from dnpcsql.records import (
    Containment,
    Event,
    Facet,
    Link,
    Problem,
    Record,
    Resource,
    Sample,
    Scope,
    Span,
    Tally,
    Told,
)
from dnpcsql.settling import Settler

BATCH = 5_000
TOLD_BATCH = 500  # a foreign span comes with its events, and may be large
KEPT_PROBLEMS = 1_000
_TEXT_LIMIT = 500
MANY_RUNS = 2_000  # beyond, as with a trace a request, a source's rows are found by a full scan
_DRIFT = (
    "{} records, none of a known wording: a Parsl newer than this dnpcsql, another encoding, "
    "or not such a file"
)

# What sqlite3 says to a value that is missing, of no type that it knows, or too large.
_REFUSALS = (
    sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
    OverflowError, TypeError, UnicodeEncodeError,
)  # fmt: skip

_KEPT_BEFORE = "SELECT kind, count(*) FROM problem WHERE source_id = ? GROUP BY kind"

_TABLES: dict[type, str] = {
    Span: "span",
    Event: "event",
    Containment: "subspan",
    Facet: "facet",
    Link: "link",
    Sample: "sample",
    Resource: "resource",
    Scope: "scope",
}

# Relations may have been inferred before a file tells of them: then the file's word counts. How
# many fields are the key.
_INFERRED: dict[type, int] = {Containment: 3, Facet: 2}

# How many of a record's fields nearly always say something: the rest is left out of the INSERT
# where it is None, which saves a quarter of what SQLite does for a row.
_NARROW: dict[type, int] = {
    Span: Span._fields.index("line") + 1,
    Event: Event._fields.index("line") + 1,
    Containment: Containment._fields.index("key") + 1,
    Link: Link._fields.index("ordinal") + 1,
}


def _statement(record: type[Any], source_id: int, width: int | None = None) -> str:
    """An INSERT of a record's first fields, and of the source where the table has one.

    The source's id, a number of our own, stands in the statement: all of a source's rows have it,
    and binding it with each of them costs a tenth of what SQLite does for a row.
    """
    fields: tuple[str, ...] = record._fields[:width]
    told = record not in (Resource, Scope)
    columns = ", ".join((*fields, "source_id") if told else fields)
    values = ", ".join(["?"] * len(fields) + ([f"{source_id:d}"] if told else []))
    table = _TABLES[record]
    insert = f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT"
    if record is Span:
        later = ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in fields[2:])
        return f"{insert} (uuid) DO UPDATE SET {later}"
    if record in _INFERRED:
        key = ", ".join(fields[: _INFERRED[record]])
        told_now = "note = excluded.note, source_id = excluded.source_id"
        return f"{insert} ({key}) DO UPDATE SET {told_now} WHERE {table}.source_id IS NULL"
    return f"{insert} DO NOTHING"


class NotARecordError(Exception):
    """An importer yielded something else than a record."""


class Writer:
    """Takes what an importer yields and writes it, a batch of a kind at a time."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        source_id: int,
        path: str = "",
        *,
        grows: bool = False,
    ) -> None:
        """`grows`: the source told something before, which stands."""
        self._connection = connection
        self._source_id = source_id
        self._wide = {record: _statement(record, source_id) for record in _TABLES}
        self._narrow = {
            record: _statement(record, source_id, width) for record, width in _NARROW.items()
        }
        self._problems: list[Problem] = []
        self.problem_counts: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.runs: set[str] = set()
        _prepare(connection)
        self._kept_before = Counter(
            dict(connection.execute(_KEPT_BEFORE, (source_id,))) if grows else {}
        )
        self.settler = Settler(connection, (source_id, path), self._write_told, self._note, grows)

    def write(
        self,
        records: Iterable[Record],
        progress: Callable[[int], None] | None = None,
        anchored: bool = False,
    ) -> Tally:
        """Write all records; return the importer's own count of its lines, if it gave one."""
        with _no_garbage():
            return self._write(records, progress, anchored)

    def _write(
        self,
        records: Iterable[Record],
        progress: Callable[[int], None] | None,
        anchored: bool,
    ) -> Tally:
        tally = Tally(0, 0, 0, {})
        batches: dict[type, list[Any]] = {record: [] for record in (*_TABLES, Told)}
        told = batches[Told]
        for record in records:
            batch = batches.get(type(record))
            if batch is not None:
                batch.append(record)
                if len(batch) >= BATCH or (batch is told and len(batch) >= TOLD_BATCH):
                    self._flush(type(record), batch)
                    if progress is not None:
                        progress(sum(self.counts.values()))
            elif isinstance(record, Problem):
                self._note(record)
            elif isinstance(record, Tally):
                tally = record
            else:
                raise NotARecordError(f"{record!r:.200} is no record of dnpcsql's")
        for kind, batch in batches.items():
            self._flush(kind, batch)
        if anchored and tally.lines and not tally.understood:
            self._note(Problem(None, "nothing understood", _DRIFT.format(tally.records)))
        self._flush_problems()
        return tally

    def _flush(self, kind: type, batch: list[Any]) -> None:
        if not batch:
            return
        if kind is Told:
            self._add_runs({told.span.uuid[:RUN_DIGITS] for told in batch})
            self.settler.settle(batch)
            batch.clear()
            return
        before = self._connection.total_changes
        try:
            self._insert(kind, batch)
            taken = len(batch)
        except _REFUSALS:
            taken = self._one_by_one(kind, batch)
        missed = taken - (self._connection.total_changes - before)
        if missed and kind is Event:
            self._note(Problem(None, "told twice", "equal events of one line", missed))
        if kind is Span:
            uuids = [(row[0],) for row in batch]
            self._connection.executemany("INSERT OR IGNORE INTO temp.touched VALUES (?)", uuids)
        self.counts[_TABLES[kind]] += taken
        batch.clear()

    def _write_told(self, batch: Sequence[Told]) -> None:
        """Foreign spans with their events and links, under the uuids that they bear."""
        self._flush(Span, [told.span for told in batch])
        self._flush(Event, [event for told in batch for event in told.events])
        self._flush(Link, [link for told in batch for link in told.links])

    def _insert(self, kind: type, rows: list[Any]) -> None:
        if kind is not Resource and kind is not Scope:
            self._add_runs(_runs(rows))
        width = _NARROW.get(kind)
        if width is not None:
            narrow, rows = _split(rows, width, together=kind is Span)
            self._connection.executemany(self._narrow[kind], narrow)
        # sqlite3 takes plain tuples a fifth faster than named ones.
        self._connection.executemany(self._wide[kind], map(tuple, rows))

    def _add_runs(self, runs: set[str]) -> None:
        if "" not in self.runs:
            self.runs |= runs
            if len(self.runs) > MANY_RUNS:
                self.runs = {""}  # with which every uuid begins

    def _one_by_one(self, kind: type, batch: list[Any]) -> int:
        """A batch with a row that no table takes: that one is left out and told of.

        Rows before it are there already, so that they are taken once more without effect.
        """
        taken = 0
        for row in batch:
            try:
                self._insert(kind, [row])
                taken += 1
            except UnicodeEncodeError:
                self._insert(kind, [type(row)._make(map(unicode.mended, row))])
                self._note(Problem(None, "not Unicode", f"{kind.__name__}: half of a character"))
                taken += 1
            except _REFUSALS as error:
                text = f"{kind.__name__}: {error}: {tuple(row)!r}"
                self._note(Problem(None, "record refused", text))
        return taken

    def _note(self, problem: Problem) -> None:
        kept = self.problem_counts[problem.kind] + self._kept_before[problem.kind]
        if kept < KEPT_PROBLEMS:
            self._problems.append(problem)
        self.problem_counts[problem.kind] += problem.times

    def add_problem(self, problem: Problem) -> None:
        """A problem that shows only when all was read."""
        self.problem_counts[problem.kind] += problem.times
        self._connection.execute(
            "INSERT INTO problem (source_id, kind, line, text, count) VALUES (?, ?, 0, ?, ?)",
            (self._source_id, problem.kind, problem.text, problem.times),
        )

    def _flush_problems(self) -> None:
        kept: Counter[str] = Counter()
        rows: Counter[tuple[str, int, str]] = Counter()
        for problem in self._problems:
            kept[problem.kind] += problem.times
            text = unicode.mended(problem.text[:_TEXT_LIMIT])
            rows[problem.kind, problem.line or 0, text] += problem.times
        for kind, count in self.problem_counts.items():
            if count > kept[kind]:
                rows[kind, 0, "and more of this kind"] += count - kept[kind]
        self._connection.executemany(
            "INSERT INTO problem (source_id, kind, line, text, count) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(self._source_id, *row, count) for row, count in rows.items()],
        )


def _runs(rows: list[Any]) -> set[str]:
    """The run parts of the uuids with which rows begin; nearly always they are one."""
    uuids = [row[0] for row in rows]
    first, last = min(uuids)[:RUN_DIGITS], max(uuids)[:RUN_DIGITS]
    return {first} if first == last else {uuid[:RUN_DIGITS] for uuid in uuids}


def _split(
    rows: list[Any], width: int, *, together: bool
) -> tuple[list[tuple[Any, ...]], list[Any]]:
    """The rows that say nothing beyond `width`, cut off there, and the others.

    `together`: one after the other where there are others, for a later row adds to an earlier.
    """
    rest = (None,) * (len(rows[0]) - width)
    narrow = [row[:width] for row in rows if row[width:] == rest]
    if len(narrow) == len(rows):
        return narrow, []
    if together:
        return [], rows
    return narrow, [row for row in rows if row[width:] != rest]


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Records are made by the million and hold no cycles: looking for some costs a twentieth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _prepare(connection: sqlite3.Connection) -> None:
    """A temporary table of the spans that the source being read tells of."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS temp.touched (uuid TEXT PRIMARY KEY) WITHOUT ROWID"
    )
    connection.execute("DELETE FROM temp.touched")
