"""Which uuid a foreign span gets, where several share their ids.

Zipkin's client and server share a span; retried exports and bugs repeat one; two files tell of
one span in different words. All are kept. A span is told apart by its content and by how many
equal ones its file told before. The least of those that share ids (OpenTelemetry's own before
others', then by hash) has the uuid that the ids make, each other one a hash, with its own span id
beside it. So no order of imports matters. What two files tell in the very same words is one row,
owned by the file whose path comes first; the other's `source.shares` says so, for it must be read
again when the owner goes.

What a receiver takes in cannot be read again. So a session of it comes before any file, and what
it is sent again in the very same words is one span.

Where ids are unique, which is nearly always, all this costs one look at the index.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from dnpcsql.identity import RUN_DIGITS, hexdigest
from dnpcsql.otlp.incoming import FOREIGN, OTEL, ZIPKIN
from dnpcsql.records import Event, Link, Problem, Span, Told

RECEIVED: Final = "otlp://received/"
"""With what the paths of a receiver's sessions begin."""

Write = Callable[[Sequence[Told]], None]
"""Writes spans, each with its events and links, under the uuid that it bears."""


class Settler:
    """Settles the foreign spans of one source."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        source: tuple[int, str],
        write: Write,
        note: Callable[[Problem], None],
        grows: bool = False,
    ) -> None:
        """`source`: its id and path. `grows`: what it told before stands, and more of it comes."""
        self._connection = connection
        self._source_id, self._path = source
        self._write = write
        self._note = note
        self._grows = grows
        self.again = 0  # spans that a source which grows had told before
        self.relies_on: set[str] = set()
        self.relied_on_by: set[str] = set()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS temp.retold "
            "(uuid TEXT, content TEXT, times INTEGER, PRIMARY KEY (uuid, content)) WITHOUT ROWID"
        )
        connection.execute("DELETE FROM temp.retold")

    def settle(self, batch: Sequence[Told]) -> None:
        """Write a batch of spans, all of them."""
        uuids = json.dumps([told.span.uuid for told in batch])
        taken = {
            uuid
            for (uuid,) in self._connection.execute(
                "SELECT uuid FROM span WHERE uuid IN (SELECT value FROM json_each(?))", (uuids,)
            )
        }
        alone, sharing = [], []
        for told in batch:
            uuid = told.span.uuid
            if uuid in taken:
                sharing.append(told)
            else:
                taken.add(uuid)
                alone.append(told)
        self._write(alone)
        for told in sharing:
            self._settle_shared(told)

    def _settle_shared(self, told: Told) -> None:
        uuid = told.span.uuid
        content = digest(told)
        holder, owner = _read(self._connection, uuid)
        held = digest(holder)
        times = 0
        if not self._grows:
            times = self._count(uuid, content, held if owner == self._source_id else None)
            self._tell_of(told, times)
        elif content != held and owner == self._source_id:
            self._note(Problem(told.span.line, "ids told twice", f"{_shown(told)}: another"))
        if times == 0 and content == held:
            self._share(uuid, owner, told)
        elif times == 0 and _rank(told, content) < _rank(holder, held):
            move(self._connection, uuid, other_uuid(uuid, held, 0))
            self._write([told])
        else:
            other = other_uuid(uuid, content, times)
            moved = _renamed(told, other)
            there = _owner(self._connection, other)
            if there is None:
                self._write([moved])
            else:
                self._share(other, there, moved)

    def _count(self, uuid: str, content: str, first: str | None) -> int:
        """How often this source told these very words before; `first`: those of the first span
        of these ids, if it was the one to tell it."""
        if first is not None:
            self._connection.execute(
                "INSERT OR IGNORE INTO temp.retold VALUES (?, ?, 1)", (uuid, first)
            )
        told = (uuid, content)
        before = self._connection.execute(
            "SELECT times FROM temp.retold WHERE uuid = ? AND content = ?", told
        ).fetchone()
        self._connection.execute(
            "INSERT INTO temp.retold VALUES (?, ?, 1) "
            "ON CONFLICT (uuid, content) DO UPDATE SET times = times + 1",
            told,
        )
        return 0 if before is None else int(before[0])

    def _tell_of(self, told: Told, times: int) -> None:
        span = told.span
        if times:
            self._note(Problem(span.line, "told twice", f"{_shown(told)}: the same again, kept"))
        elif span.type != ZIPKIN:
            (contents,) = self._connection.execute(
                "SELECT count(*) FROM temp.retold WHERE uuid = ?", (span.uuid,)
            ).fetchone()
            if contents > 1:
                self._note(
                    Problem(span.line, "ids told twice", f"{_shown(told)}: another of its ids")
                )

    def _share(self, uuid: str, owner: int, told: Told) -> None:
        """Another source told the very same: the row belongs to the one whose path is first."""
        if owner == self._source_id:
            self.again += 1
            return
        row = self._connection.execute("SELECT path FROM source WHERE id = ?", (owner,)).fetchone()
        path = "" if row is None else row[0]
        if _order(self._path) > _order(path):
            self.again += 1
            self.relies_on.add(path)
        else:
            self.relied_on_by.add(path)
            for table, column in (("event", "span_uuid"), ("link", "span_uuid"), ("span", "uuid")):
                self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (uuid,))
            self._connection.execute(
                "DELETE FROM subspan WHERE subspan_uuid = ? AND source_id = ?", (uuid, owner)
            )
            self._write([told])


def _order(path: str) -> tuple[bool, str]:
    """Who comes first of two that told the same: a session that received it, then by path."""
    return not path.startswith(RECEIVED), path


def _shown(told: Told) -> str:
    uuid = told.span.uuid
    return f"span {uuid[RUN_DIGITS:]} of trace {told.span.trace_high}{uuid[:RUN_DIGITS]}"


def digest(told: Told) -> str:
    """A hash of all that is told of a span, but for where."""
    span = told.span
    return hexdigest(
        16,
        span._replace(line=None, original_span_id=None, uuid="")[1:],
        span.uuid[:RUN_DIGITS],
        [(*event[1:3], *event[4:]) for event in told.events],
        [tuple(link[1:]) for link in told.links],
    )


def other_uuid(uuid: str, content: str, times: int) -> str:
    """The uuid of a span that does not get the one that its ids make."""
    return uuid[:RUN_DIGITS] + hexdigest(16, "shares its ids", uuid, content, times)


def move(connection: sqlite3.Connection, uuid: str, other: str) -> None:
    """Give a span another uuid, or that which its ids make back. What refers to it refers to the
    ids, and so to whichever span has them."""
    original = uuid[RUN_DIGITS:] if connection.execute(
        "SELECT original_span_id IS NULL FROM span WHERE uuid = ?", (uuid,)
    ).fetchone()[0] else None  # fmt: skip
    connection.execute(
        "UPDATE span SET uuid = ?, original_span_id = ? WHERE uuid = ?", (other, original, uuid)
    )
    connection.execute("UPDATE event SET span_uuid = ? WHERE span_uuid = ?", (other, uuid))
    connection.execute("UPDATE link SET span_uuid = ? WHERE span_uuid = ?", (other, uuid))
    connection.execute("UPDATE subspan SET subspan_uuid = ? WHERE subspan_uuid = ?", (other, uuid))
    connection.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", (other,))


def promote(connection: sqlite3.Connection) -> None:
    """Where the spans in temp.removed had the uuid that their ids make, the least of those left
    that share the ids takes it."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS temp.touched (uuid TEXT PRIMARY KEY) WITHOUT ROWID"
    )
    free = connection.execute(
        "SELECT removed.uuid, group_concat(span.uuid) FROM span CROSS JOIN temp.removed "
        "ON removed.uuid = substr(span.uuid, 1, ?) || span.original_span_id "
        "WHERE span.original_span_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM span AS held WHERE held.uuid = removed.uuid) "
        "GROUP BY removed.uuid",
        (RUN_DIGITS,),
    ).fetchall()
    for uuid, left in free:
        ranked = []
        for other in left.split(","):
            told, _ = _read(connection, other)
            content = digest(_renamed(told, uuid))
            # Of equal spans the first told is the least.
            later = other != other_uuid(uuid, content, 0)
            ranked.append((_rank(told, content), later, other))
        move(connection, min(ranked)[-1], uuid)


