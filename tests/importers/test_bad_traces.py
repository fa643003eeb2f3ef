"""Files that are damaged, odd or hostile: problems are counted, and nothing of the rest is lost."""

from __future__ import annotations

import gzip
import importlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from dnpcsql import archives
from dnpcsql.importers import unpacked
from dnpcsql.otlp.reading import Reader, foreign_traces
from dnpcsql.store import Store
from tests.conftest import DATA

OTLP = DATA / "otlp"
TRACE = "0af7651916cd43dd8448eb211c80319c"
NOW = 1_795_331_483_000_000_000


def a_span(number: int = 1, **fields: Any) -> dict[str, Any]:
    made = {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "it",
        "kind": 1,
        "startTimeUnixNano": str(NOW),
        "endTimeUnixNano": str(NOW + 1),
    }
    return {name: value for name, value in {**made, **fields}.items() if value is not ...}


def a_document(*spans: Any) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})


def imported(store: Store, folder: Path, content: str | bytes, name: str = "traces") -> None:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    assert store.import_(path).failed == []


def problems(store: Store) -> dict[str, int]:
    return dict(store.query("SELECT kind, sum(count) FROM problem GROUP BY kind").all())


def one(store: Store, sql: str) -> Any:
    return store.query(sql).value()


# --- one odd span among good ones

