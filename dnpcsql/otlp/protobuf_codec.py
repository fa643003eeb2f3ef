"""OTLP's protobuf messages, decoded to rows and encoded from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.attributes import to_text
from dnpcsql.otlp.incoming import TIME_LIMIT, TRACE_DIGITS, Group, Incoming, resource, scope
from dnpcsql.otlp.protobuf_values import decode_attributes, encode_attributes
from dnpcsql.records import Event, Link, Resource, Scope, Span, Told

# Before 2022 spans stood in field 1000, in a message of ScopeSpans' shape.
_INSTRUMENTATION_LIBRARY_SPANS = 1000
_HIGH_DIGITS = TRACE_DIGITS - RUN_DIGITS
_UINT32 = (1 << 32) - 1
_UINT64 = (1 << 64) - 1


# --- decode


def decode(message: ResourceSpans, incoming: Incoming) -> Iterator[Group]:
    """The spans of a ResourceSpans, by scope."""
    told = decode_resource(message.resource, message.schema_url, incoming)
    for part in (*message.scope_spans, *_before_2022(message)):
        yield decode_scope_spans(part, told, incoming)


def decode_scope_spans(message: ScopeSpans, told: Resource, incoming: Incoming) -> Group:
    """The spans of a ScopeSpans."""
    by = decode_scope(message.scope, message.schema_url, incoming)
    resource_id, scope_id = told.id or None, by.id or None
    spans = (decode_span(span, resource_id, scope_id, incoming) for span in message.spans)
    return Group(told, by, spans)


def decode_resource(message: ResourceMessage, schema_url: str, incoming: Incoming) -> Resource:
    """Who tells."""
    refs = [
        {
            "schemaUrl": ref.schema_url,
            "type": ref.type,
            "idKeys": list(ref.id_keys),
            "descriptionKeys": list(ref.description_keys),
        }
        for ref in getattr(message, "entity_refs", ())
    ]
    return resource(
        to_text(decode_attributes(message.attributes, incoming)),
        schema_url,
        message.dropped_attributes_count,
        json.dumps(refs, ensure_ascii=False) if refs else None,
    )


def decode_scope(message: InstrumentationScope, schema_url: str, incoming: Incoming) -> Scope:
    """By which instrumentation."""
    return scope(
        message.name,
        message.version,
        to_text(decode_attributes(message.attributes, incoming)),
        schema_url,
        message.dropped_attributes_count,
    )


def decode_span(
    message: SpanMessage, resource_id: str | None, scope_id: str | None, incoming: Incoming
) -> Told:
    """One span with its events and links."""
    incoming.spans += 1
    trace_id, span_id = message.trace_id.hex(), message.span_id.hex()
    if len(trace_id) != 32 or not trace_id.strip("0"):
        trace_id = incoming.trace_id(trace_id, resource_id or "")
    if len(span_id) != 16 or not span_id.strip("0"):
        span_id = incoming.span_id(span_id, message.SerializeToString(deterministic=True))
    run = trace_id[_HIGH_DIGITS:]
    uuid = run + span_id
    parent_id: str | None = message.parent_span_id.hex()
    if parent_id and (len(parent_id) != 16 or parent_id == "0000000000000000"):
        parent_id = incoming.parent_id(parent_id)
    start: int | None = message.start_time_unix_nano
    end: int | None = message.end_time_unix_nano
    if not 0 < start <= end <= TIME_LIMIT:  # type: ignore[operator]  # None only after this
        start, end = incoming.times(message.start_time_unix_nano, message.end_time_unix_nano)
    code, words = None, None
    if message.HasField("status"):
        code, words = message.status.code, message.status.message
    attributes = message.attributes
    span = Span(
        uuid,
        incoming.type,
        trace_id[:_HIGH_DIGITS],
        None,
        run + parent_id if parent_id else None,
        message.name,
        message.kind,
        start,
        end,
        code,
        words or None,
        to_text(decode_attributes(attributes, incoming)) if attributes else None,
        incoming.spans,
        resource_id,
        scope_id,
        None,
        message.trace_state or None,
        message.flags or None,
        message.dropped_attributes_count or None,
        message.dropped_events_count or None,
        message.dropped_links_count or None,
    )
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()
    if message.events:
        events = [decode_event(event, uuid, incoming) for event in message.events]
    if message.links:
        links = [
            decode_link(link, uuid, ordinal, incoming) for ordinal, link in enumerate(message.links)
        ]
    return Told(span, events, links)


def decode_event(message: SpanMessage.Event, uuid: str, incoming: Incoming) -> Event:
    """One event."""
    incoming.events += 1
    time = message.time_unix_nano
    if not 0 < time <= TIME_LIMIT:
        time = incoming.event_time(time)
    attributes = message.attributes
    return Event(
        uuid,
        time,
        message.name,
        incoming.events,
        None,
        to_text(decode_attributes(attributes, incoming)) if attributes else None,
        message.dropped_attributes_count or None,
    )


def decode_link(message: SpanMessage.Link, uuid: str, ordinal: int, incoming: Incoming) -> Link:
    """One link."""
    trace_id, span_id = message.trace_id.hex(), message.span_id.hex()
    return Link(
        uuid,
        incoming.linked_uuid(trace_id, span_id),
        "otel",
        ordinal,
        trace_id,
        span_id,
        message.trace_state or None,
        message.flags or None,
        to_text(decode_attributes(message.attributes, incoming)),
        message.dropped_attributes_count or None,
    )


def _before_2022(message: ResourceSpans) -> list[ScopeSpans]:
    if message.scope_spans:
        return []
    unknown: Any = UnknownFieldSet(message)  # its stubs lack that one can iterate over it
    return [
        ScopeSpans.FromString(field.data)
        for field in unknown
        if field.field_number == _INSTRUMENTATION_LIBRARY_SPANS
    ]


# --- encode


def encode(groups: Iterable[Group]) -> list[ResourceSpans]:
    """ResourceSpans for the spans of some groups; those that follow on one resource share one."""
    made: list[ResourceSpans] = []
    last: Resource | None = None
    for told, by, spans in groups:
        if not made or told != last:
            message = encode_resource(told)
            made.append(ResourceSpans(resource=message, schema_url=told.schema_url or ""))
            last = told
        part = made[-1].scope_spans.add(scope=encode_scope(by), schema_url=by.schema_url or "")
        part.spans.extend(encode_span(span) for span in spans)
    return made


def encode_resource(row: Resource) -> ResourceMessage:
    """Who tells."""
    message = ResourceMessage(
        attributes=encode_attributes(row.attributes),
        dropped_attributes_count=row.dropped_attributes_count or 0,
    )
    for ref in json.loads(row.entity_refs or "[]"):
        message.entity_refs.add(
            schema_url=ref["schemaUrl"],
            type=ref["type"],
            id_keys=ref["idKeys"],
            description_keys=ref["descriptionKeys"],
        )
    return message


def encode_scope(row: Scope) -> InstrumentationScope:
    """By which instrumentation."""
    return InstrumentationScope(
        name=row.name or "",
        version=row.version or "",
        attributes=encode_attributes(row.attributes),
        dropped_attributes_count=row.dropped_attributes_count or 0,
    )


def encode_span(told: Told) -> SpanMessage:
    """One span with its events and links."""
    row = told.span
    return SpanMessage(
        trace_id=bytes.fromhex(row.trace_high + row.uuid[:RUN_DIGITS]),
        span_id=bytes.fromhex(row.original_span_id or row.uuid[RUN_DIGITS:]),
        trace_state=row.trace_state or "",
        parent_span_id=bytes.fromhex((row.parent_uuid or "")[RUN_DIGITS:]),
        flags=(row.flags or 0) & _UINT32,
        name=row.name or "",
        kind=row.kind or 0,  # type: ignore[arg-type]  # an open enum: any integer
        start_time_unix_nano=(row.start_unix_nano or 0) & _UINT64,
        end_time_unix_nano=(row.end_unix_nano or 0) & _UINT64,
        attributes=encode_attributes(row.attributes),
        dropped_attributes_count=row.dropped_attributes_count or 0,
        events=[encode_event(event) for event in told.events],
        dropped_events_count=row.dropped_events_count or 0,
        links=[encode_link(link) for link in told.links],
        dropped_links_count=row.dropped_links_count or 0,
        status=None
        if row.status_code is None
        else Status(code=row.status_code, message=row.status_message or ""),  # type: ignore[arg-type]
    )


def encode_event(row: Event) -> SpanMessage.Event:
    """One event."""
    return SpanMessage.Event(
        time_unix_nano=row.time_unix_nano & _UINT64,
        name=row.type,
        attributes=encode_attributes(row.attributes),
        dropped_attributes_count=row.dropped_attributes_count or 0,
    )


def encode_link(row: Link) -> SpanMessage.Link:
    """One link."""
    return SpanMessage.Link(
        trace_id=bytes.fromhex(row.trace_id or ""),
        span_id=bytes.fromhex(row.span_id or ""),
        trace_state=row.trace_state or "",
        attributes=encode_attributes(row.attributes),
        dropped_attributes_count=row.dropped_attributes_count or 0,
        flags=(row.flags or 0) & _UINT32,
    )
