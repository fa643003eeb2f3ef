"""Other programs' spans leave as they came; --repair mends them, and says so in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from dnpcsql.store import Store
from tests.conftest import DATA
from tests.exporters.sent import Sent, faults, read, values
from tests.importers.test_bad_traces import NOW, TRACE, a_document, a_span
from tests.otlp.test_round_trip import parsed, spans_of

OTHER = "1" * 32


def sid(number: int) -> str:
    return f"{number:016x}"


def link(number: int, trace: str = TRACE) -> dict[str, str]:
    return {"traceId": trace, "spanId": sid(number)}


# spans → what is said to be mended in span 1, and what becomes of it
CASES: dict[str, tuple[list[dict[str, Any]], list[str], dict[str, Any]]] = {
    "a parent that is not there": (
        [a_span(1, parentSpanId=sid(9))],
        ["missing parent"],
        {"parent_span_id": b"", "dnpc.parent_span_id": sid(9)},
    ),
    "a parent that is there": (
        [a_span(1, parentSpanId=sid(2)), a_span(2)],
        [],
        {"parent_span_id": bytes.fromhex(sid(2))},
    ),
    "parents in a circle are cut at one place": (
        [a_span(1, parentSpanId=sid(2)), a_span(2, parentSpanId=sid(3)),
         a_span(3, parentSpanId=sid(1))],
        ["its own ancestor"],
        {"parent_span_id": b""},
    ),
    "its own parent": (
        [a_span(1, parentSpanId=sid(1))], ["its own ancestor"], {"parent_span_id": b""},
    ),
    "an end before the start": (
        [a_span(1, endTimeUnixNano=str(NOW - 5))],
        ["end before start"],
        {"end_time_unix_nano": NOW},
    ),
    "no end": (
        [a_span(1, endTimeUnixNano=..., events=[{"timeUnixNano": str(NOW + 7), "name": "e"}])],
        ["no end"],
        {"end_time_unix_nano": NOW + 7},
    ),
    "no start": (
        [a_span(1, startTimeUnixNano=..., endTimeUnixNano=str(NOW + 3))],
        ["no start"],
        {"start_time_unix_nano": NOW + 3},
    ),
    "a root's link into its own trace": (
        [a_span(1, links=[link(2)]), a_span(2)],
        ["link that looks like a parent"],
        {"links": 0},
    ),
    "a link into another trace to an id of its own": (
        [a_span(1, parentSpanId=sid(2), links=[link(2, OTHER)]), a_span(2)],
        ["link that looks like a parent"],
        {"links": 0},
    ),
    "links that harm nothing": (
        [a_span(1, parentSpanId=sid(2), links=[link(2), link(7, OTHER)]), a_span(2)],
        [],
        {"links": 2},
    ),
}  # fmt: skip


def sent(store: Store, place: Path, *, repair: bool) -> list[Sent]:
    path = place / f"sent-{repair}.pb"
    store.export_otlp(output=path, repair=repair)
    return list(read(path))


@pytest.mark.parametrize("name", CASES)
def test_what_is_odd_is_mended_if_that_is_asked_for(
    name: str, store: Store, tmp_path: Path
) -> None:
    spans, words, answer = CASES[name]
    (tmp_path / "traces.json").write_text(a_document(*spans))
    store.import_(tmp_path / "traces.json")

    as_it_came = spans_of(TracesData.FromString(_file(store, tmp_path)).resource_spans)
    assert as_it_came == spans_of(parsed(tmp_path / "traces.json"))

    mended = sent(store, tmp_path, repair=True)
    (one,) = (span for span, _ in mended if span.span_id.hex() == sid(1))
    attributes = values(one.attributes)
    told = one.attributes and [
        value.string_value
        for pair in one.attributes
        if pair.key == "dnpc.repaired"
        for value in pair.value.array_value.values
    ]
    assert list(told) == words
    for field, value in answer.items():
        if field == "links":
            assert len(one.links) == value
        else:
            assert (attributes[field] if "." in field else getattr(one, field)) == value
    assert not {
        fault: times
        for fault, times in faults(mended).items()
        if fault not in ("event without source", "no service.name", "no service.instance.id",
                         "link to nothing")
    }  # fmt: skip


def test_a_chain_that_is_too_deep_for_jaeger_s_page_is_cut(store: Store, tmp_path: Path) -> None:
    last = 12_000
    spans = [a_span(n, parentSpanId=sid(n + 1)) for n in range(1, last)]
    (tmp_path / "deep.json").write_text(a_document(*spans, a_span(last)))
    store.import_(tmp_path / "deep.json")
    mended = sent(store, tmp_path, repair=True)
    roots = [one for one in mended if not one.span.parent_span_id]
    assert len(roots) == 3
    assert sum("dnpc.repaired" in one.attributes for one in roots) == 2


def _file(store: Store, place: Path) -> bytes:
    store.export_otlp(output=place / "as-it-came.pb")
    return (place / "as-it-came.pb").read_bytes()


@pytest.mark.parametrize("name", ["python_flask_jsonhttp.jsonl", "node_express_http_request.pb.gz"])
@pytest.mark.parametrize("form", ["pb", "jsonl"])
def test_a_file_of_another_program_goes_in_and_comes_out(
    name: str, form: str, store: Store, tmp_path: Path
) -> None:
    store.import_(DATA / "otlp" / name)
    out = tmp_path / f"out.{form}"
    store.export_otlp(output=out)
    assert spans_of(parsed(out)) == spans_of(parsed(DATA / "otlp" / name))
    again = Store(tmp_path / "again.sqlite3")
    again.import_(out)
    count = "SELECT (SELECT count(*) FROM span), (SELECT count(*) FROM event)"
    assert again.query(count).all() == store.query(count).all()
