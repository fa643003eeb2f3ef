"""Files of other people's exporters, and forms in which they come."""

from __future__ import annotations

import gzip
import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.errors import NotFoundError
from dnpcsql.importers import json_stream, unpacked
from dnpcsql.records import Span
from dnpcsql.store import Store
from tests.conftest import DATA, corpus, dump

OTLP = DATA / "otlp"

# In the package, these names are the importers'.
otlp_json = importlib.import_module("dnpcsql.importers.otlp_json")
otlp_protobuf = importlib.import_module("dnpcsql.importers.otlp_protobuf")

# The corpus's README: spans, traces, events, links; None where it does not say.
COUNTS: dict[str, tuple[int | None, ...]] = {
    "node_express_http.jsonl": (100, 20, 23, 19),
    "node_express_http.pb": (100, 20, None, None),
    "node_express_http_request.pb.gz": (64, 14, 15, 13),
    "node_express_grpc.pb": (75, 15, None, None),
    "node_express_grpc.len-prefixed.pb": (75, 15, None, None),
    "node_express.zipkin-v2.json": (75, 15, None, 0),
    "python_flask_sqlite_http.pb": (100, 25, 54, 24),
    "python_flask_sqlite_grpc.pb": (48, 12, None, None),
    "python_flask_fileexporter.jsonl": (80, 20, None, None),
    "python_flask_jsonhttp.jsonl": (40, 10, None, None),
    "otlp_spec_example_trace.json": (1, 1, 0, 0),
    "jaeger_otlp2jaeger_in.json": (2, 1, 0, 0),
    "jaeger_otlp2jaeger_out.jaeger.json": (2, 1, 0, 0),
    "jaegerui_otlp_multi_in.json": (4, 1, 0, 0),
    "jaegerui_otlp_multi_out.jaeger.json": (4, 1, 0, 0),
    "jaeger_ui_01.jaeger.json": (5, 1, 2, None),
    "jaegerui_testTraceNormal.jaeger.json": (5, 1, None, None),
    "duckdbotlp_otlp_traces.pb": (1, 1, 0, 0),
    "duckdbotlp_traces_deep_nesting.jsonl": (1, 1, 20, 10),
    "duckdbotlp_traces_nulls.jsonl": (3, 3, 0, 0),
    "zipkin_messaging_kafka.zipkin-v2.json": (28, 1, None, 0),
    "zipkin_skew.zipkin-v2.json": (4, 1, None, 0),
    "zipkin_smartthings_oauth.zipkin-v2.json": (175, 1, None, 0),
}


def counts(store: Store) -> tuple[int, ...]:
    return tuple(
        store.query(sql).value()
        for sql in (
            "SELECT count(*) FROM span",
            "SELECT count(DISTINCT trace_id) FROM span",
            "SELECT count(*) FROM event",
            "SELECT count(*) FROM link",
        )
    )


def problems(store: Store) -> dict[str, int]:
    rows = store.query("SELECT kind, sum(count) FROM problem GROUP BY kind")
    return dict(rows.all())


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_corpus_files_have_the_counts_of_its_readme(
    tmp_path: Path, store: Store, name: str
) -> None:
    path = OTLP / name if (OTLP / name).exists() else corpus("otlp") / name
    # Known by content: the name says nothing, but for what is unpacked by it.
    copy = tmp_path / ("data.gz" if name.endswith(".gz") else "data")
    shutil.copyfile(path, copy)
    store.import_(copy)
    for found, expected in zip(counts(store), COUNTS[name], strict=True):
        assert expected in (None, found)


