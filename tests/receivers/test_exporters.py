"""What the official exporters send is stored as they meant it, field by field."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState

from tests.otlp.test_round_trip import spans_of
from tests.receivers.conftest import Serving, stored


def json_exporter(serving: Serving) -> SpanExporter:
    module = pytest.importorskip(
        "opentelemetry.exporter.otlp.json.http.trace_exporter",
        reason="no opentelemetry-exporter-otlp-json-http here: its pins lag behind the others'",
    )
    made: SpanExporter = module.OTLPSpanExporter(endpoint=f"{serving.http}/v1/traces")
    return made


EXPORTERS: dict[str, Callable[[Serving], SpanExporter]] = {
    "grpc": lambda serving: GrpcExporter(endpoint=serving.grpc, insecure=True),
    "grpc, gzip": lambda serving: GrpcExporter(
        endpoint=serving.grpc, insecure=True, compression=grpc.Compression.Gzip
    ),
    "grpc, deflate": lambda serving: GrpcExporter(
        endpoint=serving.grpc, insecure=True, compression=grpc.Compression.Deflate
    ),
    "http/protobuf": lambda serving: HttpExporter(endpoint=f"{serving.http}/v1/traces"),
    "http/protobuf, gzip": lambda serving: HttpExporter(
        endpoint=f"{serving.http}/v1/traces", compression=Compression.Gzip
    ),
    "http/protobuf, deflate": lambda serving: HttpExporter(
        endpoint=f"{serving.http}/v1/traces", compression=Compression.Deflate
    ),
    "http/json": json_exporter,
}


def told_to(*exporters: SpanExporter, batch: bool = False) -> None:
    """A program that says all that the API lets one say."""
    provider = TracerProvider(resource=Resource.create({"service.name": "a", "host.name": "h"}))
    processor = BatchSpanProcessor if batch else SimpleSpanProcessor
    for exporter in exporters:
        provider.add_span_processor(processor(exporter))
    tracer = provider.get_tracer("scope", "1.2", schema_url="https://here", attributes={"s": 1})
    away = SpanContext(
        0xA1, 0xB2, True, trace_flags=trace.TraceFlags(1), trace_state=TraceState([("k", "v")])
    )
    around = trace.set_span_in_context(trace.NonRecordingSpan(away))
    attributes: dict[str, Any] = {
        "text": "ä\n\u2028😀", "empty": "", "yes": True, "whole": 2**62, "less": -1,
        "real": 0.5, "great": 1e300, "texts": ["a", "b"], "numbers": [1, 2], "nothing": [],
    }  # fmt: skip
    with tracer.start_as_current_span(
        "root", context=around, kind=SpanKind.SERVER, attributes=attributes,
        links=[Link(away, {"why": "because"})],
    ) as root:  # fmt: skip
        root.add_event("happened", {"a": 1}, timestamp=1_795_331_483_123_456_789)
        with pytest.raises(ValueError, match="no"), tracer.start_as_current_span("failing"):
            raise ValueError("no")
        with tracer.start_as_current_span("well", kind=SpanKind.CLIENT) as span:
            span.set_status(Status(StatusCode.OK))
    assert provider.force_flush()
    provider.shutdown()


def meant(spans: Sequence[ReadableSpan]) -> list[Any]:
    return spans_of(encode_spans(spans).resource_spans)


@pytest.mark.parametrize("protocol", EXPORTERS)
def test_what_python_sends(serve: Callable[..., Serving], protocol: str) -> None:
    serving = serve()
    memory = InMemorySpanExporter()
    told_to(memory, EXPORTERS[protocol](serving), batch=protocol == "grpc")
    spans = memory.get_finished_spans()
    assert len(spans) == 3
    # While it is received, it can be asked.
    assert stored(serving.database) == meant(spans)
    said = serving.stop()
    assert "received 3 spans in " in said
    assert serving.process.returncode == 0
    assert stored(serving.database) == meant(spans)
    left = {path.name for path in serving.database.parent.iterdir()}
    assert left == {serving.database.name}


def test_sent_again_by_another_protocol_it_is_still_one(serve: Callable[..., Serving]) -> None:
    serving = serve()
    memory = InMemorySpanExporter()
    told_to(memory)
    spans = memory.get_finished_spans()
    for protocol in ("grpc", "http/protobuf", "grpc, gzip"):
        exporter = EXPORTERS[protocol](serving)
        for _ in range(3):
            exporter.export(spans)
        exporter.shutdown()
    assert "received 27 spans in 9 requests, 24 of them sent again" in serving.stop(signal.SIGINT)
    assert stored(serving.database) == meant(spans)
