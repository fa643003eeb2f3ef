"""What a Jaeger makes of a span that it is sent, as read in its sources and seen in its answers.

Everything else has to come back as it was. These are `Change`s, applied to what was sent.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from tests.peers.spans import attribute_lists, only_span, text

_WARNINGS = "@jaeger@warnings"
"""The attribute by which Jaeger says what it changed, or found odd."""


def in_memory(one: ResourceSpans) -> None:
    """Jaeger keeps no schema URLs, names a service that has no name, and has no time in no time."""
    one.schema_url = ""
    one.scope_spans[0].schema_url = ""
    _name_the_service(one.resource)
    span = only_span(one)
    if span.end_time_unix_nano <= span.start_time_unix_nano:
        span.end_time_unix_nano = span.start_time_unix_nano + 1


def on_disk(one: ResourceSpans) -> None:
    """Its disk storage has the model of Jaeger 1, which is smaller than OpenTelemetry's.

    Lost are flags, dropped counts, the scope's attributes, links' attributes and states, and the
    message of a status that is unset; arrays and maps become JSON, empty values empty strings.
    """
    in_memory(one)
    one.resource.dropped_attributes_count = 0
    del one.resource.entity_refs[:]
    scope = one.scope_spans[0].scope
    scope.dropped_attributes_count = 0
    del scope.attributes[:]
    for attributes in attribute_lists(one):
        for pair in attributes:
            _as_text(pair.value)
    span = only_span(one)
    span.flags = 0
    span.dropped_attributes_count = span.dropped_events_count = span.dropped_links_count = 0
    for event in span.events:
        event.dropped_attributes_count = 0
    _links_of_jaeger_1(span)


def as_read(one: ResourceSpans) -> None:
    """Of an answer: warnings are of no account, and JSON in strings is written in one way."""
    span = only_span(one)
    others = [pair for pair in span.attributes if pair.key != _WARNINGS]
    if len(others) < len(span.attributes):
        del span.attributes[:]
        span.attributes.extend(others)
    for attributes in attribute_lists(one):
        for pair in attributes:
            if pair.value.string_value[:1] in ("[", "{"):
                pair.value.string_value = _one_way(pair.value.string_value)


def warnings(span: Span) -> list[str]:
    """What Jaeger says of a span in its answer."""
    return [
        value.string_value
        for pair in span.attributes
        if pair.key == _WARNINGS
        for value in pair.value.array_value.values
    ]


def _name_the_service(resource: Resource) -> None:
    for pair in resource.attributes:
        if pair.key == "service.name":
            pair.value.string_value = pair.value.string_value or "empty-service-name"
            return
    resource.attributes.append(text("service.name", "missing-service-name"))


def _links_of_jaeger_1(span: Span) -> None:
    """A parent is the first of the references there; a span without one gets its first link's."""
    local = [link for link in span.links if link.trace_id == span.trace_id]
    to_parent = [link for link in local if link.span_id == span.parent_span_id]
    if not span.parent_span_id and local:
        span.parent_span_id = local[0].span_id
    kept = to_parent[:1] + [link for link in span.links if link not in to_parent]
    del span.links[:]
    for link in kept:
        span.links.add(
            trace_id=link.trace_id,
            span_id=link.span_id,
            attributes=[text("opentracing.ref_type", "follows_from")],
        )


def _as_text(value: AnyValue) -> None:
    which = value.WhichOneof("value")
    if which is None:
        value.string_value = ""
    elif which in ("array_value", "kvlist_value"):
        value.string_value = json.dumps(_plain(value))
    if value.string_value[:1] in ("[", "{"):
        value.string_value = _one_way(value.string_value)


def _plain(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if which == "bytes_value":
        return MessageToDict(value)["bytesValue"]
    return getattr(value, which) if which else None


def _one_way(text_of_json: str) -> str:
    try:
        found = json.loads(text_of_json, parse_float=_whole)
    except ValueError:
        return text_of_json
    return json.dumps(found, sort_keys=True)


def _whole(number: str) -> float | int:
    """Go writes 2.0 as 2."""
    value = float(number)
    return int(value) if value.is_integer() else value
