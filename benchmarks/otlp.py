"""What an import of OTLP protobuf costs, against a floor stated in the same run.

    python benchmarks/otlp.py                20,000 spans with 4 events each
    python benchmarks/otlp.py --spans 100000

The floor is to parse the same bytes with the protobuf library, walk the messages into tuples, and
`executemany` the rows that the import made, from memory, into the same tables and indexes. CPU
seconds; floor and import in turn, the median of the rounds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

import dnpcsql
from benchmarks.floor import rows_of
from dnpcsql import database

BATCH = 500
BEGAN = 1_795_331_483_000_000_000
TABLES = ("span", "event", "link", "subspan", "resource", "scope")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        traces = place / "traces.pb"
        write(traces, options.spans)
        imports, floors = [], []
        for number in range(options.rounds):
            made = place / f"import-{number}.sqlite3"
            imports.append(_import(traces, made))
            floors.append(_floor(traces, made, place / f"floor-{number}.sqlite3"))
        cost = statistics.median(imports)
        parts = [statistics.median(part) for part in zip(*floors, strict=True)]
        size = made.stat().st_size
    print(f"{'import':<44}{cost:10.2f} s CPU   {options.spans / cost:,.0f} spans a CPU second")
    print(f"{'parse and walk':<44}{parts[0]:10.2f} s CPU")
    print(f"{'executemany of the same rows':<44}{parts[1]:10.2f} s CPU")
    print(f"{'import / (parse, walk and executemany)':<44}{cost / sum(parts):10.2f}")
    print(f"{'database, bytes a span':<44}{size / options.spans:10.0f}")


def write(path: Path, spans: int, seed: int = 1) -> None:
    """A file of many requests, one after another."""
    rng = random.Random(seed)
    with path.open("wb") as file:
        for first in range(0, spans, BATCH):
            file.write(_request(rng, min(BATCH, spans - first), first).SerializeToString())


def _request(rng: random.Random, spans: int, first: int) -> TracesData:
    request = TracesData()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.append(_pair("service.name", "shop"))
    part = of_resource.scope_spans.add()
    part.scope.name = "shop"
    trace_id = parent_id = b""
    for number in range(spans):
        if number % 20 == 0:
            trace_id, parent_id = rng.randbytes(16), b""
        span_id = rng.randbytes(8)
        part.spans.append(_span(rng, trace_id, span_id, parent_id, first + number))
        parent_id = parent_id or span_id
    return request


def _span(
    rng: random.Random, trace_id: bytes, span_id: bytes, parent_id: bytes, number: int
) -> Span:
    start = BEGAN + number * 1_000_000
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_id,
        name=f"GET /item/{number % 7}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=start,
        end_time_unix_nano=start + rng.randrange(10**9),
        attributes=[_pair(f"http.attribute.{index}", f"value {index}") for index in range(6)],
    )
    span.attributes.append(_pair("app.item.id", number))
    span.attributes.append(_pair("app.price", number / 7))
    for index in range(4):
        event = span.events.add(time_unix_nano=start + index, name=f"step {index}")
        event.attributes.append(_pair("cache.key", f"item:{number}"))
    if number % 10 == 0:
        span.links.add(trace_id=rng.randbytes(16), span_id=rng.randbytes(8))
    span.status.code = 1  # type: ignore[assignment]  # STATUS_CODE_OK
    return span


def _pair(key: str, value: str | float) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, str):
        pair.value.string_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.double_value = value
    return pair


def _import(traces: Path, made: Path) -> float:
    with dnpcsql.open(made) as store:
        store.writing()
        began = time.process_time()
        store.import_(traces)
        return time.process_time() - began


def _floor(traces: Path, made: Path, target: Path) -> tuple[float, float]:
    """Seconds to parse and walk, and to insert."""
    content = traces.read_bytes()
    began = time.process_time()
    for _ in walk(content):
        pass
    walked = time.process_time() - began
    with dnpcsql.open(made) as store:
        rows = [rows_of(store.reading(), table) for table in TABLES]
    connection = database.connect(target, write=True)
    began = time.process_time()
    with database.transaction(connection):
        for statement, values in rows:
            connection.executemany(statement, values)
    inserted = time.process_time() - began
    connection.close()
    return walked, inserted


def walk(content: bytes) -> Iterator[tuple[Any, ...]]:
    """All that OTLP says of each span, as tuples and dicts, a request at a time."""
    from dnpcsql.otlp.fields import Held, fields

    data = Held(content)
    for field in fields(data, 0, len(content)):
        request = TracesData.FromString(data.get(field.start, field.end))
        for of_resource in request.resource_spans:
            told = _values(of_resource.resource.attributes), of_resource.schema_url
            for part in of_resource.scope_spans:
                by = part.scope.name, part.scope.version, part.schema_url
                for span in part.spans:
                    yield (*told, *by, *_walk_span(span))


def _walk_span(span: Span) -> tuple[Any, ...]:
    return (
        span.trace_id, span.span_id, span.parent_span_id, span.trace_state, span.flags,
        span.name, span.kind, span.start_time_unix_nano, span.end_time_unix_nano,
        span.status.code, span.status.message, _values(span.attributes),
        span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count,
        [
            (event.time_unix_nano, event.name, _values(event.attributes),
             event.dropped_attributes_count)
            for event in span.events
        ],
        [
            (link.trace_id, link.span_id, link.trace_state, link.flags, _values(link.attributes),
             link.dropped_attributes_count)
            for link in span.links
        ],
    )  # fmt: skip


def _values(pairs: Any) -> dict[str, Any]:
    values = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        values[pair.key] = getattr(pair.value, kind) if kind else None
    return values


if __name__ == "__main__":
    main()
