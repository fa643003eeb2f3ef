"""Everything that OTLP says of a span has a home in the tables."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from dnpcsql.schema import metadata

# Message and field → the column that keeps it; what stands after a space says how.
HOMES = {
    "ResourceSpans.resource": "span.resource_id",
    "ResourceSpans.scope_spans": "span.scope_id",
    "ResourceSpans.schema_url": "resource.schema_url",
    "ScopeSpans.scope": "span.scope_id",
    "ScopeSpans.spans": "span.uuid",
    "ScopeSpans.schema_url": "scope.schema_url",
    "Resource.attributes": "resource.attributes",
    "Resource.dropped_attributes_count": "resource.dropped_attributes_count",
    "Resource.entity_refs": "resource.entity_refs",
    "EntityRef.schema_url": "resource.entity_refs",
    "EntityRef.type": "resource.entity_refs",
    "EntityRef.id_keys": "resource.entity_refs",
    "EntityRef.description_keys": "resource.entity_refs",
    "InstrumentationScope.name": "scope.name",
    "InstrumentationScope.version": "scope.version",
    "InstrumentationScope.attributes": "scope.attributes",
    "InstrumentationScope.dropped_attributes_count": "scope.dropped_attributes_count",
    "Span.trace_id": "span.trace_id",
    "Span.span_id": "span.span_id",
    "Span.trace_state": "span.trace_state",
    "Span.parent_span_id": "span.parent_uuid",
    "Span.flags": "span.flags",
    "Span.name": "span.name",
    "Span.kind": "span.kind",
    "Span.start_time_unix_nano": "span.start_unix_nano",
    "Span.end_time_unix_nano": "span.end_unix_nano",
    "Span.attributes": "span.attributes",
    "Span.dropped_attributes_count": "span.dropped_attributes_count",
    "Span.events": "event.span_uuid",
    "Span.dropped_events_count": "span.dropped_events_count",
    "Span.links": "link.span_uuid",
    "Span.dropped_links_count": "span.dropped_links_count",
    "Span.status": "span.status_code NULL where there is none",
    "Event.time_unix_nano": "event.time_unix_nano",
    "Event.name": "event.type",
    "Event.attributes": "event.attributes",
    "Event.dropped_attributes_count": "event.dropped_attributes_count",
    "Link.trace_id": "link.trace_id",
    "Link.span_id": "link.span_id",
    "Link.trace_state": "link.trace_state",
    "Link.attributes": "link.attributes",
    "Link.dropped_attributes_count": "link.dropped_attributes_count",
    "Link.flags": "link.flags",
    "Status.message": "span.status_message",
    "Status.code": "span.status_code",
    "KeyValue.key": "span.attributes",
    "KeyValue.value": "span.attributes",
    "AnyValue.string_value": "span.attributes",
    "AnyValue.bool_value": "span.attributes",
    "AnyValue.int_value": "span.attributes",
    "AnyValue.double_value": "span.attributes with . or an exponent, or $double",
    "AnyValue.array_value": "span.attributes",
    "AnyValue.kvlist_value": "span.attributes",
    "AnyValue.bytes_value": "span.attributes as $bytes",
}

# Indexes into the string table that only profiles have.
OF_PROFILES_ONLY = {"KeyValue.key_strindex", "AnyValue.string_value_strindex"}

MESSAGES = (
    ResourceSpans, ScopeSpans, Resource, EntityRef, InstrumentationScope, Span, Span.Event,
    Span.Link, Status, KeyValue, AnyValue,
)  # fmt: skip


@pytest.mark.parametrize("descriptor", [message.DESCRIPTOR for message in MESSAGES])
def test_every_field_has_a_home(descriptor: Descriptor) -> None:
    fields = {f"{descriptor.name}.{field.name}" for field in descriptor.fields}
    assert fields - OF_PROFILES_ONLY <= HOMES.keys()


@pytest.mark.parametrize("home", sorted(set(HOMES.values())))
def test_every_home_is_there(home: str) -> None:
    table, column = home.split(maxsplit=1)[0].split(".")
    assert column in metadata.tables[table].columns
