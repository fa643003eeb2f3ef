"""Zipkin's JSON, version 2: an array of spans, arrays of them, or a line for each.

    [{"traceId": "1e22…", "id": "74280ae0c10d8062", "parentId": …, "kind": "SERVER", "name": "post",
      "timestamp": 1470150004008761, "duration": 93577, "localEndpoint": {"serviceName": …},
      "tags": {…}, "annotations": [{"timestamp": …, "value": "cache.miss"}], "shared": true}]

Times are microseconds, tags are text. The two ends of a call share one id.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql.identity import RUN_DIGITS
from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.json_stream import MalformedError, Pull
from dnpcsql.importers.tags import read_tags
from dnpcsql.importers.unpacked import opened
from dnpcsql.otlp.attributes import Value, to_text
from dnpcsql.otlp.incoming import TIME_LIMIT, TRACE_DIGITS, ZIPKIN, Incoming, resource
from dnpcsql.otlp.json_values import Json, items, text_of, uint64
from dnpcsql.records import Event, Record, Resource, Scope, Span, Told

_KINDS = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_HIGH_DIGITS = TRACE_DIGITS - RUN_DIGITS

# Endpoints, as OpenTelemetry's translation calls their parts.
_LOCAL = (("ipv4", "net.host.ip"), ("ipv6", "net.host.ipv6"), ("port", "net.host.port"))
_REMOTE = (
    ("serviceName", "peer.service"),
    ("ipv4", "net.peer.ip"),
    ("ipv6", "net.peer.ipv6"),
    ("port", "net.peer.port"),
)


def zipkin_json(path: Path, context: Context) -> Iterator[Record]:
    """All spans of a file, in its order."""
    foreign = Foreign(ZIPKIN)
    with opened(path) as file:
        pull = Pull(file.fileno())
        while pull.peek():
            try:
                yield from _spans(pull, foreign)
            except MalformedError as error:
                yield from foreign.damaged("malformed JSON", str(error))
                if not pull.next_document():
                    break
        yield from foreign.ended(pull.replaced)


def _spans(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    if pull.peek() == "[":
        for _ in pull.elements():
            yield from _spans(pull, foreign)
        return
    span = pull.value()
    foreign.incoming.spans += 1
    events = foreign.incoming.events
    try:
        told = decode_endpoint(span, foreign.incoming)
        by, made = decode_span(span, told, foreign.incoming)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        foreign.incoming.events = events
        yield from foreign.damaged("span not understood", f"{error!r}: {str(span)[:100]}")
    else:
        yield from foreign.spans(told, by, [made])


def decode_endpoint(message: Json, incoming: Incoming) -> Resource:
    """Who tells: the service; its addresses may differ from span to span."""
    name = text_of(message.get("localEndpoint") or {}, "serviceName", incoming)
    return resource(to_text({"service.name": name} if name else {}), "", 0)


def decode_span(message: Json, told: Resource, incoming: Incoming) -> tuple[Scope, Told]:
    """One span, and by which instrumentation."""
    trace_id = incoming.trace_id(text_of(message, "traceId", incoming), told.id)
    run = trace_id[_HIGH_DIGITS:]
    uuid = run + incoming.span_id(text_of(message, "id", incoming), message)
    parent_id = incoming.parent_id(text_of(message, "parentId", incoming))
    tagged = read_tags(_values(message, incoming))
    start = uint64(message, "timestamp") * 1000
    duration = uint64(message, "duration") * 1000
    ended: int | None = None
    if 0 < start <= TIME_LIMIT and not duration and "duration" not in message:
        begun: int | None = start
        incoming.tell("no time", "duration is missing")
    else:
        begun, ended = incoming.times(start, start + duration if start else 0)
    annotations = items(message, "annotations", incoming)
    span = Span(
        uuid=uuid,
        type=incoming.type,
        trace_high=trace_id[:_HIGH_DIGITS],
        parent_uuid=run + parent_id if parent_id else None,
        name=text_of(message, "name", incoming),
        kind=_KINDS.get(text_of(message, "kind", incoming), tagged.kind),
        start_unix_nano=begun,
        end_unix_nano=ended,
        status_code=tagged.status_code,
        status_message=tagged.status_message,
        attributes=tagged.attributes,
        line=incoming.spans,
        resource_id=told.id or None,
        scope_id=tagged.scope.id or None,
        trace_state=tagged.trace_state,
    )
    return tagged.scope, Told(span, [decode_annotation(one, uuid, incoming) for one in annotations])


def decode_annotation(message: Json, uuid: str, incoming: Incoming) -> Event:
    """One event."""
    incoming.events += 1
    time = incoming.event_time(uint64(message, "timestamp") * 1000)
    return Event(uuid, time, text_of(message, "value", incoming), incoming.events)


def _values(message: Json, incoming: Incoming) -> dict[str, Value]:
    """Tags, the addresses of both ends, and Zipkin's own flags."""
    values: dict[str, Value] = {}
    for end, names in (("localEndpoint", _LOCAL), ("remoteEndpoint", _REMOTE)):
        for part, name in names:
            if (value := (message.get(end) or {}).get(part)) is not None:
                values[name] = value
    for flag in ("shared", "debug"):
        if message.get(flag) is not None:
            values[f"zipkin.{flag}"] = message[flag]
    tags: Any = message.get("tags") or {}
    for key, value in tags.items():
        if values.get(key, value) != value:
            incoming.tell("key told twice", f"the tag is kept: {key}")
        values[key] = value
    return values
