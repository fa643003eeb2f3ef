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
from dnpcsql.receivers.limits import Limits
from dnpcsql.receivers.refusals import malformed, too_many
from dnpcsql.records import Problem, Record

# Bytes of memory, measured: for a byte of a message, decoded (7, JSON and protobuf); for an object
# or a list of JSON's, even an empty one; for an event or a link when it is a row.
_BYTE, _OBJECT, _INSIDE = 8, 64, 400

_TOLD_KINDS = 5  # kinds of problems of which a sender is told


@dataclass
class Message:
    """The spans of one request, not yet decoded to records."""

    spans: int
    inside: int  # events and links
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


def admitted(body: bytes, *, is_json: bool, limits: Limits, take: Callable[[int], None]) -> Message:
    """A request that may be written. Raises RefusedError if it is none, or too much."""
    objects = body.count(b"{") + body.count(b"[") if is_json else 0
    take(_BYTE * len(body) + _OBJECT * objects)
    message = of_json(body) if is_json else of_protobuf(body)
    if message.spans > limits.spans:
        raise too_many("spans", limits.spans)
    if message.inside > limits.inside:
        raise too_many("events and links", limits.inside)
    take(_INSIDE * message.inside)
    return message


def of_protobuf(body: bytes) -> Message:
    """An ExportTraceServiceRequest in protobuf. Raises RefusedError if it is none."""

    def decode(foreign: Foreign) -> Iterator[Record]:
        return message_records(body, foreign)

    try:
        message = TracesData.FromString(body)
    except DecodeError:
        # One span that is not protobuf, or a text that is not UTF-8, does not spoil the others.
        return Message(_spans_in(body), 0, decode)
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
    inside = sum(len(span.events) + len(span.links) for part in parts for span in part.spans)
    return Message(count, inside, decode)


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

    spans = [span for element in elements for some in _spans_of(element) for span in some]
    if spans and not any(map(_is_span, spans)):
        raise malformed("these are no spans: none has ids or times")
    return Message(len(spans), sum(map(_inside, spans)), decode)


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


def _spans_of(element: Any) -> list[list[Any]]:
    """The spans of one of resourceSpans, by scope. Raises RefusedError where there can be none."""
    if not isinstance(element, dict):
        raise malformed("resourceSpans has something that is no object")
    parts = element.get("scopeSpans") or element.get("instrumentationLibrarySpans") or []
    if not isinstance(parts, list):
        raise malformed("scopeSpans is no list")
    found = []
    for part in parts:
        spans = part.get("spans") or [] if isinstance(part, dict) else None
        if not isinstance(spans, list):
            raise malformed("spans is no list")
        found.append(spans)
    return found


def _is_span(span: Any) -> bool:
    """Whether something says at least when it was, or which it is."""
    return isinstance(span, dict) and bool(
        span.get("startTimeUnixNano") or (span.get("traceId") and span.get("spanId"))
    )


def _inside(span: Any) -> int:
    """How many events and links a span has."""
    if not isinstance(span, dict):
        return 0
    told = span.get("events"), span.get("links")
    return sum(len(some) for some in told if isinstance(some, list))