ODD: dict[str, tuple[dict[str, Any], dict[str, int], str, Any]] = {
    "a kind by name": (
        {"kind": "SPAN_KIND_CLIENT"}, {"enum by name": 1}, "kind", 3,
    ),
    "a status by name": (
        {"status": {"code": "STATUS_CODE_ERROR", "message": "no"}},
        {"enum by name": 1}, "status_code || status_message", "2no",
    ),
    "no span id": ({"spanId": ...}, {"no span id": 1}, "length(span_id)", 16),
    "an empty trace id": ({"traceId": ""}, {"no trace id": 1}, "length(trace_id)", 32),
    "a trace id of zeros": (
        {"traceId": "0" * 32}, {"trace id of zeros": 1}, "trace_id <> :zeros", 1,
    ),
    "a span id that is no hex": (
        {"spanId": "not hexadecimal!"}, {"bad span id": 1}, "length(span_id)", 16,
    ),
    "an id in base64": (
        {"traceId": "Cvdlka/NQ92ESOshHIAxnA=="}, {"trace id in base64": 1},
        "trace_id", "0af76591afcd43dd8448eb211c80319c",
    ),
    "upper-case ids": ({"traceId": TRACE.upper()}, {}, "trace_id", TRACE),
    "a bad parent": (
        {"parentSpanId": "xyz"}, {"bad parent span id": 1}, "parent_uuid IS NULL", 1,
    ),
    "end before start": (
        {"endTimeUnixNano": str(NOW - 5)}, {"end before start": 1},
        "end_unix_nano - start_unix_nano", -5,
    ),
    "a start of zero": (
        {"startTimeUnixNano": 0}, {"no time": 1}, "start_unix_nano IS NULL", 1,
    ),
    "times beyond 2^63": (
        {"startTimeUnixNano": str(2**64 - 2), "endTimeUnixNano": str(2**64 - 1)},
        {"time out of range": 2}, "start_unix_nano", -2,
    ),
    "an event of no time": (
        {"events": [{"name": "e"}]}, {"no time": 1},
        "(SELECT time_unix_nano FROM event)", 0,
    ),
    "a count of -1": (
        {"droppedAttributesCount": -1}, {"count out of range": 1},
        "dropped_attributes_count", 2**32 - 1,
    ),
    "a key told twice": (
        {"attributes": [{"key": "a", "value": {"intValue": number}} for number in (1, 2)]},
        {"key told twice": 1}, "attributes", '{"a":2}',
    ),
    "an integer of 65 bits": (
        {"attributes": [{"key": "a", "value": {"intValue": str(2**64)}}]},
        {"value not understood": 1}, "attributes", '{"a":"18446744073709551616"}',
    ),
    "half a surrogate pair": (
        {"name": "a\ud800b"}, {"not Unicode": 1}, "name", "a\ufffd\ufffd\ufffdb",
    ),
    "attributes that are no list": (
        {"attributes": {"a": 1}}, {"not a list": 1}, "attributes IS NULL", 1,
    ),
    "its own parent": (
        {"parentSpanId": f"{99:016x}"}, {},
        "(SELECT count(*) FROM subspan)", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_an_odd_span_is_kept_and_told_of(tmp_path: Path, store: Store, case: str) -> None:
    fields, told, sql, expected = ODD[case]
    odd = a_span(99, **{"name": "odd", **fields})
    imported(store, tmp_path, a_document(a_span(1), odd, a_span(2)))
    assert problems(store) == told
    assert one(store, "SELECT count(*) FROM span") == 3
    found = store.query(
        f"SELECT {sql} FROM span WHERE line = 2 AND :zeros > ''", zeros="0" * 32
    ).value()
    assert found == expected


@pytest.mark.parametrize("odd", [7, None, "text", [], {"startTimeUnixNano": "noon"}, {"kind": []}])
def test_what_is_no_span_is_left_out(tmp_path: Path, store: Store, odd: Any) -> None:
    imported(store, tmp_path, a_document(a_span(1), odd, a_span(2)))
    assert problems(store)["span not understood"] == 1
    assert one(store, "SELECT count(*) FROM span") == 2
    assert one(store, "SELECT records - understood FROM source") == 1


def test_spans_without_trace_ids_stay_a_tree(tmp_path: Path, store: Store) -> None:
    spans = [a_span(1, traceId=...), a_span(2, traceId="", parentSpanId=f"{1:016x}")]
    imported(store, tmp_path, a_document(*spans))
    assert one(store, "SELECT count(*) FROM subspan JOIN span ON uuid = superspan_uuid") == 1


# --- damage


@pytest.mark.parametrize(
    ("good", "bad", "kind"),
    [
        ('"name": "it"', '"name": it', "span not understood"),
        ('"name": "it"', '"name": "it', "malformed JSON"),
        ('"scopeSpans": [', '"scopeSpans": ', "malformed JSON"),
    ],
)
def test_a_damaged_line_costs_itself_only(
    tmp_path: Path, store: Store, good: str, bad: str, kind: str
) -> None:
    lines = [a_document(a_span(number)) for number in range(1, 4)]
    lines[1] = lines[1].replace(good, bad)
    imported(store, tmp_path, "\n".join(lines))
    assert problems(store)[kind] == 1
    assert one(store, "SELECT group_concat(span_id) FROM span") == f"{1:016x},{3:016x}"


@pytest.mark.parametrize(
    ("good", "bad", "kind"),
    [("]", "}", "malformed JSON"), ('"spans": [', '"spans": [,', "span not understood")],
)
def test_spans_before_and_behind_the_damage_are_kept(
    tmp_path: Path, store: Store, good: str, bad: str, kind: str
) -> None:
    lines = [a_document(a_span(number)) for number in range(1, 4)]
    lines[1] = lines[1].replace(good, bad)
    imported(store, tmp_path, "\n".join(lines))
    assert problems(store) == {kind: 1}
    assert one(store, "SELECT count(*) FROM span") == 3


def test_a_string_without_an_end_does_not_take_the_rest(tmp_path: Path, store: Store) -> None:
    lines = [a_document(a_span(number)) for number in range(1, 4)]
    lines[1] = lines[1].replace('"kind": 1,', '"kind": "1,')
    imported(store, tmp_path, "\n".join(lines))
    assert one(store, "SELECT group_concat(span_id) FROM span") == f"{1:016x},{3:016x}"


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.3])
def test_a_document_that_was_cut_keeps_its_spans(tmp_path: Path, store: Store, kept: float) -> None:
    text = a_document(*[a_span(number) for number in range(1, 101)])
    imported(store, tmp_path, text[: int(len(text) * kept)])
    assert problems(store) == {"malformed JSON": 1}
    assert abs(one(store, "SELECT count(*) FROM span") - 100 * kept) < 2


def test_deep_nesting_costs_its_span_only(tmp_path: Path, store: Store) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    text = a_document(a_span(1), "DEEP", a_span(2)).replace('"DEEP"', deep)
    imported(store, tmp_path, text)
    assert problems(store) == {"span not understood": 1}
    assert one(store, "SELECT count(*) FROM span") == 2


