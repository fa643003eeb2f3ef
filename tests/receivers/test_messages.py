"""Requests that are small and much work: what they may ask for, and what they take."""

from __future__ import annotations

import json
import queue
import tracemalloc
from concurrent.futures import Future
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from dnpcsql.importers.foreign import Foreign
from dnpcsql.otlp.incoming import OTEL
from dnpcsql.receivers import Limits
from dnpcsql.receivers.messages import Message, admitted, of_json
from dnpcsql.receivers.recorder import Recorder
from dnpcsql.receivers.refusals import RefusedError
from dnpcsql.records import Problem
from tests.importers.test_bad_traces import NOW, TRACE, a_document, a_span


def in_json(*spans: Any) -> bytes:
    return a_document(*spans).encode()


def in_protobuf(*spans: Span) -> bytes:
    one = Span(trace_id=bytes.fromhex(TRACE), span_id=b"12345678", start_time_unix_nano=NOW)
    parts = [ScopeSpans(spans=[one, *spans])]
    return TracesData(resource_spans=[ResourceSpans(scope_spans=parts)]).SerializeToString()


def taken(body: bytes, **limits: int) -> int:
    """How much memory is put down for a message."""
    sizes: list[int] = []
    is_json = body.startswith(b"{")
    admitted(body, is_json=is_json, limits=Limits(**limits), take=sizes.append)
    return sum(sizes)


LIMITS = {"spans": 100, "inside": 200}
JUST_SO = [
    in_json(a_span(1), *[{}] * 99),
    in_json(a_span(1, events=[{}] * 150, links=[{}] * 50)),
    in_protobuf(*[Span()] * 99),
    in_protobuf(Span(events=[Span.Event()] * 150, links=[Span.Link()] * 50)),
]
TOO_MANY = [
    (in_json(a_span(1), *[{}] * 100), "more than 100 spans"),
    (in_json(a_span(1, events=[{}] * 150, links=[{}] * 51)), "more than 200 events and links"),
    (in_protobuf(*[Span()] * 100), "more than 100 spans"),
    (in_protobuf(Span(events=[Span.Event()] * 201)), "more than 200 events and links"),
]


@pytest.mark.parametrize("body", JUST_SO)
def test_as_many_as_there_may_be(body: bytes) -> None:
    assert taken(body, **LIMITS) >= 8 * len(body)


@pytest.mark.parametrize(("body", "words"), TOO_MANY)
def test_more_than_there_may_be_are_too_large_a_message(body: bytes, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        taken(body, **LIMITS)
    # gRPC's RESOURCE_EXHAUSTED, without a time to come again: to be split.
    assert (refused.value.http, refused.value.code, refused.value.retry_s) == (413, 8, None)
    assert "too large" in str(refused.value)


def test_objects_that_say_nothing_have_their_weight() -> None:
    least = taken(in_json(a_span(1)))
    assert taken(in_json(a_span(1), *[{}] * 10_000)) - least >= 64 * 10_000
    assert taken(in_json(a_span(1, events=[{}] * 10_000))) - least >= 400 * 10_000


@pytest.mark.parametrize(
    "spans",
    [
        [a_span(1), *[{}] * 20_000],
        [a_span(1), *["nonsense"] * 20_000],
        [a_span(1, attributes=[1] * 20_000)],
    ],
    ids=["that say nothing", "that are none", "of attributes that are none"],
)
def test_problems_are_told_as_they_are_met(spans: list[Any]) -> None:
    message, foreign = of_json(in_json(*spans)), Foreign(OTEL)
    tracemalloc.start()
    for _ in message.records(foreign):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message.problems.total() >= 20_000
    assert most < 1_000_000


def test_of_more_problems_than_are_listed_there_are_the_counts() -> None:
    message = of_json(in_json(a_span(1), *["nonsense"] * 3_000, *[1] * 500, a_span(2)))
    problems = [one for one in message.records(Foreign(OTEL)) if isinstance(one, Problem)]
    # The first span is the session's first line.
    assert [one.line for one in problems] == [*range(2, 1_002), 3_502]
    assert problems[-1].text == "and 2,500 more until here"
    assert (problems[-1].kind, problems[-1].times) == ("span not understood", 2_500)


def test_a_transaction_waits_for_no_more_than_it_can_write_soon() -> None:
    recorder = object.__new__(Recorder)  # without its thread
    recorder._waiting = queue.SimpleQueue()
    for spans in (1, 19_998, 1, 100_000, 5, None):
        item = None if spans is None else (Message(spans, 0, lambda _: iter(())), Future[None]())
        recorder._waiting.put(item)
    written = []
    more = True
    while more:
        batch, more = recorder._batch()
        written.append([message.spans for message, _ in batch])
    assert written == [[1, 19_998, 1], [100_000], [5]]


def test_the_time_to_come_again_is_told_in_json_too() -> None:
    refusal = RefusedError(429, 8, "too many requests at once", retry_s=1)
    assert json.loads(refusal.status_json()) == {
        "code": 8,
        "message": "too many requests at once",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}],
    }
    never = RefusedError(413, 8, "too large")
    assert json.loads(never.status_json()) == {"code": 8, "message": "too large"}
