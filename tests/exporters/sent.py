"""What an export sent, span by span, and what must be true of it in any Jaeger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from dnpcsql.exporters.otlp import Export
from dnpcsql.exporters.traces import TracePer
from dnpcsql.store import Store


class Sent(NamedTuple):
    """A span, and the attributes of its resource."""

    span: Span
    resource: dict[str, str]

    @property
    def attributes(self) -> dict[str, object]:
        return values(self.span.attributes)


def values(pairs: Sequence[KeyValue]) -> dict[str, object]:
    """Attributes whose values are plain."""
    found: dict[str, object] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        found[pair.key] = getattr(pair.value, kind) if kind else None
    return found


def export(
    store: Store, place: Path, *runs: str, trace_per: TracePer = "run", where: str | None = None
) -> tuple[Export, list[Sent]]:
    """Export to a file, and read it back by the protobuf library."""
    path = place / "sent.pb"
    done = store.export_otlp(*runs, trace_per=trace_per, where=where, output=path)
    return done, list(read(path))


def read(path: Path) -> Iterator[Sent]:
    """The spans of a file of protobuf messages."""
    for of_resource in TracesData.FromString(path.read_bytes()).resource_spans:
        resource = {
            key: str(value) for key, value in values(of_resource.resource.attributes).items()
        }
        for part in of_resource.scope_spans:
            for span in part.spans:
                yield Sent(span, resource)


def faults(sent: list[Sent]) -> Counter[str]:
    """What Jaeger would draw wrong, or not at all."""
    found: Counter[str] = Counter()
    traces: dict[bytes, dict[bytes, Span]] = defaultdict(dict)
    for span, resource in sent:
        found["span twice"] += span.span_id in traces[span.trace_id]
        traces[span.trace_id][span.span_id] = span
        found["no host.name"] += not resource.get("host.name")
        found["no service.name"] += not resource.get("service.name")
        found["no service.instance.id"] += not resource.get("service.instance.id")
        found["no name"] += not span.name
        found["no start"] += not span.start_time_unix_nano
        found["end before start"] += span.end_time_unix_nano < span.start_time_unix_nano
        found["event without source"] += sum(
            "dnpc.source" not in values(event.attributes) for event in span.events
        )
    for spans in traces.values():
        for span in spans.values():
            if span.parent_span_id:
                found["missing parent"] += span.parent_span_id not in spans
                found["cycle"] += _goes_round(span, spans)
            for link in span.links:
                own = link.trace_id == span.trace_id
                found["link to itself"] += own and link.span_id == span.span_id
                found["root with a link that looks like a parent"] += (
                    own and not span.parent_span_id
                )
                found["link elsewhere to an id of its own trace"] += (
                    not own and link.span_id in spans
                )
                found["link to nothing"] += link.span_id not in traces.get(link.trace_id, {})
    return +found


def _goes_round(span: Span, spans: dict[bytes, Span]) -> bool:
    seen = set()
    at: Span | None = span
    while at is not None and at.parent_span_id:
        if at.span_id in seen:
            return True
        seen.add(at.span_id)
        at = spans.get(at.parent_span_id)
    return False
