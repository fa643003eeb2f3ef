"""Spans as bytes, and requests put together of them: protobuf, or OTLP/JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from dnpcsql.otlp import json_codec, wire
from dnpcsql.otlp.incoming import Group
from dnpcsql.otlp.json_values import Json as Element
from dnpcsql.records import Resource, Scope, Told

Part = tuple[Resource, Scope, list[bytes]]
"""Encoded spans of one resource and scope."""


class Encoder(Protocol):
    """How a request is written."""

    content_type: str

    def span(self, told: Told) -> bytes:
        """One span."""

    def request(self, parts: Iterable[Part]) -> bytes:
        """A whole ExportTraceServiceRequest, which is a TracesData too."""


class Protobuf:
    """For gRPC and http/protobuf."""

    content_type = "application/x-protobuf"

    def span(self, told: Told) -> bytes:
        """A field of ScopeSpans."""
        return wire.span(told)

    def request(self, parts: Iterable[Part]) -> bytes:
        """Parsed back, it equals what the protobuf library makes."""
        return b"".join(wire.resource_spans(*part) for part in parts)


class Json:
    """For http/json and files."""

    content_type = "application/json"

    def span(self, told: Told) -> bytes:
        """An element of spans."""
        return _written(json_codec.encode_span(told))

    def request(self, parts: Iterable[Part]) -> bytes:
        """One line."""
        made = []
        for resource, scope, spans in parts:
            (element,) = json_codec.encode([Group(resource, scope, ())])
            element["scopeSpans"][0]["spans"] = []
            head, _, rest = _written(element).partition(b'"spans":[')
            made.append(head + b'"spans":[' + b",".join(spans) + rest)
        return b'{"resourceSpans":[' + b",".join(made) + b"]}"


def _written(element: Element) -> bytes:
    text = json.dumps(element, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