def read_again(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Sources that told some of the spans of these, which go, count as changed."""
    connection.execute(
        "UPDATE source SET fingerprint = '', modified_unix_nano = NULL WHERE EXISTS ("
        "SELECT 1 FROM json_each(source.shares) WHERE value IN (SELECT value FROM json_each(?)))",
        (json.dumps(list(paths)),),
    )


def rely_on(connection: sqlite3.Connection, path: str, others: Iterable[str]) -> None:
    """Note of other sources that the one at a path owns spans which they told too."""
    for other in others:
        (known,) = connection.execute(
            "SELECT shares FROM source WHERE path = ?", (other,)
        ).fetchone() or ("[]",)
        paths = sorted({*json.loads(known or "[]"), path})
        connection.execute(
            "UPDATE source SET shares = ? WHERE path = ?", (json.dumps(paths), other)
        )


def _rank(told: Told, content: str) -> tuple[bool, bool, str]:
    kind = told.span.type
    return kind in FOREIGN, kind != OTEL, content


def _renamed(told: Told, uuid: str) -> Told:
    span = told.span
    original = None if span.uuid == uuid else span.uuid[RUN_DIGITS:]
    return Told(
        span._replace(uuid=uuid, original_span_id=original),
        [event._replace(span_uuid=uuid) for event in told.events],
        [link._replace(span_uuid=uuid) for link in told.links],
    )


def _owner(connection: sqlite3.Connection, uuid: str) -> int | None:
    row = connection.execute("SELECT source_id FROM span WHERE uuid = ?", (uuid,)).fetchone()
    return None if row is None else int(row[0])


def _read(connection: sqlite3.Connection, uuid: str) -> tuple[Told, int]:
    """A span as it stands in the tables, and its source's id."""
    *span, owner = connection.execute(_SPAN, (uuid,)).fetchone()
    return Told(
        Span(*span),
        [Event(*row) for row in connection.execute(_EVENTS, (uuid, owner))],
        [Link(*row) for row in connection.execute(_LINKS, (uuid,))],
    ), owner


_SPAN = f"SELECT {', '.join(Span._fields)}, source_id FROM span WHERE uuid = ?"
_EVENTS = (
    f"SELECT {', '.join(Event._fields)} FROM event WHERE span_uuid = ? AND source_id = ? "
    "ORDER BY line"
)
_LINKS = (
    f"SELECT {', '.join(Link._fields)} FROM link WHERE span_uuid = ? AND type = 'otel' "
    "ORDER BY ordinal"
)
