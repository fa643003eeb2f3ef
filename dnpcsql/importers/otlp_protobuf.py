"""OTLP in protobuf: one message, several one after another (which is one again), or each behind
its length in 4 bytes, as the Collector's file exporter writes them; gzip and zstd of these, and
the Collector's messages that are zstd each, protobuf or JSON.

A TracesData or ExportTraceServiceRequest is ResourceSpans as field 1, again and again. Each is
decoded by itself; one that is large, cut off or damaged is taken apart, so that of the rest
nothing is lost and memory holds little of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.recognising_traces import MESSAGE_LIMIT
from dnpcsql.importers.unpacked import ZSTD, opened, zstd_message
from dnpcsql.otlp import json_codec
from dnpcsql.otlp.fields import BYTES, DamagedError, Data, Field, Held, Read, fields
from dnpcsql.otlp.incoming import OTEL
from dnpcsql.otlp.protobuf_codec import decode, decode_resource, decode_scope_spans
from dnpcsql.records import Record, Resource

WHOLE = 4 << 20  # bytes that are decoded at once
_CHUNK = 1 << 20

_RESOURCE, _PARTS, _SCHEMA_URL = 1, (2, 1000), 3  # of ResourceSpans
_SCOPE, _SPAN = 1, 2  # of ScopeSpans


def otlp_protobuf(path: Path, context: Context) -> Iterator[Record]:
    """All spans of a file, in its order."""
    foreign = Foreign(OTEL)
    with opened(path) as file:
        size = file.seek(0, 2)
        data = Read(file.fileno())
        if data.get(0, 1) == b"\n":
            yield from _traces(data, 0, size, foreign)
        else:
            yield from _framed(path, data, size, foreign)
        yield from foreign.ended()


def message_records(message: bytes, foreign: Foreign) -> Iterator[Record]:
    """All spans of one TracesData or ExportTraceServiceRequest in memory."""
    return _traces(Held(message), 0, len(message), foreign)


def _framed(path: Path, data: Data, size: int, foreign: Foreign) -> Iterator[Record]:
    at = 0
    while at < size:
        inside = at + 4
        end = inside + int.from_bytes(data.get(at, inside), "big")
        if inside >= size or end > size:
            yield from foreign.damaged("cut off", f"the message at byte {at}")
        if data.get(inside, inside + 4) == ZSTD and end <= size:
            yield from _message(path, data.get(inside, end), foreign)
        else:
            yield from _traces(data, inside, min(end, size), foreign)
        at = end


def _message(path: Path, packed: bytes, foreign: Foreign) -> Iterator[Record]:
    """One compressed message, whichever of the two it is."""
    content = zstd_message(path, packed)
    if not content.startswith(b"{"):
        yield from _traces(Held(content), 0, len(content), foreign)
        return
    try:
        for element in json.loads(content)["resourceSpans"]:
            for group in json_codec.decode(element, foreign.incoming):
                yield from foreign.group(group)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        yield from foreign.damaged("message not understood", repr(error))


def _traces(data: Data, start: int, end: int, foreign: Foreign) -> Iterator[Record]:
    try:
        for field in fields(data, start, end):
            if (field.number, field.wire_type) != (1, BYTES):
                continue
            if field.end > end:
                yield from foreign.damaged("cut off", f"the ResourceSpans at byte {field.start}")
            yield from _resource_spans(data, field, end, foreign)
    except DamagedError as error:
        yield from foreign.damaged("malformed protobuf", str(error))


def _resource_spans(data: Data, field: Field, end: int, foreign: Foreign) -> Iterator[Record]:
    if field.end <= end and field.end - field.inside <= WHOLE:
        try:
            message = ResourceSpans.FromString(data.get(field.inside, field.end))
        except DecodeError:
            pass
        else:
            for group in decode(message, foreign.incoming):
                yield from foreign.group(group)
            return
    end = min(field.end, end)
    told = _told(data, field.inside, end, foreign)
    for part in fields(data, field.inside, end):
        if part.number in _PARTS and part.wire_type == BYTES:
            yield from _scope_spans(data, part, end, told, foreign)


def _told(data: Data, start: int, end: int, foreign: Foreign) -> Resource:
    """The resource of a ResourceSpans that is taken apart."""
    head, schema_url = b"", ""
    try:
        for field in fields(data, start, end):
            if field.number == _RESOURCE and field.end <= end:
                head += data.get(field.inside, field.end)
            elif field.number == _SCHEMA_URL and field.end <= end:
                schema_url = data.get(field.inside, field.end).decode("utf-8", "replace")
    except DamagedError:
        pass  # told of when the spans are read
    try:
        message = ResourceMessage.FromString(head)
    except DecodeError:
        foreign.incoming.tell("resource not understood", repr(head[:100]))
        message = ResourceMessage()
    return decode_resource(message, schema_url, foreign.incoming)


def _scope_spans(
    data: Data, field: Field, end: int, told: Resource, foreign: Foreign
) -> Iterator[Record]:
    if field.end <= end and field.end - field.inside <= WHOLE:
        try:
            message = ScopeSpans.FromString(data.get(field.inside, field.end))
        except DecodeError:
            pass
        else:
            yield from foreign.group(decode_scope_spans(message, told, foreign.incoming))
            return
    end = min(field.end, end)
    head = _scope(data, field.inside, end, foreign)
    for chunk in _chunks(data, field.inside, end, foreign):
        yield from _some_spans(head, chunk, told, foreign)


def _scope(data: Data, start: int, end: int, foreign: Foreign) -> ScopeSpans:
    """A ScopeSpans without its spans."""
    head = b""
    try:
        for field in fields(data, start, end):
            if field.number != _SPAN and field.end <= end:
                head += data.get(field.start, field.end)
    except DamagedError:
        pass  # told of when the spans are read
    try:
        return ScopeSpans.FromString(head)
    except DecodeError:
        foreign.incoming.tell("scope not understood", repr(head[:100]))
        return ScopeSpans(scope=InstrumentationScope())


def _chunks(data: Data, start: int, end: int, foreign: Foreign) -> Iterator[list[bytes]]:
    """The spans of a ScopeSpans, each with its tag, some at a time."""
    chunk: list[bytes] = []
    size = 0
    try:
        for field in fields(data, start, end):
            if field.number != _SPAN:
                continue
            if field.end > end or field.end - field.inside > MESSAGE_LIMIT:
                foreign.incoming.spans += 1
                what = "cut off" if field.end > end else "span too large"
                foreign.incoming.tell(what, f"the span at byte {field.start}")
                continue
            chunk.append(data.get(field.start, field.end))
            size += len(chunk[-1])
            if size > _CHUNK:
                yield chunk
                chunk, size = [], 0
    except DamagedError as error:
        foreign.incoming.tell("malformed protobuf", str(error))
    yield chunk


def _some_spans(
    head: ScopeSpans, chunk: list[bytes], told: Resource, foreign: Foreign
) -> Iterator[Record]:
    """The spans of a chunk; if they cannot be decoded together, those that can alone."""
    message = ScopeSpans(scope=head.scope, schema_url=head.schema_url)
    try:
        message.MergeFromString(b"".join(chunk))
    except DecodeError as error:
        if len(chunk) == 1:
            foreign.incoming.spans += 1
            yield from foreign.damaged("span not understood", str(error))
            return
        for one in chunk:
            yield from _some_spans(head, [one], told, foreign)
        return
    yield from foreign.group(decode_scope_spans(message, told, foreign.incoming))
