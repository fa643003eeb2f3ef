"""Spans from files and from other programs' answers, in one form, to be compared field by field.

Read by the protobuf library and the json module alone: nothing of dnpcsql judges dnpcsql.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

Ids: TypeAlias = tuple[str, str]
"""A trace's id and a span's, in hex."""
Change: TypeAlias = Callable[[ResourceSpans], None]
"""Changes a message of one span into what a receiver is known to make of it."""


def spans_of(messages: Iterable[ResourceSpans], change: Change | None = None) -> dict[Ids, Any]:
    """Each span with all that is said of it, its resource and its scope.

    Attributes and events are sorted, for receivers do so; links keep their order. Raises
    AssertionError if a span's ids come twice.
    """
    found: dict[Ids, Any] = {}
    twice: Counter[Ids] = Counter()
    for one in each(messages):
        if change:
            change(one)
        _sort(one)
        span = one.scope_spans[0].spans[0]
        if span.HasField("status") and not span.status.ByteSize():
            span.ClearField("status")
        ids = span.trace_id.hex(), span.span_id.hex()
        twice[ids] += ids in found
        found[ids] = MessageToDict(one)
    assert not +twice, f"sent or kept several times: {dict(+twice)}"
    return found


def each(messages: Iterable[ResourceSpans]) -> Iterator[ResourceSpans]:
    """A message for each span."""
    for message in messages:
        for part in message.scope_spans:
            for span in part.spans:
                one = ResourceSpans(resource=message.resource, schema_url=message.schema_url)
                one.scope_spans.add(scope=part.scope, schema_url=part.schema_url, spans=[span])
                yield one


def _sort(one: ResourceSpans) -> None:
    for attributes in attribute_lists(one):
        attributes.sort(key=lambda pair: pair.key)
        for pair in attributes:
            _sort_inside(pair.value)
    for part in one.scope_spans:
        for span in part.spans:
            span.events.sort(key=lambda event: (event.time_unix_nano, event.SerializeToString()))


def _sort_inside(value: AnyValue) -> None:
    for item in value.array_value.values:
        _sort_inside(item)
    if value.HasField("kvlist_value"):
        value.kvlist_value.values.sort(key=lambda pair: pair.key)
        for pair in value.kvlist_value.values:
            _sort_inside(pair.value)


def attribute_lists(one: ResourceSpans) -> Iterator[Any]:
    """All lists of attributes in a message, to be changed."""
    yield one.resource.attributes
    for part in one.scope_spans:
        yield part.scope.attributes
        for span in part.spans:
            yield span.attributes
            yield from (event.attributes for event in span.events)
            yield from (link.attributes for link in span.links)


# --- reading


def read_file(path: Path) -> list[ResourceSpans]:
    """What is in an OTLP file: JSON, JSON Lines, protobuf, protobuf behind lengths, gzip of it."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if content[:1] == b"\n":
        return list(TracesData.FromString(content).resource_spans)
    if content[:1] == b"\0":
        return [
            message
            for part in _framed(content)
            for message in TracesData.FromString(part).resource_spans
        ]
    return [message for document in _documents(content.decode()) for message in from_json(document)]


def _framed(content: bytes) -> Iterator[bytes]:
    while content:
        end = 4 + int.from_bytes(content[:4], "big")
        yield content[4:end]
        content = content[end:]


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    at = 0
    while (at := len(text) - len(text[at:].lstrip())) < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document


def from_json(document: dict[str, Any]) -> list[ResourceSpans]:
    """The messages of an OTLP/JSON document, whose ids are in hex and not in base64."""
    for resource_spans in document["resourceSpans"]:
        for part in resource_spans.get("scopeSpans", ()):
            for span in part.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = base64.b64encode(bytes.fromhex(holder[key])).decode()
    request = ParseDict(document, ExportTraceServiceRequest())
    return list(request.resource_spans)


def only_span(one: ResourceSpans) -> Span:
    """The span of a message of one."""
    return one.scope_spans[0].spans[0]


def text(key: str, value: str) -> KeyValue:
    """An attribute."""
    return KeyValue(key=key, value=AnyValue(string_value=value))
