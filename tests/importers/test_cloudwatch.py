"""Exports of AWS CloudWatch Logs, in every form that Amazon's tools write."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.importers import Context
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.choice import Choice
from dnpcsql.importers.cloudwatch import cloudwatch
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.records import Event, Problem, Record, Span, Tally
from dnpcsql.store import Store
from tests import funcx_samples as samples
from tests.funcx_samples import BEGAN, CLOUD, ENDPOINT, GROUP, SEVEN

UUID = names.task(names.CLOUD, SEVEN)
WAY = [
    ("funcx_web_service-received", 1.7),
    ("funcx_forwarder.forwarder-dispatched_to_endpoint", 2.5),
    ("execution_start", 5.2),
    ("execution_end", 6.6),
    ("funcx_forwarder.forwarder-result_enqueued", 8.2),
    ("funcx_websocket_service.server-dispatched_to_user", 8.5),
]
# The records themselves, without what Fluentd puts around them.
BARE = [(time, json.loads(message)["log"].strip()) for time, message in CLOUD]


def as_csv(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue()


def milliseconds(time: str) -> int:
    """'2022-08-03 09:26:36.100' of the samples' day."""
    hours, minutes, seconds = time.split(" ")[1].split(":")
    since = (int(hours) - 9) * 3600 + (int(minutes) - 26) * 60 + float(seconds) - 34
    return round((BEGAN + since) * 1000)


FORMS: dict[str, str] = {
    "get-query-results": samples.insights_json(),
    "pretty": json.dumps(json.loads(samples.insights_json()), indent=2),
    "two documents": samples.insights_json(CLOUD[:2]) + "\n" + samples.insights_json(CLOUD[2:]),
    "results alone": json.dumps(json.loads(samples.insights_json())["results"]),
    "Insights JSON": json.dumps([{"@timestamp": t, "@message": m} for t, m in CLOUD]),
    "Insights JSON, decoded": json.dumps(
        [{"@timestamp": t, "@message": json.loads(m)} for t, m in CLOUD]
    ),
    "records without Fluentd": samples.insights_json(BARE),
    "filter-log-events": json.dumps(
        {
            "events": [
                {
                    "logStreamName": "funcx/pod-1",
                    "timestamp": milliseconds(t),
                    "message": m,
                    "ingestionTime": milliseconds(t) + 40,
                    "eventId": "3619",
                }
                for t, m in CLOUD
            ],
            "searchedLogStreams": [],
        }
    ),
    "Insights CSV": as_csv(("@timestamp", "@message"), [(t, m) for t, m in CLOUD]),
    "Insights CSV, message first": as_csv(("@ptr", "@message"), [("Cn", m) for _, m in BARE]),
    "log events CSV": as_csv(
        ("timestamp", "message"), [(str(milliseconds(t)), m) for t, m in CLOUD]
    ),
    "CSV with a byte order mark and no last newline": "\ufeff"
    + as_csv(("@timestamp", "@message"), [(t, m) for t, m in CLOUD]).rstrip("\r\n"),
}


def read(path: Path, text: str | bytes) -> list[Record]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(cloudwatch(path, Context()))


def way(records: list[Record]) -> list[tuple[str, float]]:
    found = [r for r in records if isinstance(r, Event) and r.span_uuid == UUID]
    times = sorted((r.time_unix_nano, r.type) for r in found)
    return [(type_, round(time / 1e9 - BEGAN, 3)) for time, type_ in times]


def problems(records: list[Record]) -> list[str]:
    return [r.kind for r in records if isinstance(r, Problem)]


def tally(records: list[Record]) -> Tally:
    (found,) = (r for r in records if isinstance(r, Tally))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / "export"
    records = read(path, FORMS[form])
    # Where nothing shows when a record arrived, its own zone-less time is taken for UTC.
    hours = 2 if form == "Insights CSV, message first" else 0
    shifted = [
        (what, after + 3600 * hours * (not what.startswith("execution"))) for what, after in WAY
    ]
    assert way(records) == sorted(shifted, key=lambda moment: moment[1])
    assert problems(records) == (["no zone"] if hours else [])
    assert (tally(records).records, tally(records).understood) == (5, 4)
    assert list(tally(records).messages.values()) == [(1, True)]
    (span, *_) = (r for r in records if isinstance(r, Span))
    assert span.trace_high == SEVEN.replace("-", "")[:20]
    assert json.loads(span.attributes or "") == {
        "funcx.task.id": SEVEN, "funcx.task_group.id": GROUP, "funcx.endpoint.id": ENDPOINT,
        "funcx.function.id": SEVEN,
    }  # fmt: skip
    importer = Choice().of(path)
    assert importer is not None
    assert importer.name == "cloudwatch"


