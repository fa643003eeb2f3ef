"""OTLP in → database → OTLP out gives the same spans, field by field."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from dnpcsql.otlp import json_codec, protobuf_codec, wire
from dnpcsql.otlp.fields import Held, fields
from dnpcsql.otlp.incoming import Group, Incoming
from dnpcsql.otlp.reading import Reader, foreign_traces
from dnpcsql.store import Store
from tests.conftest import DATA, corpus
from tests.otlp.messages import groups_of, resource_spans

Told: TypeAlias = tuple[bytes, str, bytes, str, bytes]

FILES = ("python_flask_jsonhttp.jsonl", "python_flask_sqlite_grpc.pb",
         "node_express_grpc.len-prefixed.pb", "node_express_http_request.pb.gz")  # fmt: skip
MORE = ("node_express_http.jsonl", "node_express_http.pb", "python_flask_fileexporter.jsonl",
        "python_flask_sqlite_http.pb", "otlp_spec_example_trace.json",
        "jaegerui_otlp_multi_in.json", "jaeger_otlp2jaeger_in.json",
        "duckdbotlp_otlp_traces.pb", "duckdbotlp_traces_nulls.jsonl")  # fmt: skip


def written(store: Store) -> list[Group]:
    reader = Reader(store.reading())
    return [group for trace in foreign_traces(store.reading()) for group in reader.groups(trace)]


def spans_of(messages: Iterable[ResourceSpans]) -> list[Told]:
    """Each span in bytes, with all that is said of its resource and scope, in any order."""
    return sorted(
        (
            message.resource.SerializeToString(deterministic=True),
            message.schema_url,
            part.scope.SerializeToString(deterministic=True),
            part.schema_url,
            _without_empty(span).SerializeToString(deterministic=True),
        )
        for message in messages
        for part in message.scope_spans
        for span in part.spans
    )


def _without_empty(span: Span) -> Span:
    """A status that says nothing is as none."""
    if span.HasField("status") and not span.status.SerializeToString():
        span.ClearField("status")
    return span


def parsed(path: Path) -> list[ResourceSpans]:
    """What is in a file, by the protobuf library or the json module alone."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if content[:1] == b"\n":
        return list(TracesData.FromString(content).resource_spans)
    if content[:1] == b"\0":
        messages: list[ResourceSpans] = []
        while content:
            end = 4 + int.from_bytes(content[:4], "big")
            messages += TracesData.FromString(content[4:end]).resource_spans
            content = content[end:]
        return messages
    text = content.decode()
    documents = [json.loads(text)] if "\n  " in text else map(json.loads, text.splitlines())
    return [message_of(element) for found in documents for element in found["resourceSpans"]]


def message_of(element: dict[str, Any]) -> ResourceSpans:
    (message,) = protobuf_codec.encode(
        group._replace(spans=list(group.spans)) for group in json_codec.decode(element, Incoming())
    )
    return message


@pytest.mark.parametrize("name", [*FILES, *MORE])
def test_files_come_out_as_they_went_in(store: Store, name: str) -> None:
    path = (DATA / "otlp" if name in FILES else corpus("otlp")) / name
    store.import_(path)
    expected = spans_of(parsed(path))
    groups = written(store)
    assert spans_of(protobuf_codec.encode(groups)) == expected
    data = b"".join(wire.encode(groups))
    assert spans_of(TracesData.FromString(data).resource_spans) == expected
    text = json.dumps(list(json_codec.encode(groups)))
    assert spans_of(map(message_of, json.loads(text))) == expected


@given(messages=st.lists(resource_spans, max_size=2))
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_spans_come_out_as_they_went_in(tmp_path: Path, messages: list[ResourceSpans]) -> None:
    tmp_path.joinpath("it.sqlite3").unlink(missing_ok=True)
    with Store(tmp_path / "it.sqlite3") as store:
        store.add(
            record for group in groups_of(messages) for record in (*_named(group), *group.spans)
        )
        assert spans_of(protobuf_codec.encode(written(store))) == spans_of(messages)


def _named(group: Group) -> list[Any]:
    return [row for row in (group.resource, group.scope) if row.id]


@pytest.mark.parametrize("protocol", ["protobuf", "json"])
def test_what_was_written_is_read_again_into_the_same_rows(
    tmp_path: Path, store: Store, protocol: str
) -> None:
    store.import_(DATA / "otlp" / "python_flask_sqlite_grpc.pb")
    groups = written(store)
    again = tmp_path / "again"
    if protocol == "json":
        again.write_text(json.dumps({"resourceSpans": list(json_codec.encode(groups))}))
    else:
        again.write_bytes(b"".join(wire.encode(groups)))
    with Store(tmp_path / "again.sqlite3") as other:
        other.import_(again)
        assert other.query("SELECT sum(problems) FROM source").value() == 0
        for sql in (_SPANS, _EVENTS, "SELECT * FROM resource", "SELECT * FROM scope"):
            assert sorted(other.query(sql).all()) == sorted(store.query(sql).all())


_SPANS = (
    "SELECT uuid, parent_uuid, name, kind, start_unix_nano, end_unix_nano, attributes, flags, "
    "resource_id, scope_id FROM span"
)
_EVENTS = "SELECT span_uuid, time_unix_nano, type, attributes FROM event"


def test_fields_are_found_without_decoding() -> None:
    content = (DATA / "otlp" / "python_flask_sqlite_grpc.pb").read_bytes()
    found = list(fields(Held(content), 0, len(content)))
    assert len(found) == len(TracesData.FromString(content).resource_spans)
    assert found[-1].end == len(content)
