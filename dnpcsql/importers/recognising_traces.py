"""By what other programs' traces are known: by what is in the files, whatever they are called."""

from __future__ import annotations

import re
from pathlib import Path

from dnpcsql.importers.unpacked import ZSTD, is_zstd_unread, unpacked_head
from dnpcsql.otlp.fields import are_traces

MESSAGE_LIMIT = 256 << 20  # bytes that one span, or one message behind its length, may have

_RESOURCE_SPANS = re.compile(rb'^(?:\xef\xbb\xbf)?\s*[{\[].*?"resourceSpans"\s*:', re.DOTALL)

# {"name": "GET /", "context": {"trace_id": "0x4bf9…", "span_id": "0x00f0…", …}, "kind": "SpanKind.…
CONSOLE = re.compile(
    rb'^\s*\{\s*"name":.{0,4000}?"context":\s*\{\s*"trace_id":\s*"0x[0-9a-f]{32}"', re.DOTALL
)

_JAEGER = re.compile(rb'^(?:\xef\xbb\xbf)?\s*[{\[].*?"traceID"\s*:', re.DOTALL)
# [{"traceId": "…", … "id": "…"
_ZIPKIN = re.compile(
    rb'^(?:\xef\xbb\xbf)?\s*(?:\[\s*)*\{(?=.*?"traceId"\s*:\s*")(?=.*?"id"\s*:\s*")', re.DOTALL
)
_OTHERS = (b'"spanId"', b'"resourceSpans"', b'"traceID"')


def otlp_json(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is OTLP/JSON, or what is easily taken for it."""
    text = unpacked_head(head)
    return _RESOURCE_SPANS.match(text) is not None or CONSOLE.match(text) is not None


def otlp_protobuf(path: Path, head: bytes) -> bool:
    """Whether a file that begins so holds OTLP traces in protobuf."""
    if is_zstd_unread(head):
        return path.name.endswith(
            (".pb.zst", ".binpb.zst", ".proto.zst", ".jsonl.zst", ".json.zst")
        )
    data = unpacked_head(head)
    if data[:1] == b"\n":
        return are_traces(data)
    length, first = int.from_bytes(data[:4], "big"), data[4:]
    if not 0 < length <= MESSAGE_LIMIT or not first:
        return False
    if first.startswith(ZSTD):
        first = unpacked_head(first)
        return are_traces(first) or b'"resourceSpans"' in first
    return are_traces(first[:length])


def jaeger_json(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is Jaeger's JSON."""
    text = unpacked_head(head)
    return (
        _JAEGER.match(text) is not None
        and (b'"spans"' in text or b'"operationName"' in text)
        and b'"resourceSpans"' not in text
    )


def zipkin_json(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is Zipkin's JSON."""
    text = unpacked_head(head)
    return _ZIPKIN.match(text) is not None and not any(other in text for other in _OTHERS)