def test_a_row_s_line_is_where_it_begins(tmp_path: Path) -> None:
    # a message of several lines: written so by the console, if the record was
    rows = [(CLOUD[0][0], "no task\nin two lines"), *CLOUD]
    records = read(tmp_path / "export.csv", as_csv(("@timestamp", "@message"), rows))
    assert [r.line for r in records if isinstance(r, Event)] == [4, 4, 4, 5, 6, 7]
    records = read(tmp_path / "export.json", samples.insights_json())
    assert [r.line for r in records if isinstance(r, Event)] == [1, 1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("asctime", "after"),
    [
        ("2022-08-03 09:26:35,700", 1.7),
        ("2022-08-03 11:26:35,700", 1.7),  # a container in Madrid
        ("2022-08-03T09:26:35.700Z", 1.7),
        ("2022-08-03T03:26:35.700-06:00", 1.7),
        ("2022-08-03T14:56:35.7+0530", 1.7),
        (None, 2.0),  # when it came in
    ],
)
def test_a_record_s_time_is_its_own_in_whatever_zone(
    tmp_path: Path, asctime: str | None, after: float
) -> None:
    said = {"name": "web", "message": "received", "task_id": SEVEN.upper(), "asctime": asctime}
    rows = [("2022-08-03 09:26:36.000", json.dumps(said))]
    assert way(read(tmp_path / "export", samples.insights_json(rows))) == [("web-received", after)]


def test_free_text_is_no_type_of_event(tmp_path: Path) -> None:
    said = {"name": "web", "message": "Caught amqps://me:secret@mq: gone", "task_id": SEVEN}
    rows = [("2022-08-03 09:26:36.000", json.dumps(said))]
    records = read(tmp_path / "export", samples.insights_json(rows))
    (event,) = (r for r in records if isinstance(r, Event))
    assert (event.type, event.note) == ("web-message", "Caught amqps://me:…@mq: gone")


def test_a_query_that_had_not_ended_is_told_of(tmp_path: Path) -> None:
    records = read(tmp_path / "export", samples.insights_json(status="Running"))
    assert problems(records) == ["not all results"]
    assert way(records) == WAY


# Truncated, empty, foreign, hostile


@pytest.mark.parametrize("form", ["get-query-results", "pretty", "Insights CSV", "log events CSV"])
def test_an_export_may_end_anywhere(tmp_path: Path, form: str) -> None:
    text = FORMS[form]
    whole = read(tmp_path / "export", text)
    told = {(r.type, r.time_unix_nano, r.line) for r in whole if isinstance(r, Event)}
    for size in range(0, len(text) - 200, 61):
        records = read(tmp_path / "export", text[:size])
        part = {(r.type, r.time_unix_nano, r.line) for r in records if isinstance(r, Event)}
        assert part <= told
        # what is cut within a row, or within the document, is told of
        if form != "Insights CSV" and form != "log events CSV":
            assert bool(problems(records)) == (size > 0)


@pytest.mark.parametrize(
    "text", ["", "@timestamp,@message\n", '{"results": [], "status": "Complete"}']
)
def test_an_empty_one_is_no_error(tmp_path: Path, text: str) -> None:
    records = read(tmp_path / "export", text)
    assert [r for r in records if not isinstance(r, Tally)] == []


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,message\n2022-08-03 09:26:36,it began\n",
        '{"results": [{"field": "temperature", "value": "7"}]}',
        '[{"field": "temperature"}]',
        '{"events": [{"timestamp": "2022-08-03"}]}',
    ],
)
def test_what_only_looks_like_one_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "data").write_text(text)
    assert Choice().of(tmp_path / "data") is None


def test_one_of_another_service_is_a_warning(tmp_path: Path, store: Store) -> None:
    rows = [("2022-08-03 09:26:36.000", f"START RequestId: {SEVEN}") for _ in range(9)]
    (tmp_path / "lambda.json").write_text(samples.insights_json(rows))
    store.import_(tmp_path / "lambda.json")
    (row,) = store.query("SELECT kind FROM problem").all()
    assert row == ("nothing understood",)
    assert store.query("SELECT count(*) FROM span").value() == 0


HOSTILE: tuple[Any, ...] = (
    '{"log": ' * 50 + "1" + "}" * 50,
    "[" * 100_000,
    '{"task_id": 7}',
    '{"task_id": "../../etc/passwd", "message": "received"}',
    json.dumps({"task_id": SEVEN, "asctime": "yesterday", "message": "received"}),
    json.dumps({"task_id": SEVEN, "asctime": "9999-12-31 23:59:59,999", "message": "received"}),
    json.dumps({"task_id": SEVEN, "message": "received", "name": "web", "times": {
        "execution_start": "1e999", "execution_end": [1]}}),
    "\0\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    None,
    7,
    {"log": {"log": {"log": {"log": {"log": 1}}}}},
)  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_hostile_rows_are_counted(tmp_path: Path, kind: str) -> None:
    rows = [("2022-08-03 09:26:36.000", message) for message in HOSTILE]
    if kind == "json":
        text = samples.insights_json([*rows, *CLOUD])
        text = text.replace('"results": [', '"results": [null, 7, "x", {"a": []}, [[]], ', 1)
    else:
        texts = [(time, str(message)) for time, message in [*rows, *CLOUD]]
        text = as_csv(("@timestamp", "@message"), texts)
        text += 'one cell\na,"b"c\n"' + "x" * 200_000 + '",1\n' + "y" * (LINE_LIMIT + 10) + "\n"
    records = read(tmp_path / "export", text)
    assert set(WAY) <= set(way(records))
    assert "no time" in problems(records)
    assert ("no row" if kind == "json" else "malformed CSV") in problems(records)
    assert tally(records).understood < tally(records).records
    for record in records:
        if isinstance(record, Event):
            assert len(record.type) < 200


def test_a_compressed_one_is_read_as_well(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "export.json.gz"
    path.write_bytes(gzip.compress(samples.insights_json().encode()))
    store.import_(path)
    state = store.query("SELECT cloud_received IS NOT NULL FROM funcx_task").value()
    assert state == 1
