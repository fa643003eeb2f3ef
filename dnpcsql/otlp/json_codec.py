"""OTLP/JSON, decoded to rows and encoded from them.

Proto3's JSON with three changes: ids are hex, enums are integers, keys are lowerCamelCase only.
64-bit integers are written as text, and read as text or numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.attributes import to_text
from dnpcsql.otlp.incoming import TRACE_DIGITS, Group, Incoming, resource, scope
from dnpcsql.otlp.json_values import (
    KINDS,
    STATUS_CODES,
    Json,
    decode_attributes,
    encode_attributes,
    enumerated,
    items,
    text_of,
    uint32,
    uint64,
)
from dnpcsql.records import Event, Link, Resource, Scope, Span, Told

_HIGH_DIGITS = TRACE_DIGITS - RUN_DIGITS
_UINT64 = (1 << 64) - 1


# --- decode


def decode(element: Json, incoming: Incoming) -> Iterator[Group]:
    """The spans of one element of resourceSpans, by scope."""
    told = decode_resource(element, incoming)
    for part in parts(element, incoming):
        by = decode_scope(part, incoming)
        yield Group(told, by, decode_spans(items(part, "spans", incoming), told, by, incoming))


def parts(element: Json, incoming: Incoming) -> list[Json]:
    """What holds the spans of one scope each; before 2022 it was called otherwise."""
    found = items(element, "scopeSpans", incoming)
    return found or items(element, "instrumentationLibrarySpans", incoming)


def decode_spans(
    spans: Iterable[Any], told: Resource, by: Scope, incoming: Incoming
) -> Iterator[Told]:
    """The spans of a scope; one that is none is a problem."""
    for span in spans:
        incoming.spans += 1
        events = incoming.events
        try:
            yield decode_span(span, told.id or None, by.id or None, incoming)
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
            incoming.events = events
            shown = json.dumps(span, ensure_ascii=False)[:120] if _shallow(span) else "…"
            incoming.tell("span not understood", f"{type(error).__name__}: {error}: {shown}")


def decode_resource(element: Json, incoming: Incoming) -> Resource:
    """Who tells."""
    message = element.get("resource") or {}
    refs = message.get("entityRefs")
    return resource(
        to_text(decode_attributes(message.get("attributes"), incoming)),
        text_of(element, "schemaUrl", incoming),
        uint32(message, "droppedAttributesCount", incoming),
        json.dumps(refs, ensure_ascii=False) if refs else None,
    )


def decode_scope(part: Json, incoming: Incoming) -> Scope:
    """By which instrumentation."""
    message = part.get("scope") or part.get("instrumentationLibrary") or {}
    return scope(
        text_of(message, "name", incoming),
        text_of(message, "version", incoming),
        to_text(decode_attributes(message.get("attributes"), incoming)),
        text_of(part, "schemaUrl", incoming),
        uint32(message, "droppedAttributesCount", incoming),
    )


def decode_span(
    message: Json, resource_id: str | None, scope_id: str | None, incoming: Incoming
) -> Told:
    """One span with its events and links."""
    trace_id = incoming.trace_id(text_of(message, "traceId", incoming), resource_id or "")
    span_id = incoming.span_id(
        text_of(message, "spanId", incoming), (resource_id, scope_id, message)
    )
    run = trace_id[_HIGH_DIGITS:]
    uuid = run + span_id
    parent_id = incoming.parent_id(text_of(message, "parentSpanId", incoming))
    status = message.get("status")
    start, end = incoming.times(
        uint64(message, "startTimeUnixNano"), uint64(message, "endTimeUnixNano")
    )
    span = Span(
        uuid=uuid,
        type=incoming.type,
        trace_high=trace_id[:_HIGH_DIGITS],
        parent_uuid=run + parent_id if parent_id else None,
        name=text_of(message, "name", incoming),
        kind=enumerated(message, "kind", KINDS, incoming),
        start_unix_nano=start,
        end_unix_nano=end,
        status_code=None if status is None else enumerated(status, "code", STATUS_CODES, incoming),
        status_message=text_of(status or {}, "message", incoming) or None,
        attributes=to_text(decode_attributes(message.get("attributes"), incoming)),
        line=incoming.spans,
        resource_id=resource_id,
        scope_id=scope_id,
        trace_state=text_of(message, "traceState", incoming) or None,
        flags=uint32(message, "flags", incoming) or None,
        dropped_attributes_count=uint32(message, "droppedAttributesCount", incoming) or None,
        dropped_events_count=uint32(message, "droppedEventsCount", incoming) or None,
        dropped_links_count=uint32(message, "droppedLinksCount", incoming) or None,
    )
    return Told(
        span,
        [decode_event(event, uuid, incoming) for event in items(message, "events", incoming)],
        [
            decode_link(link, uuid, ordinal, incoming)
            for ordinal, link in enumerate(items(message, "links", incoming))
        ],
    )


def decode_event(message: Json, uuid: str, incoming: Incoming) -> Event:
    """One event."""
    incoming.events += 1
    return Event(
        uuid,
        incoming.event_time(uint64(message, "timeUnixNano")),
        text_of(message, "name", incoming),
        incoming.events,
        None,
        to_text(decode_attributes(message.get("attributes"), incoming)),
        uint32(message, "droppedAttributesCount", incoming) or None,
    )


def decode_link(message: Json, uuid: str, ordinal: int, incoming: Incoming) -> Link:
    """One link."""
    trace_id = text_of(message, "traceId", incoming).lower()
    span_id = text_of(message, "spanId", incoming).lower()
    return Link(
        uuid,
        incoming.linked_uuid(trace_id, span_id),
        "otel",
        ordinal,
        _hex(trace_id),
        _hex(span_id),
        text_of(message, "traceState", incoming) or None,
        uint32(message, "flags", incoming) or None,
        to_text(decode_attributes(message.get("attributes"), incoming)),
        uint32(message, "droppedAttributesCount", incoming) or None,
    )


def _hex(text: str) -> str:
    """What of an id can be told in bytes."""
    try:
        return bytes.fromhex(text).hex()
    except ValueError:
        return ""


def _shallow(value: object, depth: int = 20) -> bool:
    """Whether something nests so little that it can be shown."""
    if depth == 0:
        return False
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(inside, (list, type({}.values()))):
        return True
    return all(_shallow(item, depth - 1) for item in inside)


# --- encode


def encode(groups: Iterable[Group]) -> Iterator[Json]:
    """An element of resourceSpans for each group of spans."""
    for told, by, spans in groups:
        part = _without_empty(
            scope=_without_empty(
                name=by.name,
                version=by.version,
                attributes=encode_attributes(by.attributes),
                droppedAttributesCount=by.dropped_attributes_count,
            ),
            spans=[encode_span(span) for span in spans],
            schemaUrl=by.schema_url,
        )
        yield _without_empty(
            resource=_without_empty(
                attributes=encode_attributes(told.attributes),
                droppedAttributesCount=told.dropped_attributes_count,
                entityRefs=json.loads(told.entity_refs or "[]"),
            ),
            scopeSpans=[part],
            schemaUrl=told.schema_url,
        )


def encode_span(told: Told) -> Json:
    """One span with its events and links."""
    row = told.span
    message = _without_empty(
        traceId=row.trace_high + row.uuid[:RUN_DIGITS],
        spanId=row.original_span_id or row.uuid[RUN_DIGITS:],
        parentSpanId=(row.parent_uuid or "")[RUN_DIGITS:],
        traceState=row.trace_state,
        flags=row.flags,
        name=row.name,
        kind=row.kind,
        startTimeUnixNano=_uint64(row.start_unix_nano),
        endTimeUnixNano=_uint64(row.end_unix_nano),
        attributes=encode_attributes(row.attributes),
        droppedAttributesCount=row.dropped_attributes_count,
        events=[encode_event(event) for event in told.events],
        droppedEventsCount=row.dropped_events_count,
        links=[encode_link(link) for link in told.links],
        droppedLinksCount=row.dropped_links_count,
    )
    if row.status_code is not None:
        message["status"] = _without_empty(code=row.status_code, message=row.status_message)
    return message


def encode_event(row: Event) -> Json:
    """One event."""
    return _without_empty(
        timeUnixNano=_uint64(row.time_unix_nano),
        name=row.type,
        attributes=encode_attributes(row.attributes),
        droppedAttributesCount=row.dropped_attributes_count,
    )


def encode_link(row: Link) -> Json:
    """One link."""
    return _without_empty(
        traceId=row.trace_id,
        spanId=row.span_id,
        traceState=row.trace_state,
        attributes=encode_attributes(row.attributes),
        droppedAttributesCount=row.dropped_attributes_count,
        flags=row.flags,
    )


def _uint64(value: int | None) -> str | None:
    return str(value & _UINT64) if value else None


def _without_empty(**fields: str | int | Sequence[Any] | Json | None) -> Json:
    """An object without the fields that proto3 leaves out."""
    return {name: value for name, value in fields.items() if value}
