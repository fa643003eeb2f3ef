"""Foreign spans, out of the tables as they came in: some at a time, by resource and scope."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import TypeVar

from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.incoming import FOREIGN, Group
from dnpcsql.records import Event, Link, Resource, Scope, Span, Told

_NO_RESOURCE, _NO_SCOPE = Resource(""), Scope("")
_REMEMBERED = 10_000
_AT_ONCE = 1_000

_T = TypeVar("_T", Event, Link)

_SPANS = (
    f"SELECT {', '.join(Span._fields)} FROM span "
    f"WHERE uuid BETWEEN :first AND :last AND type IN {FOREIGN!r} ORDER BY uuid"
)
_SPANS_OF_TRACE = _SPANS.replace("ORDER", "AND trace_high = :high ORDER")
_EVENTS = (
    f"SELECT {', '.join(Event._fields)} FROM event WHERE span_uuid BETWEEN :first AND :last "
    "ORDER BY span_uuid, line"
)
_LINKS = (
    f"SELECT {', '.join(Link._fields)} FROM link WHERE span_uuid BETWEEN :first AND :last "
    "AND type = 'otel' ORDER BY span_uuid, ordinal"
)
_RESOURCE = f"SELECT {', '.join(Resource._fields)} FROM resource WHERE id = ?"
_SCOPE = f"SELECT {', '.join(Scope._fields)} FROM scope WHERE id = ?"


def foreign_traces(connection: sqlite3.Connection) -> Iterator[str]:
    """The trace ids of all foreign spans, in order of their ends."""
    run = ""
    while True:
        rows = connection.execute(
            f"SELECT uuid FROM span WHERE uuid > ? AND type IN {FOREIGN!r} ORDER BY uuid LIMIT 1",
            (run + "g" if run else "",),
        ).fetchall()
        if not rows:
            return
        run = rows[0][0][:RUN_DIGITS]
        high = connection.execute(
            "SELECT DISTINCT trace_high FROM span WHERE uuid BETWEEN :run AND :run || 'g' "
            f"AND type IN {FOREIGN!r} ORDER BY trace_high",
            {"run": run},
        )
        for (digits,) in high.fetchall():
            yield digits + run


class Reader:
    """Reads foreign spans from one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[str | None, Resource] = {None: _NO_RESOURCE}
        self._scopes: dict[str | None, Scope] = {None: _NO_SCOPE}

    def groups(self, trace_id: str | None = None) -> Iterator[Group]:
        """The foreign spans of a trace, or all, some at a time in the order of their ids."""
        run = "" if trace_id is None else trace_id[-RUN_DIGITS:]
        values = {"first": run, "last": run + "g"}
        if trace_id is None:
            spans = self._connection.execute(_SPANS, values)
        else:
            values["high"] = trace_id[:-RUN_DIGITS]
            spans = self._connection.execute(_SPANS_OF_TRACE, values)
        while rows := spans.fetchmany(_AT_ONCE):
            yield from self._told([Span(*row) for row in rows])

    def _told(self, spans: list[Span]) -> Iterator[Group]:
        """Spans that follow one another in the table, with all that is said of them."""
        values = {"first": spans[0].uuid, "last": spans[-1].uuid}
        events = self._by_span(_EVENTS, values, Event)
        links = self._by_span(_LINKS, values, Link)
        spans.sort(key=_told_by)
        for (resource_id, scope_id), some in groupby(spans, _of):
            told = [
                Told(span, events.get(span.uuid, ()), links.get(span.uuid, ())) for span in some
            ]
            yield Group(self.resource(resource_id), self.scope(scope_id), told)

    def _by_span(self, sql: str, values: dict[str, str], record: type[_T]) -> dict[str, list[_T]]:
        rows = self._connection.execute(sql, values)
        return {
            uuid: [record(*row) for row in some] for uuid, some in groupby(rows, lambda row: row[0])
        }

    def resource(self, resource_id: str | None) -> Resource:
        """A resource by its id."""
        if resource_id not in self._resources:
            if len(self._resources) > _REMEMBERED:
                self._resources = {None: _NO_RESOURCE}
            row = self._connection.execute(_RESOURCE, (resource_id,)).fetchone()
            self._resources[resource_id] = Resource(*row) if row else _NO_RESOURCE
        return self._resources[resource_id]

    def scope(self, scope_id: str | None) -> Scope:
        """A scope by its id."""
        if scope_id not in self._scopes:
            if len(self._scopes) > _REMEMBERED:
                self._scopes = {None: _NO_SCOPE}
            row = self._connection.execute(_SCOPE, (scope_id,)).fetchone()
            self._scopes[scope_id] = Scope(*row) if row else _NO_SCOPE
        return self._scopes[scope_id]


def _of(span: Span) -> tuple[str | None, str | None]:
    return span.resource_id, span.scope_id


def _told_by(span: Span) -> tuple[str, str, int]:
    return span.resource_id or "", span.scope_id or "", span.line or 0
