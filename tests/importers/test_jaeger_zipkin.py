from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.importers import json_stream
from dnpcsql.otlp.attributes import from_text
from dnpcsql.store import Store
from tests.importers.test_bad_traces import problems

TRACE: dict[str, Any] = {
    "traceID": "abc",
    "spans": [
        {
            "traceID": "abc",
            "spanID": "1",
            "operationName": "root",
            "references": [{"refType": "FOLLOWS_FROM", "traceID": "ff", "spanID": "2"}],
            "startTime": 1706678909209712,
            "duration": 123,
            "flags": 1,
            "tags": [
                {"key": "span.kind", "type": "string", "value": "server"},
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "error", "type": "bool", "value": True},
                {"key": "otel.status_description", "type": "string", "value": "it broke"},
                {"key": "w3c.tracestate", "type": "string", "value": "a=b"},
                {"key": "otel.scope.name", "type": "string", "value": "lib"},
                {"key": "otel.scope.version", "type": "string", "value": "2"},
                {"key": "big", "type": "int64", "value": "9223372036854775222"},
                {"key": "half", "type": "float64", "value": 1},
                {"key": "blob", "type": "binary", "value": "AAAwOQ=="},
            ],
            "logs": [
                {
                    "timestamp": 1706678909209713,
                    "fields": [
                        {"key": "event", "type": "string", "value": "cache.miss"},
                        {"key": "key", "type": "string", "value": "k"},
                    ],
                },
                {"timestamp": 1706678909209714, "fields": [{"key": "x", "value": 3}]},
            ],
            "processID": "p1",
            "warnings": ["clock skew"],
        },
        {
            "traceID": "abc",
            "spanID": "2",
            "parentSpanID": "1",
            "operationName": "old",
            "startTime": 1706678909209712,
            "duration": 0,
            "process": {"serviceName": "inline", "tags": None},
        },
    ],
    "processes": {
        "p1": {"serviceName": "shop", "tags": [{"key": "ip", "type": "string", "value": "::1"}]}
    },
    "warnings": None,
}

FORMS = {
    "answer": json.dumps({"data": [TRACE], "total": 0, "errors": None}),
    "data is a trace": json.dumps({"data": TRACE}),
    "bare": json.dumps(TRACE),
    "array": json.dumps([TRACE]),
    "lines": json.dumps(TRACE) + "\n" + json.dumps({**TRACE, "spans": []}),
    "pretty": json.dumps({"data": [TRACE]}, indent=2),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", [json_stream.WINDOW, 10], ids=["whole", "walked through"])
def test_jaeger_in_all_forms(
    tmp_path: Path, store: Store, form: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("dnpcsql.importers.jaeger_json")
    monkeypatch.setattr(module, "WINDOW", window)
    monkeypatch.setattr(json_stream, "_CHUNK", 50)
    (tmp_path / "traces").write_text(FORMS[form])
    store.import_(tmp_path / "traces")
    assert problems(store) == {}
    columns = (
        "trace_id, span_id, substr(parent_uuid, 13), span.name, kind, start_unix_nano, "
        "end_unix_nano, status_code, status_message, trace_state, flags, resource.attributes, "
        "scope.name, scope.version"
    )
    rows = store.query(
        f"SELECT {columns} FROM span LEFT JOIN resource ON resource.id = resource_id "
        "LEFT JOIN scope ON scope.id = scope_id ORDER BY span_id"
    ).all()
    start = 1706678909209712000
    assert rows == [
        ("abc".zfill(32), "1".zfill(16), None, "root", 2, start, start + 123000, 2, "it broke",
         "a=b", 1, '{"service.name":"shop","ip":"::1"}', "lib", "2"),
        ("abc".zfill(32), "2".zfill(16), "1".zfill(16), "old", 0, start, start, None, None, None,
         None, '{"service.name":"inline"}', None, None),
    ]  # fmt: skip
    attributes = from_text(store.query("SELECT attributes FROM span WHERE kind = 2").value())
    assert attributes == {
        "big": 9223372036854775222,
        "half": 1.0,
        "blob": b"\x00\x00\x30\x39",
        "jaeger.warnings": ["clock skew"],
    }
    events = store.query("SELECT type, attributes FROM event ORDER BY line").all()
    assert events == [("cache.miss", '{"key":"k"}'), ("log", '{"x":3}')]
    assert store.query("SELECT trace_id, span_id FROM link").all() == [
        ("ff".zfill(32), "2".zfill(16))
    ]


@pytest.mark.parametrize(
    "odd", [7, None, {"tags": 3}, {"startTime": "noon"}, {"tags": [1]}, {"references": [[]]}]
)
def test_odd_spans_cost_themselves_only(tmp_path: Path, store: Store, odd: Any) -> None:
    trace = {**TRACE, "spans": [TRACE["spans"][0], odd, TRACE["spans"][1]]}
    (tmp_path / "traces").write_text(json.dumps(trace))
    store.import_(tmp_path / "traces")
    assert problems(store)["span not understood"] == 1
    assert store.query("SELECT count(*) FROM span").value() == 2


ZIPKIN = {
    "traceId": "1e223ff1f80f1c69",
    "parentId": "bf396325699c84bf",
    "id": "74280ae0c10d8062",
    "kind": "CLIENT",
    "name": "post",
    "timestamp": 1470150004074202,
    "duration": 94539,
    "localEndpoint": {"serviceName": "a", "ipv4": "127.0.0.1", "port": 80},
    "remoteEndpoint": {"serviceName": "b"},
    "tags": {"error": "it broke", "http.path": "/"},
    "annotations": [{"timestamp": 1470150004074203, "value": "cs"}],
    "debug": True,
}


@pytest.mark.parametrize("form", ["{}", "[{}]", "[[{}]]", "[\n  {}\n]\n", "{}\n"])
def test_zipkin_in_all_forms(tmp_path: Path, store: Store, form: str) -> None:
    (tmp_path / "traces").write_text(form.replace("{}", json.dumps(ZIPKIN)))
    store.import_(tmp_path / "traces")
    assert problems(store) == {}
    sql = (
        "SELECT trace_id, span_id, parent_uuid, kind, start_unix_nano, end_unix_nano, "
        "status_code, resource.attributes, event.type, time_unix_nano FROM span "
        "JOIN resource ON resource.id = resource_id JOIN event ON span_uuid = uuid"
    ).replace("span_uuid = uuid", "span_uuid = span.uuid")
    assert store.query(sql).all() == [
        ("0" * 16 + "1e223ff1f80f1c69", "74280ae0c10d8062", "3ff1f80f1c69bf396325699c84bf", 3,
         1470150004074202000, 1470150004168741000, 2, '{"service.name":"a"}', "cs",
         1470150004074203000)
    ]  # fmt: skip
    assert from_text(store.query("SELECT attributes FROM span").value()) == {
        "net.host.ip": "127.0.0.1",
        "net.host.port": 80,
        "peer.service": "b",
        "zipkin.debug": True,
        "error": "it broke",
        "http.path": "/",
    }


def test_zipkin_without_a_duration_and_odd_ones(tmp_path: Path, store: Store) -> None:
    open_span = {key: value for key, value in ZIPKIN.items() if key != "duration"}
    odd: list[Any] = [open_span, 7, {**ZIPKIN, "tags": 3}, {**ZIPKIN, "id": "5"}]
    (tmp_path / "traces").write_text(json.dumps(odd))
    store.import_(tmp_path / "traces")
    assert problems(store) == {"no time": 1, "span not understood": 2}
    assert store.query("SELECT end_unix_nano FROM span ORDER BY 1").all() == [
        (None,),
        (1470150004168741000,),
    ]