def test_bytes_that_are_no_utf8_are_replaced(tmp_path: Path, store: Store) -> None:
    text = a_document(a_span(1, name="XX"), a_span(2, name="ü")).encode()
    imported(store, tmp_path, text.replace(b"XX", b"\xff\xfe"))
    assert problems(store) == {"not Unicode": 1}
    assert one(store, "SELECT count(*) FROM span") == 2


def traces(*spans: Span) -> TracesData:
    data = TracesData()
    data.resource_spans.add().scope_spans.add().spans.extend(spans)
    return data


def span(number: int, **fields: Any) -> Span:
    return Span(
        trace_id=bytes.fromhex(TRACE),
        span_id=number.to_bytes(8, "big"),
        start_time_unix_nano=NOW,
        end_time_unix_nano=NOW + 1,
        **fields,
    )


def test_protobuf_that_was_cut_keeps_its_spans(tmp_path: Path, store: Store) -> None:
    content = traces(*[span(number, name="it") for number in range(1, 101)]).SerializeToString()
    imported(store, tmp_path, content[:-10])
    assert problems(store) == {"cut off": 2}
    assert one(store, "SELECT count(*) FROM span") == 99


def test_a_message_behind_its_length_that_was_cut(tmp_path: Path, store: Store) -> None:
    message = traces(span(1, name="it")).SerializeToString()
    last = traces(span(2), span(3)).SerializeToString()
    framed = [len(one).to_bytes(4, "big") + one for one in (message, last)]
    imported(store, tmp_path, b"".join(framed)[:-10])
    assert one(store, "SELECT count(*) FROM span") == 2
    assert problems(store)["cut off"] > 0


def test_a_span_whose_text_is_no_utf8_costs_itself_only(tmp_path: Path, store: Store) -> None:
    content = traces(span(1, name="one"), span(2, name="two"), span(3, name="six"))
    imported(store, tmp_path, content.SerializeToString().replace(b"two", b"\xff\xff\xff"))
    assert problems(store) == {"span not understood": 1}
    assert one(store, "SELECT group_concat(name) FROM span") == "one,six"


def test_protobuf_followed_by_something_else(tmp_path: Path, store: Store) -> None:
    imported(store, tmp_path, traces(span(1)).SerializeToString() + b"\x0f\x0f and text")
    assert problems(store) == {"malformed protobuf": 1}
    assert one(store, "SELECT count(*) FROM span") == 1


def test_odd_ids_and_times_in_protobuf(tmp_path: Path, store: Store) -> None:
    odd = Span(trace_id=b"\0" * 16, span_id=b"abc", parent_span_id=b"ab", name="odd")
    odd.start_time_unix_nano = 2**64 - 1
    odd.events.add(name="late", time_unix_nano=2**63)
    odd.links.add(trace_id=b"x")
    imported(store, tmp_path, traces(span(1), odd).SerializeToString())
    assert problems(store) == {
        "trace id of zeros": 1,
        "short span id": 1,
        "short parent span id": 1,
        "no time": 1,
        "time out of range": 2,
        "short linked trace id": 1,
        "no linked span id": 1,
    }
    reader = Reader(store.reading())
    back = [
        told
        for trace in foreign_traces(store.reading())
        for group in reader.groups(trace)
        for told in group.spans
        if told.span.name == "odd"
    ]
    assert len(back) == 1
    assert back[0].events[0].time_unix_nano == -(2**63)
    assert one(store, "SELECT trace_id FROM link") == b"x".hex()


def test_before_2022_spans_stood_elsewhere(tmp_path: Path, store: Store) -> None:
    text = a_document(a_span(1)).replace("scopeSpans", "instrumentationLibrarySpans")
    old = ResourceSpans()
    old.scope_spans.add().spans.append(span(2))
    part = old.scope_spans[0].SerializeToString()
    # Field 1000 of ResourceSpans.
    inside = b"\xc2\x3e" + bytes([len(part)]) + part
    imported(store, tmp_path, text, "old.json")
    imported(store, tmp_path, b"\x0a" + bytes([len(inside)]) + inside, "old.pb")
    assert one(store, "SELECT count(*) FROM span") == 2
    assert problems(store) == {}


# --- what is not OTLP, though it looks so