def test_the_whole_corpus_in_any_order_is_the_same_database(tmp_path: Path) -> None:
    names = [name for name in sorted(COUNTS) if "smartthings" not in name]
    dumps = []
    for order in (names, names[::-1]):
        with Store(tmp_path / f"{order[0]}.sqlite3") as store:
            for name in order:
                store.import_(corpus("otlp") / name)
            dumps.append(dump(store))
    assert dumps[0] == dumps[1]


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OTLP / "python_flask_jsonhttp.jsonl").read_text())
    return found


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "one document": json.dumps,
    "pretty-printed": lambda it: json.dumps(it, indent=2),
    "with a byte order mark": lambda it: "\ufeff" + json.dumps(it),
    "JSON Lines": lambda it: "\n".join(
        json.dumps({"resourceSpans": [one]}) for one in it["resourceSpans"]
    ),
    "pretty-printed, one after another": lambda it: "\n".join(
        json.dumps({"resourceSpans": [one]}, indent=1) for one in it["resourceSpans"]
    ),
    "one after another": lambda it: "".join(
        json.dumps({"resourceSpans": [one]}) for one in it["resourceSpans"]
    ),
    "an array": lambda it: json.dumps([it]),
    "Jaeger's api v3": lambda it: json.dumps({"result": it}),
    "Jaeger's api v3, by lines": lambda it: "\n".join(
        json.dumps({"result": {"resourceSpans": [one]}}) for one in it["resourceSpans"]
    ),
    "other fields around": lambda it: json.dumps({"x": [{}], **it, "y": {"z": 1.5}}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", [json_stream.WINDOW, 100], ids=["whole", "walked through"])
def test_json_in_all_forms(
    tmp_path: Path, store: Store, form: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_json, "WINDOW", window)
    monkeypatch.setattr(json_stream, "_CHUNK", 1000)
    path = tmp_path / "traces"
    path.write_text(FORMS[form](document()), encoding="utf-8")
    store.import_(path)
    with Store(tmp_path / "plain.sqlite3") as plain:
        plain.import_(OTLP / "python_flask_jsonhttp.jsonl")
        assert spans_and_events(store) == spans_and_events(plain)
    assert counts(store)[:2] == (40, 10)
    assert problems(store) == {}


def spans_and_events(store: Store) -> tuple[list[Any], ...]:
    """All that is told, without the source and where in it."""
    span = ", ".join(name for name in Span._fields if name != "line")
    return tuple(
        sorted(store.query(sql).all(), key=repr)
        for sql in (
            "SELECT * FROM resource",
            "SELECT * FROM scope",
            f"SELECT {span} FROM span",
            "SELECT span_uuid, time_unix_nano, type, attributes FROM event",
            "SELECT span_uuid, linked_uuid, ordinal, attributes FROM link",
        )
    )


def framed(messages: list[bytes]) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def parts(content: bytes) -> list[bytes]:
    """The messages of a file of them, each behind its length."""
    found = []
    while content:
        end = 4 + int.from_bytes(content[:4], "big")
        found.append(content[4:end])
        content = content[end:]
    return found


@pytest.mark.parametrize("whole", [otlp_protobuf.WHOLE, 100], ids=["whole", "taken apart"])
def test_protobuf_in_all_forms(tmp_path: Path, whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    zstandard = pytest.importorskip("zstandard")
    content = (OTLP / "node_express_grpc.len-prefixed.pb").read_bytes()
    messages = parts(content)
    pack = zstandard.ZstdCompressor().compress
    texts = [document()]
    forms = {
        "one after another": b"".join(messages),
        "behind lengths": content,
        "gzip": gzip.compress(content),
        "gzip of one after another": gzip.compress(b"".join(messages)),
        "zstd": pack(content),
        "zstd messages": framed([pack(message) for message in messages]),
    }
    monkeypatch.setattr(otlp_protobuf, "WHOLE", whole)
    found = set()
    for form, data in forms.items():
        path = tmp_path / form
        path.write_bytes(data)
        with Store(tmp_path / f"{form}.sqlite3") as store:
            store.import_(path)
            assert problems(store) == {}, form
            found.add(repr(spans_and_events(store)))
            assert counts(store)[:2] == (75, 15), form
    assert len(found) == 1
    path = tmp_path / "json in zstd messages"
    path.write_bytes(framed([pack(json.dumps(text).encode()) for text in texts]))
    with Store(tmp_path / "json.sqlite3") as store:
        store.import_(path)
        assert counts(store)[:2] == (40, 10)


def test_zstd_without_zstandard_says_what_to_install(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "traces.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(json.dumps(document()).encode()))
    monkeypatch.setattr(unpacked, "_zstandard", lambda: None)
    (failed,) = store.import_(path).failed
    assert "pip install 'dnpcsql[zstd]'" in failed


def test_metrics_and_logs_are_not_traces(tmp_path: Path, store: Store) -> None:
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

    metrics = MetricsData()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name, metric.description = "sixteen letters!", "8 bytes."
    metric.gauge.data_points.add(as_int=1)
    logs = LogsData()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, severity_number=1)
    for name, message in (("metrics", metrics), ("logs", logs)):
        (tmp_path / name).write_bytes(message.SerializeToString())
        with pytest.raises(NotFoundError, match="nothing here that dnpcsql knows"):
            store.import_(tmp_path / name)


@pytest.mark.parametrize(
    ("otlp", "jaeger"),
    [
        ("jaeger_otlp2jaeger_in.json", "jaeger_otlp2jaeger_out.jaeger.json"),
        ("jaegerui_otlp_multi_in.json", "jaegerui_otlp_multi_out.jaeger.json"),
    ],
)
def test_what_jaeger_makes_of_otlp_reads_as_the_otlp_does(
    tmp_path: Path, otlp: str, jaeger: str
) -> None:
    sql = (
        "SELECT trace_id, span_id, substr(parent_uuid, 13), span.name, kind, "
        "start_unix_nano / 1000, abs(end_unix_nano / 1000 - :end) >= 0, span.attributes, "
        "nullif(status_code, 0), status_message, trace_state, resource.attributes, scope.name, "
        "scope.version FROM span LEFT JOIN resource ON resource.id = resource_id "
        "LEFT JOIN scope ON scope.id = scope_id ORDER BY 1, 2, 6"
    )
    found = []
    for name in (otlp, jaeger):
        with Store(tmp_path / f"{name}.sqlite3") as store:
            store.import_(corpus("otlp") / name)
            found.append(store.query(sql, end=0).all())
    assert found[0] == found[1]
