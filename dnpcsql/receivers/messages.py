"""A request's body: whether it is OTLP, how many spans it has, and their records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.otlp_json import element_records
from dnpcsql.importers.otlp_protobuf import message_records
from dnpcsql.otlp.fields import BYTES, DamagedError, Held, fields
from dnpcsql.receivers.refusals import malformed
from dnpcsql.records import Problem, Record

WEIGHT = 8  # bytes of memory for a byte of a message, decoded (measured: 7, JSON and protobuf)

_TOLD_KINDS = 5  # kinds of problems of which a sender is told


@dataclass
class Message:
    """The spans of one request, not yet decoded to records."""

    spans: int
    _decode: Callable[[Foreign], Iterator[Record]]
    problems: Counter[str] = field(default_factory=Counter)
    understood: int = 0

    def records(self, foreign: Foreign) -> Iterator[Record]:
        """Its records, numbered on from where `foreign` is."""
        self.problems.clear()
        before = foreign.understood
        for record in self._decode(foreign):
            if isinstance(record, Problem):
                self.problems[record.kind] += record.times
            yield record
        self.understood = foreign.understood - before

    @property
    def rejected(self) -> int:
        """How many of its spans could not be understood."""
        return max(self.spans - self.understood, 0)

    def answer(self) -> ExportTraceServiceResponse:
        """What its sender is told when it was stored; nothing if all was well."""
        if not self.problems and not self.rejected:
            return ExportTraceServiceResponse()
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in self.problems.most_common(_TOLD_KINDS)
        )
        kept = "the others are kept" if self.rejected else "kept, with problems"
        return ExportTraceServiceResponse(
            partial_success=ExportTracePartialSuccess(
                rejected_spans=self.rejected, error_message=f"{kept}: {kinds}"
            )
        )

    def answer_json(self) -> bytes:
        """The same in OTLP/JSON."""
        part = self.answer().partial_success
        if not part.error_message:
            return b"{}"
        told: dict[str, str] = {"errorMessage": part.error_message}
        if part.rejected_spans:
            told["rejectedSpans"] = str(part.rejected_spans)
        return json.dumps({"partialSuccess": told}).encode()


def of_protobuf(body: bytes) -> Message:
    """An ExportTraceServiceRequest in protobuf. Raises RefusedError if it is none."""

    def decode(foreign: Foreign) -> Iterator[Record]:
        return message_records(body, foreign)

    try:
        message = TracesData.FromString(body)
    except DecodeError:
        # One span that is not protobuf, or a text that is not UTF-8, does not spoil the others.
        return Message(_spans_in(body), decode)
    parts = [
        scope_spans
        for resource_spans in message.resource_spans
        for scope_spans in resource_spans.scope_spans
    ]
    count = sum(len(part.spans) for part in parts)
    if count and not any(
        span.start_time_unix_nano or (len(span.trace_id), len(span.span_id)) == (16, 8)
        for part in parts
        for span in part.spans
    ):
        raise malformed("these are no spans: metrics or logs?")
    return Message(count, decode)


def _spans_in(body: bytes) -> int:
    """How many spans a message has whose outer parts, at least, are whole."""
    data, spans = Held(body), 0
    try:
        outer = [(0, len(body))]
        for depth in (1, 2, 2):
            inner = []
            for start, end in outer:
                for part in fields(data, start, end):
                    if part.end > end:
                        raise DamagedError("cut off")
                    if (part.number, part.wire_type) == (depth, BYTES):
                        inner.append((part.inside, part.end))
            outer = inner
        spans = len(outer)
    except DamagedError as error:
        raise malformed(f"not OTLP in protobuf: {error}") from None
    if not spans:
        raise malformed("not OTLP in protobuf")
    return spans


def of_json(body: bytes) -> Message:
    """An ExportTraceServiceRequest in OTLP/JSON. Raises RefusedError if it is none."""
    document = _parsed(body)
    if not isinstance(document, dict):
        raise malformed("not OTLP/JSON: an object was expected")
    elements = document.get("resourceSpans")
    if elements is None:
        if document:
            raise malformed(f"no resourceSpans, but {', '.join(document)[:100]}")
        elements = []
    if not isinstance(elements, list):
        raise malformed("resourceSpans is no list")

    def decode(foreign: Foreign) -> Iterator[Record]:
        for element in elements:
            yield from element_records(element, foreign)

    return Message(sum(map(_spans_of, elements)), decode)


def _parsed(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            # Half a character of UTF-16, which is not Unicode and which SQLite does not take.
            whole = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
            document = json.loads(whole.decode("utf-8", "replace"))
    except RecursionError:
        raise malformed("malformed JSON: nested too deeply") from None
    except ValueError as error:
        raise malformed(f"malformed JSON: {error}") from None
    return document


def _spans_of(element: Any) -> int:
    """How many spans one of resourceSpans has. Raises RefusedError where there can be none."""
    if not isinstance(element, dict):
        raise malformed("resourceSpans has something that is no object")
    parts = element.get("scopeSpans") or element.get("instrumentationLibrarySpans") or []
    if not isinstance(parts, list):
        raise malformed("scopeSpans is no list")
    count = 0
    for part in parts:
        spans = part.get("spans") or [] if isinstance(part, dict) else None
        if not isinstance(spans, list):
            raise malformed("spans is no list")
        count += len(spans)
    return count
