"""Jaeger's own JSON, as its UI saves it and its HTTP API answers.

    {"data": [{"traceID": "83a9…", "spans": [{"spanID": …, "operationName": …, "references": [
      {"refType": "CHILD_OF", …}], "startTime": 1706678909209712, "duration": 123, "tags": [
      {"key": "span.kind", "type": "string", "value": "server"}], "logs": [], "processID": "p1"}],
      "processes": {"p1": {"serviceName": "telemetrygen", "tags": []}}}]}

Times are microseconds. `data` may be one trace; a trace, or an array of them, may stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dnpcsql.identity import RUN_DIGITS
from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.json_stream import WINDOW, MalformedError, Pull, spans_of, thin
from dnpcsql.importers.tags import read_tags
from dnpcsql.importers.unpacked import opened
from dnpcsql.otlp.attributes import Value, to_text
from dnpcsql.otlp.incoming import JAEGER, TRACE_DIGITS, Incoming, resource
from dnpcsql.otlp.json_values import Json, decode_value, items, text_of, uint32, uint64
from dnpcsql.records import Event, Link, Record, Resource, Scope, Span, Told

_NESTED: frozenset[str] = frozenset()
_HIGH_DIGITS = TRACE_DIGITS - RUN_DIGITS

# Jaeger's types of tags → OTLP/JSON's of values.
_TYPES = {
    "string": "stringValue",
    "bool": "boolValue",
    "int64": "intValue",
    "float64": "doubleValue",
    "binary": "bytesValue",
}

# What Jaeger calls a service that OTLP did not name.
_NO_NAME = "OTLPResourceNoServiceName"


def jaeger_json(path: Path, context: Context) -> Iterator[Record]:
    """All spans of a file, in its order."""
    foreign = Foreign(JAEGER)
    with opened(path) as file:
        pull = Pull(file.fileno())
        while pull.peek():
            try:
                yield from _traces(pull, foreign)
            except MalformedError as error:
                yield from foreign.damaged("malformed JSON", str(error))
                if not pull.next_document():
                    break
        yield from foreign.ended(pull.replaced)


def _traces(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    """A trace, an array of them, or an answer with `data`."""
    if pull.peek() == "[":
        for _ in pull.elements():
            yield from _traces(pull, foreign)
        return
    try:
        trace = pull.value(WINDOW)
    except MalformedError:
        yield from _large(pull, foreign)
        return
    found = trace.get("data", trace) if isinstance(trace, dict) else None
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield from _spans(one, items(one, "spans", foreign.incoming), foreign)
        else:
            yield from foreign.damaged("no trace", str(one)[:100])


def _large(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    """A trace, or an answer, that is too large to be decoded whole, or damaged."""
    outside = pull.again()
    for key in outside.members():
        if key == "data" and outside.peek() in "[{":
            break
        outside.skip()
    else:
        trace = thin(pull.again(), _NESTED)
        for _, span in spans_of(pull, _NESTED):
            yield from _spans(trace, [span], foreign)
        return
    for key in pull.members():
        if key == "data":
            yield from _traces(pull, foreign)
        else:
            pull.skip()


def _spans(trace: Json, spans: Iterable[Any], foreign: Foreign) -> Iterator[Record]:
    """Spans of a trace; of its head only the processes matter here."""
    incoming = foreign.incoming
    processes = trace.get("processes") or {}
    for span in spans:
        incoming.spans += 1
        events = incoming.events
        try:
            if isinstance(span, MalformedError):
                raise span
            process = span.get("process") or processes.get(span.get("processID")) or {}
            told = decode_process(process, incoming)
            by, made = decode_span(span, trace, told, incoming)
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
            incoming.events = events
            yield from foreign.damaged("span not understood", f"{error!r}: {str(span)[:100]}")
        else:
            yield from foreign.spans(told, by, [made])


def decode_process(process: Json, incoming: Incoming) -> Resource:
    """Who tells."""
    name = text_of(process, "serviceName", incoming)
    values: dict[str, Value] = {"service.name": name} if name not in ("", _NO_NAME) else {}
    return resource(to_text(values | decode_tags(process.get("tags"), incoming)), "", 0)


def decode_span(
    message: Json, trace: Json, told: Resource, incoming: Incoming
) -> tuple[Scope, Told]:
    """One span, and by which instrumentation."""
    trace_text = text_of(message, "traceID", incoming) or text_of(trace, "traceID", incoming)
    trace_id = incoming.trace_id(trace_text, told.id)
    run = trace_id[_HIGH_DIGITS:]
    uuid = run + incoming.span_id(text_of(message, "spanID", incoming), message)
    values = decode_tags(message.get("tags"), incoming)
    if message.get("warnings"):
        values["jaeger.warnings"] = list(message["warnings"])
    tagged = read_tags(values)
    start = uint64(message, "startTime") * 1000
    end = start + uint64(message, "duration") * 1000
    begun, ended = incoming.times(start, end)
    parent_id, links = _references(message, trace_text, uuid, incoming)
    span = Span(
        uuid=uuid,
        type=incoming.type,
        trace_high=trace_id[:_HIGH_DIGITS],
        parent_uuid=run + parent_id if parent_id else None,
        name=text_of(message, "operationName", incoming),
        kind=tagged.kind,
        start_unix_nano=begun,
        end_unix_nano=ended,
        status_code=tagged.status_code,
        status_message=tagged.status_message,
        attributes=tagged.attributes,
        line=incoming.spans,
        resource_id=told.id or None,
        scope_id=tagged.scope.id or None,
        trace_state=tagged.trace_state,
        flags=uint32(message, "flags", incoming) or None,
    )
    logs = items(message, "logs", incoming)
    return tagged.scope, Told(span, [decode_log(log, uuid, incoming) for log in logs], links)


def _references(
    message: Json, trace_id: str, uuid: str, incoming: Incoming
) -> tuple[str | None, list[Link]]:
    """The first CHILD_OF within the trace is the parent; what else is referred to are links."""
    parent_id = None
    links: list[Link] = []
    for reference in items(message, "references", incoming):
        linked_trace = text_of(reference, "traceID", incoming)
        linked_span = text_of(reference, "spanID", incoming)
        child = reference.get("refType") == "CHILD_OF"
        if child and parent_id is None and linked_trace in ("", trace_id):
            parent_id = incoming.parent_id(linked_span)
            continue
        linked = incoming.linked_uuid(linked_trace, linked_span)
        links.append(
            Link(
                uuid,
                linked,
                "otel",
                len(links),
                linked_trace.lower().zfill(TRACE_DIGITS),
                linked_span.lower().zfill(16),
                attributes=to_text({"opentracing.ref_type": "child_of"} if child else {}),
            )
        )
    return parent_id or incoming.parent_id(text_of(message, "parentSpanID", incoming)), links


def decode_log(log: Json, uuid: str, incoming: Incoming) -> Event:
    """One event; its name is the field `event`."""
    incoming.events += 1
    values = decode_tags(log.get("fields"), incoming)
    name = values.pop("event") if isinstance(values.get("event"), str) else "log"
    time = incoming.event_time(uint64(log, "timestamp") * 1000)
    return Event(uuid, time, name, incoming.events, None, to_text(values))


def decode_tags(tags: Any, incoming: Incoming) -> dict[str, Value]:
    """Tags by their keys, of the types that they state."""
    values: dict[str, Value] = {}
    for tag in tags or ():
        key, value = text_of(tag, "key", incoming), tag.get("value")
        if key in values:
            incoming.tell("key told twice", f"the last is kept: {key}")
        kind = _TYPES.get(str(tag.get("type")).lower())
        if kind is None:
            kind = "stringValue" if isinstance(value, str) else _kind_of(value)
        values[key] = decode_value({kind: value}, incoming) if value is not None else None
    return values


def _kind_of(value: object) -> str:
    """Of a tag without a type."""
    if isinstance(value, bool):
        return "boolValue"
    return "intValue" if isinstance(value, int) else "doubleValue"
