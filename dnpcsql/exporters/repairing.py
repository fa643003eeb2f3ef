"""Spans of other programs, mended so that Jaeger can draw them. Only when it is asked for.

Each span that is changed says of what in its attribute dnpc.repaired, a list of words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from dnpcsql.exporters.ancestors import Ancestors
from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.attributes import Value, from_text, to_text
from dnpcsql.otlp.incoming import Group, resource
from dnpcsql.records import Link, Resource, Span, Told

_PARENT = (
    "SELECT parent.uuid FROM span JOIN span AS parent ON parent.uuid = span.parent_uuid "
    "AND parent.trace_high = span.trace_high WHERE span.uuid = ?"
)


def repaired(groups: Iterable[Group], connection: sqlite3.Connection) -> Iterator[Group]:
    """The same groups, their spans mended."""
    ancestors = _ancestors(connection)
    for told, scope, spans in groups:
        mended = (_mended(span, connection, ancestors) for span in spans)
        yield Group(_with_host(told), scope, mended)


def _mended(told: Told, connection: sqlite3.Connection, ancestors: Ancestors) -> Told:
    words: dict[str, Value] = {}
    span = _with_parent(told.span, connection, ancestors, words)
    span = _with_times(span, told, words)
    links = _with_links(span, told.links, connection, words)
    if not words:
        return told
    done = words.pop("dnpc.repaired")
    attributes = {**from_text(span.attributes), **words, "dnpc.repaired": done}
    return Told(span._replace(attributes=to_text(attributes)), told.events, links)


def _say(words: dict[str, Value], what: str) -> None:
    done = words.setdefault("dnpc.repaired", [])
    if what not in done:
        done.append(what)


def _with_parent(
    span: Span, connection: sqlite3.Connection, ancestors: Ancestors, words: dict[str, Value]
) -> Span:
    """A parent that is there, is not below the span itself, and not too far down."""
    parent = span.parent_uuid
    if parent is None:
        return span
    if not _is_there(connection, parent, span.trace_high):
        _say(words, "missing parent")
    elif (why := ancestors.cut(span.uuid)) is not None:
        _say(words, why)
    else:
        return span
    words["dnpc.parent_span_id"] = parent[RUN_DIGITS:]
    return span._replace(parent_uuid=None)


def _is_there(connection: sqlite3.Connection, uuid: str, trace_high: str) -> bool:
    """Whether a span is in the trace, be it one of ours, folded from its accounts."""
    found = connection.execute(
        "SELECT 1 FROM span WHERE trace_high = :high AND (uuid = :uuid "
        "OR substr(:uuid, 13, 1) = '0' AND uuid IN ("
        "substr(:uuid, 1, 12) || '1' || substr(:uuid, 14), "
        "substr(:uuid, 1, 12) || '2' || substr(:uuid, 14))) LIMIT 1",
        {"uuid": uuid, "high": trace_high},
    ).fetchone()
    return found is not None


def _ancestors(connection: sqlite3.Connection) -> Ancestors:
    """Up the parents that are there, in the same trace."""

    def parent_of(uuid: str) -> str | None:
        row = connection.execute(_PARENT, (uuid,)).fetchone()
        return None if row is None else row[0]

    return Ancestors(parent_of)


def _with_times(span: Span, told: Told, words: dict[str, Value]) -> Span:
    start, end = span.start_unix_nano, span.end_unix_nano
    times = [event.time_unix_nano for event in told.events if event.time_unix_nano > 0]
    if start is None or start <= 0:
        start = min([*times, *([end] if end is not None and end > 0 else [])], default=None)
        if start is None:
            return span
        _say(words, "no start")
    if end is None or end <= 0:
        end = max(start, *times)
        _say(words, "no end")
    elif end < start:
        end = start
        _say(words, "end before start")
    return span._replace(start_unix_nano=start, end_unix_nano=end)


def _with_links(
    span: Span,
    links: Iterable[Link],
    connection: sqlite3.Connection,
    words: dict[str, Value],
) -> list[Link]:
    """Of a root Jaeger takes a link into its own trace, or to a span id there, for its parent."""
    kept: list[Link] = []
    trace_id = span.trace_high + span.uuid[:RUN_DIGITS]
    for link in links:
        local = span.uuid[:RUN_DIGITS] + (link.span_id or "")
        own = link.trace_id == trace_id
        if (own and span.parent_uuid is None) or (
            not own and _is_there(connection, local, span.trace_high)
        ):
            _say(words, "link that looks like a parent")
            words.setdefault("dnpc.links", []).append(f"{link.trace_id}-{link.span_id}")
        else:
            kept.append(link)
    return kept


def _with_host(told: Resource) -> Resource:
    """Without a host Jaeger warns of clock skew at each span."""
    attributes = from_text(told.attributes)
    if {"host.name", "host.id", "host.ip"} & attributes.keys():
        return told
    attributes |= {"host.name": "unknown", "dnpc.repaired": ["no host"]}
    return resource(
        to_text(attributes),
        told.schema_url or "",
        told.dropped_attributes_count or 0,
        told.entity_refs,
    )
