"""What an export by OTLP costs, against the SDK's own exporter in the same run.

    python benchmarks/export.py             100,000 spans of a Parsl run, and as many foreign
    python benchmarks/export.py --spans 20000 --rounds 3

The floor is opentelemetry-sdk's gRPC exporter, fed with ReadableSpans of the same spans, events,
links and attributes, built from rows that are in memory already; what dnpcsql does besides, to
read and fold the accounts, is in its own figure only. Both send to a receiver in another process
that throws away what it gets. CPU seconds of the sender, one after the other, the median of the
rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from opentelemetry.sdk.trace import ReadableSpan

import dnpcsql
from benchmarks import otlp
from benchmarks.generate import generate
from dnpcsql.exporters.outgoing import Outgoing
from dnpcsql.exporters.traces import Traces
from dnpcsql.identity import RUN_DIGITS, trace_id_of
from dnpcsql.otlp.attributes import from_text
from dnpcsql.otlp.incoming import Group
from dnpcsql.otlp.reading import Reader
from dnpcsql.records import Told

_SPANS_A_TASK = 6
_SDK_BATCH = 2_000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, _receiver() as endpoint:
        place = Path(scratch)
        for name, store in (
            ("Parsl run", _parsl(place, options.spans)),
            ("other programs' spans", _foreign(place, options.spans)),
        ):
            _compare(name, store, endpoint, options.rounds)


def _compare(name: str, store: dnpcsql.Store, endpoint: str, rounds: int) -> None:
    ours, floors = [], []
    spans = events = 0
    for _ in range(rounds):
        began = time.process_time()
        sent = store.export_otlp(endpoint=endpoint, protocol="grpc", trace_per="run").sent
        ours.append(time.process_time() - began)
        spans, events = sent.spans, sent.events
        floors.append(_sdk(_told(store), endpoint))
    cost, floor = statistics.median(ours), statistics.median(floors)
    print(f"{name}: {spans:,} spans, {events / spans:.1f} events a span")
    for what, took in (("export, reading and folding included", cost), ("SDK's exporter", floor)):
        print(f"  {what:<42}{took:10.2f} s CPU   {spans / took:,.0f} a CPU second")
    print(f"{'  export / SDK':<44}{cost / floor:10.2f}")


def _parsl(place: Path, spans: int) -> dnpcsql.Store:
    generate(place / "run", tasks=spans // _SPANS_A_TASK)
    store = dnpcsql.open(place / "parsl.sqlite3")
    store.import_(place / "run" / "runinfo")
    return store


def _foreign(place: Path, spans: int) -> dnpcsql.Store:
    otlp.write(place / "traces.pb", spans)
    store = dnpcsql.open(place / "foreign.sqlite3")
    store.import_(place / "traces.pb")
    return store


def _told(store: dnpcsql.Store) -> list[Group]:
    """All that the export sends, in memory."""
    connection = store.reading()
    groups: list[Group] = []
    for run in store.runs():
        trace_id = trace_id_of(run.id)
        traces = Traces(connection, trace_id, per_task=False)
        groups += Outgoing(connection).groups(traces)
    groups += Reader(connection).groups()
    return [Group(told, scope, list(spans)) for told, scope, spans in groups]


def _sdk(groups: Iterable[Group], endpoint: str) -> float:
    """CPU seconds of building ReadableSpans and of the exporter."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    prepared = [
        (from_text(told.attributes), scope, [_prepared(span) for span in spans])
        for told, scope, spans in groups
    ]
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=60)
    began = time.process_time()
    batch: list[ReadableSpan] = []
    for resource, scope, spans in prepared:
        batch += _readable(resource, scope.name or "", scope.version, spans)
        if len(batch) >= _SDK_BATCH:
            assert exporter.export(batch) is SpanExportResult.SUCCESS
            batch = []
    assert not batch or exporter.export(batch) is SpanExportResult.SUCCESS
    took = time.process_time() - began
    exporter.shutdown()
    return took


def _prepared(told: Told) -> tuple[Any, ...]:
    """Attributes as Python values, for that is what an instrumented program has."""
    return (
        told.span,
        from_text(told.span.attributes),
        [(event, from_text(event.attributes)) for event in told.events],
        [(link, from_text(link.attributes)) for link in told.links],
    )


def _readable(
    resource_attributes: Mapping[str, Any],
    scope_name: str,
    scope_version: str | None,
    spans: Iterable[tuple[Any, ...]],
) -> Iterator[ReadableSpan]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

    resource = Resource(resource_attributes)
    scope = InstrumentationScope(scope_name, scope_version)

    def context(trace_id: str, span_id: str) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(span_id, 16), False, TraceFlags(1))

    for span, attributes, events, links in spans:
        trace_id = span.trace_high + span.uuid[:RUN_DIGITS]
        yield ReadableSpan(
            span.name,
            context=context(trace_id, span.uuid[RUN_DIGITS:]),
            parent=context(trace_id, span.parent_uuid[RUN_DIGITS:]) if span.parent_uuid else None,
            resource=resource,
            attributes=attributes,
            events=[Event(event.type, more, event.time_unix_nano) for event, more in events],
            links=[Link(context(link.trace_id, link.span_id), more) for link, more in links],
            kind=SpanKind(max(0, (span.kind or 1) - 1)),
            status=Status(StatusCode(span.status_code or 0)),
            start_time=span.start_unix_nano,
            end_time=span.end_unix_nano,
            instrumentation_scope=scope,
        )


@contextlib.contextmanager
def _receiver() -> Iterator[str]:
    """A gRPC server in another process that throws away what it gets; its endpoint."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,))
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}"
    ours.send("stop")
    process.join()


def _serve(pipe: Connection) -> None:
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")

    unlimited = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()], options=unlimited)
    pipe.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    pipe.recv()
    server.stop(None)


if __name__ == "__main__":
    main()