def test_a_console_exporters_dump_is_named_as_such(tmp_path: Path, store: Store) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    path = tmp_path / "console.json"
    with path.open("w") as out:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
        provider.get_tracer("it").start_span("work").end()
        provider.shutdown()
    (failed,) = store.import_(path).failed
    assert "ConsoleSpanExporter" in failed
    assert "not OTLP" in failed


# --- size


def test_a_gzip_bomb_is_refused(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = gzip.compress(traces(span(1)).SerializeToString() + b"\0" * (8 << 20))
    for module, small, ratio in (
        (unpacked, "SMALL", "RATIO"),
        (archives, "GZIP_SMALL", "GZIP_RATIO"),
    ):
        monkeypatch.setattr(module, small, 1 << 20)
        monkeypatch.setattr(module, ratio, 20)
    for name in ("bomb", "other.gz"):
        (tmp_path / name).write_bytes(bomb)
    (tmp_path / "traces").write_bytes(traces(span(1)).SerializeToString())
    failed = store.import_(tmp_path).failed
    assert len(failed) == 2
    assert all("unpacks to more than" in text for text in failed)
    assert one(store, "SELECT count(*) FROM span") == 1


def test_large_attributes_and_many_of_them(tmp_path: Path, store: Store) -> None:
    large = {"key": "large", "value": {"stringValue": "x" * 10_000_000}}
    many = [{"key": f"k{number}", "value": {"intValue": number}} for number in range(100_000)]
    imported(store, tmp_path, a_document(a_span(1, attributes=[large]), a_span(2, attributes=many)))
    assert problems(store) == {}
    assert one(store, "SELECT length(attributes) FROM span WHERE line = 1") > 10_000_000
    assert one(store, "SELECT json_extract(attributes, '$.k99999') FROM span WHERE line = 2") == (
        99_999
    )


def test_a_chain_of_10_000_and_a_cycle_of_links(tmp_path: Path, store: Store) -> None:
    chain = [
        span(number, parent_span_id=(number - 1).to_bytes(8, "big") if number > 1 else b"")
        for number in range(1, 10_001)
    ]
    for number, other in ((1, 2), (2, 3), (3, 1)):
        chain[number - 1].links.add(trace_id=bytes.fromhex(TRACE), span_id=other.to_bytes(8, "big"))
    cycle = [span(20_001), span(20_002)]
    cycle[0].parent_span_id, cycle[1].parent_span_id = cycle[1].span_id, cycle[0].span_id
    imported(store, tmp_path, traces(*chain, *cycle).SerializeToString())
    assert one(store, "SELECT count(*) FROM subspan") == 9_999 + 2
    depth = (
        "WITH RECURSIVE below(uuid, depth) AS (SELECT uuid, 1 FROM span WHERE parent_uuid IS NULL "
        "UNION SELECT subspan_uuid, depth + 1 FROM below JOIN subspan ON superspan_uuid = uuid) "
        "SELECT max(depth) FROM below"
    )
    assert one(store, depth) == 10_000
    assert one(store, "SELECT count(*) FROM link JOIN span ON uuid = linked_uuid") == 3


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_memory_does_not_grow_with_a_document(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document of one resource and one scope, in which all spans are."""
    monkeypatch.setattr(importlib.import_module("dnpcsql.importers.otlp_json"), "WINDOW", 1 << 20)
    protobuf = importlib.import_module("dnpcsql.importers.otlp_protobuf")
    monkeypatch.setattr(protobuf, "WHOLE", 1 << 20)
    peaks = []
    for count in (8_000, 32_000):
        path = tmp_path / f"{form}-{count}"
        if form == "json":
            text = json.dumps(a_span(1, name="x" * 300))
            with path.open("w") as file:
                file.write('{"resourceSpans":[{"scopeSpans":[{"spans":[')
                for number in range(1, count + 1):
                    file.write("," * (number > 1))
                    file.write(text.replace(f"{1:016x}", f"{number:016x}"))
                file.write('],"schemaUrl":"s"}]}]}')
        else:
            many = [span(number, name="x" * 300) for number in range(1, count + 1)]
            path.write_bytes(traces(*many).SerializeToString())
            del many
        with Store(tmp_path / f"{form}-{count}.sqlite3") as store:
            tracemalloc.start()
            store.import_(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert one(store, "SELECT count(*) FROM span") == count
    assert peaks[1] < peaks[0] * 1.3, f"{peaks}"
