"""OTLP messages of all shapes, for hypothesis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from dnpcsql.otlp.incoming import Group, Incoming
from dnpcsql.otlp.protobuf_codec import decode
from dnpcsql.records import Told

texts = st.text(max_size=8)
keys = st.one_of(texts, st.sampled_from(["$double", "$bytes", "$empty", "$map", "parsl.run.id"]))
uint32 = st.one_of(st.just(0), st.integers(0, 2**32 - 1))
times = st.one_of(st.just(0), st.integers(1, 2**64 - 1), st.integers(17 * 10**17, 18 * 10**17))
trace_ids = st.binary(min_size=16, max_size=16).filter(any)
span_ids = st.binary(min_size=8, max_size=8).filter(any)

plain = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
    st.just(AnyValue(double_value=float("nan"))),
    st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
)


def pairs_of(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    pair = st.builds(KeyValue, key=keys, value=values)
    return st.lists(pair, max_size=3, unique_by=lambda pair: pair.key)


values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds(
            lambda items: AnyValue(array_value=ArrayValue(values=items)),
            st.lists(inner, max_size=3),
        ),
        st.builds(lambda pairs: AnyValue(kvlist_value=KeyValueList(values=pairs)), pairs_of(inner)),
    ),
    max_leaves=5,
)
attributes = pairs_of(values)

events = st.builds(
    Span.Event,
    time_unix_nano=times,
    name=texts,
    attributes=attributes,
    dropped_attributes_count=uint32,
)
links = st.builds(
    Span.Link,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=texts,
    attributes=attributes,
    dropped_attributes_count=uint32,
    flags=uint32,
)
spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=texts,
    parent_span_id=st.one_of(st.just(b""), span_ids),
    flags=uint32,
    name=texts,
    kind=st.integers(0, 6),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    dropped_attributes_count=uint32,
    events=st.lists(events, max_size=3),
    dropped_events_count=uint32,
    links=st.lists(links, max_size=3),
    dropped_links_count=uint32,
    status=st.one_of(st.none(), st.builds(Status, code=st.integers(0, 2), message=texts)),
)
scope_spans = st.builds(
    ScopeSpans,
    scope=st.builds(
        InstrumentationScope,
        name=texts,
        version=texts,
        attributes=attributes,
        dropped_attributes_count=uint32,
    ),
    spans=st.lists(spans, min_size=1, max_size=3),
    schema_url=texts,
)
resource_spans = st.builds(
    ResourceSpans,
    resource=st.builds(
        Resource,
        attributes=attributes,
        dropped_attributes_count=uint32,
        entity_refs=st.lists(
            st.builds(EntityRef, schema_url=texts, type=texts, id_keys=st.lists(texts, max_size=2)),
            max_size=1,
        ),
    ),
    scope_spans=st.lists(scope_spans, min_size=1, max_size=2),
    schema_url=texts,
)


def groups_of(messages: Iterable[ResourceSpans]) -> list[Group]:
    """Decoded, and held."""
    incoming = Incoming()
    return [
        group._replace(spans=list(group.spans))
        for message in messages
        for group in decode(message, incoming)
    ]


def content(group: Group) -> tuple[Any, Any, list[Told]]:
    """A group to be compared, without where it stood."""
    bare = [
        Told(
            told.span._replace(line=None),
            [event._replace(line=0) for event in told.events],
            list(told.links),
        )
        for told in group.spans
    ]
    return group.resource, group.scope, bare
