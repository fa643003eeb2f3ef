"""What may come over HTTP, and what it is answered."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, MetricsData, ResourceMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from dnpcsql.receivers import Receiver
from dnpcsql.receivers.limits import Gate, Room
from tests.importers.test_bad_traces import NOW, TRACE, a_document, a_span
from tests.receivers.conftest import Start, count

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def of(receiver: Receiver) -> http.client.HTTPConnection:
    assert receiver.http_address is not None
    return http.client.HTTPConnection(receiver.http_address, timeout=60)


def post(
    receiver: Receiver, body: Any, kind: str = JSON, path: str = "/v1/traces", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(of(receiver)) as connection:
        connection.request("POST", path, body, {"Content-Type": kind, **names})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def a_message(*names: str) -> bytes:
    spans = [
        Span(trace_id=bytes.fromhex(TRACE), span_id=number.to_bytes(8, "big"), name=name,
             start_time_unix_nano=NOW, end_time_unix_nano=NOW + 1)
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    part = ScopeSpans(spans=spans)
    return TracesData(resource_spans=[ResourceSpans(scope_spans=[part])]).SerializeToString()


DOCUMENT = a_document(a_span(1), a_span(2)).encode()
MESSAGE = a_message("one", "two")
PACKED: dict[str, tuple[dict[str, str], Callable[[bytes], bytes]]] = {
    "as it is": ({}, lambda body: body),
    "identity": ({"Content_Encoding": "identity"}, lambda body: body),
    "gzip": ({"Content_Encoding": "gzip"}, gzip.compress),
    "gzip in two parts": (
        {"Content_Encoding": "GZIP"},
        lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:]),
    ),
    "deflate": ({"Content_Encoding": "deflate"}, zlib.compress),
    "deflate without a head": (
        {"Content_Encoding": "deflate"}, lambda body: zlib.compress(body, wbits=-15)
    ),
}  # fmt: skip


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("kind", [PROTOBUF, JSON, "Application/JSON; charset=utf-8"])
def test_bodies_of_all_kinds(start: Start, packed: str, kind: str) -> None:
    receiver = start()
    headers, pack = PACKED[packed]
    body = MESSAGE if kind == PROTOBUF else DOCUMENT
    status, told, answer = post(receiver, pack(body), kind, **headers)
    assert (status, answer) == (200, b"" if kind == PROTOBUF else b"{}")
    assert told["Content-Type"] == (PROTOBUF if kind == PROTOBUF else JSON)
    assert count(receiver._store.path) == 2


@pytest.mark.parametrize(("kind", "body"), [(PROTOBUF, b""), (JSON, b"{}")])
def test_nothing_is_not_too_little(start: Start, kind: str, body: bytes) -> None:
    receiver = start()
    assert post(receiver, body, kind)[0] == 200
    assert receiver.received.refused == 0


def in_chunks(body: bytes, size: int = 50) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def test_one_connection_is_used_again_and_again(start: Start) -> None:
    receiver = start()
    connection = of(receiver)
    for number in range(20):
        document = a_document(a_span(number + 1)).encode()
        body = in_chunks(document) if number % 2 else document
        connection.request("POST", "/v1/traces", body, {"Content-Type": JSON})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"{}")
        # Refused, and yet the connection is good for more: all of it was read.
        connection.request("POST", "/v1/traces", b"{", {"Content-Type": JSON})
        answer = connection.getresponse()
        assert answer.status == 400
        answer.read()
        assert connection.sock is not None
    connection.close()
    assert count(receiver._store.path) == 20


# --- what is refused, and how

METRICS = MetricsData(
    resource_metrics=[ResourceMetrics(scope_metrics=[{"metrics": [Metric(name="m")]}])]  # type: ignore[list-item]
).SerializeToString()
REFUSED: dict[str, tuple[int, int, dict[str, Any]]] = {
    "no JSON": (400, 3, {"body": b'{"resourceSpans": ['}),
    "not UTF-8": (400, 3, {"body": b'{"a": "\xff"}'}),
    "a list": (400, 3, {"body": b"[]"}),
    "no list": (400, 3, {"body": b'{"resourceSpans": {}}'}),
    "no objects": (400, 3, {"body": b'{"resourceSpans": [1]}'}),
    "no list of scopes": (400, 3, {"body": b'{"resourceSpans": [{"scopeSpans": 1}]}'}),
    "no list of spans": (400, 3, {"body": b'{"resourceSpans": [{"scopeSpans": [{"spans": 1}]}]}'}),
    "spans that are none": (
        400, 3, {"body": b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}, {}]}]}]}'}
    ),
    "metrics in JSON": (400, 3, {"body": b'{"resourceMetrics": []}'}),
    "nested too deeply": (400, 3, {"body": b'{"resourceSpans":' + b"[" * 200_000}),
    "a number of 5000 digits": (400, 3, {"body": b'{"a": ' + b"9" * 5_000 + b"}"}),
    "no protobuf": (400, 3, {"body": b"not protobuf", "kind": PROTOBUF}),
    "cut protobuf": (400, 3, {"body": MESSAGE[:-5], "kind": PROTOBUF}),
    "metrics in protobuf": (400, 3, {"body": METRICS, "kind": PROTOBUF}),
    "no gzip": (400, 3, {"body": MESSAGE, "kind": PROTOBUF, "Content_Encoding": "gzip"}),
    "cut gzip": (
        400, 3, {"body": gzip.compress(MESSAGE)[:-9], "kind": PROTOBUF, "Content_Encoding": "gzip"}
    ),
    "no deflate": (400, 3, {"body": DOCUMENT, "Content_Encoding": "deflate"}),
    "an unknown encoding": (415, 3, {"body": DOCUMENT, "Content_Encoding": "br"}),
    "text": (415, 3, {"body": b"hello", "kind": "text/plain"}),
    "another place": (404, 12, {"body": DOCUMENT, "path": "/v1/metrics"}),
    "too large": (413, 8, {"body": b" " * 5_000}),
    "too large in chunks": (413, 8, {"body": [b" " * 3_000, b" " * 3_000]}),
    "a bomb": (413, 8, {"body": gzip.compress(b" " * 10**6), "Content_Encoding": "gzip"}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(start: Start, case: str) -> None:
    expected, code, request = REFUSED[case]
    receiver = start(message=250_000 if "deeply" in case else 5_500 if "5000" in case else 4_096)
    status, headers, body = post(receiver, **request)
    assert status == expected
    if headers["Content-Type"] == PROTOBUF:
        told = Status.FromString(body)
        found, text = told.code, told.message
    else:
        found, text = (json.loads(body)[key] for key in ("code", "message"))
    assert found == code
    assert text
    assert "Retry-After" not in headers
    assert headers["Content-Type"] == (PROTOBUF if request.get("kind") == PROTOBUF else JSON)
    assert receiver.received.refused == 1
    # The next one is taken, and of the refused one nothing was kept.
    assert post(receiver, DOCUMENT)[0] == 200
    assert count(receiver._store.path) == 2


RAW: dict[str, tuple[bytes, int]] = {
    "no HTTP": (b"hello\r\n\r\n", 400),
    "another method": (b"GET /v1/traces HTTP/1.1\r\n\r\n", 405),
    "an unknown method": (b"BREW /v1/traces HTTP/1.1\r\n\r\n", 501),
    "another HTTP": (b"POST /v1/traces HTTP/3.0\r\n\r\n", 505),
    "a long line": (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    "many headers": (b"POST / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    "no length": (b"", 411),
    "a length that is none": (b"Content-Length: many\r\n", 400),
    "a length below zero": (b"Content-Length: -1\r\n", 400),
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 3\r\n", 400),
    "length and chunks": (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400),
    "an unknown transfer": (b"Transfer-Encoding: gzip, chunked\r\n", 501),
    "a bad chunk": (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "a chunk below zero": (b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
    "a chunk that is longer": (b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n", 400),
    "a huge chunk": (b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413),
    "a huge length": (b"Content-Length: 9999999999999\r\n", 413),
    "a huge length, asked first": (
        b"Content-Length: 9999999999999\r\nExpect: 100-continue\r\n", 413
    ),
    "a body that ends early": (b"Content-Length: 100\r\n\r\n{}", 400),
    "a body that never comes": (b"Content-Length: 100\r\n", 408),
}  # fmt: skip


@pytest.mark.parametrize("case", RAW)
def test_odd_requests(start: Start, case: str) -> None:
    receiver = start(read_s=1.0)
    head, expected = RAW[case]
    if b" HTTP/" not in head and not head.startswith(b"hello"):
        before = b"POST /v1/traces HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        head = before + head + (b"\r\n" if b"\r\n\r\n" not in head else b"")
    with socket.create_connection(address(receiver), timeout=20) as connection:
        connection.sendall(head)
        if case == "a body that ends early":
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    # A request line that is none may be HTTP/0.9's, which has no status line.
    assert f"{expected}" in answer.split(b"\r\n", 1)[0].decode() or b'"code": 3' in answer
    assert post(receiver, DOCUMENT)[0] == 200


def address(receiver: Receiver) -> tuple[str, int]:
    assert receiver.http_address is not None
    host, _, port = receiver.http_address.rpartition(":")
    return host, int(port)


def test_a_body_may_be_asked_for_first(start: Start) -> None:
    receiver = start()
    with socket.create_connection(address(receiver), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(DOCUMENT)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(DOCUMENT)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_one_who_sends_a_byte_now_and_then_is_told_to_go(start: Start) -> None:
    receiver = start(read_s=0.5, requests=1)
    with socket.create_connection(address(receiver), timeout=20) as slow:
        slow.sendall(
            b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n"
        )
        for _ in range(8):
            slow.sendall(b" ")
            time.sleep(0.1)
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
    assert post(receiver, DOCUMENT)[0] == 200


def test_idle_connections_are_closed(start: Start) -> None:
    receiver = start(idle_s=0.2)
    with socket.create_connection(address(receiver), timeout=20) as idle:
        assert idle.recv(1) == b""


def test_no_more_connections_than_there_may_be(start: Start) -> None:
    receiver = start(connections=2)
    held = [socket.create_connection(address(receiver), timeout=20) for _ in range(2)]
    with socket.create_connection(address(receiver), timeout=20) as third:
        assert third.recv(1) == b""
    for connection in held:
        connection.close()
    until = time.monotonic() + 10
    while post_or_none(receiver) != 200:
        assert time.monotonic() < until


def post_or_none(receiver: Receiver) -> int | None:
    try:
        return post(receiver, DOCUMENT)[0]
    except OSError:
        return None


# --- too much at once


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], threading.Event]:
    """`admitted(size)`: set once a request was let in that takes so many bytes."""

    def watch(size: int) -> threading.Event:
        done, take = threading.Event(), Gate.take

        def taking(gate: Gate, room: Room, more: int) -> None:
            take(gate, room, more)
            if more == size:
                done.set()

        monkeypatch.setattr(Gate, "take", taking)
        return done

    return watch


@contextlib.contextmanager
def half_a_request(receiver: Receiver, length: int) -> Iterator[socket.socket]:
    """The head of one whose body does not come yet."""
    with socket.create_connection(address(receiver), timeout=LONG) as first:
        first.sendall(
            b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % length
        )
        yield first


LONG = 300.0  # seconds, which nothing here takes: what is waited for is said, not timed


def test_more_requests_than_places_are_told_to_come_again(
    start: Start, admitted: Callable[[int], threading.Event]
) -> None:
    receiver = start(requests=1, wait_s=0.1, read_s=LONG)
    let_in = admitted(9_999)
    with half_a_request(receiver, 9_999) as first:
        assert let_in.wait(LONG)
        status, headers, body = post(receiver, DOCUMENT)
        assert (status, headers["Retry-After"], json.loads(body)["code"]) == (429, "1", 8)
        first.sendall(DOCUMENT.ljust(9_999))
        assert first.recv(1000).startswith(b"HTTP/1.1 200 ")
        # It was answered when its place was free again.
        assert post(receiver, DOCUMENT)[0] == 200


def test_no_more_memory_than_there_may_be(
    start: Start, admitted: Callable[[int], threading.Event]
) -> None:
    receiver = start(memory=10_000, read_s=LONG)
    let_in = admitted(9_999)
    with half_a_request(receiver, 9_999) as first:
        assert let_in.wait(LONG)
        status, headers, body = post(receiver, DOCUMENT)
        assert (status, headers["Retry-After"], json.loads(body)["code"]) == (429, "1", 8)
        # One that is alone may be larger, as this one is when it is decoded.
        first.sendall(DOCUMENT.ljust(9_999))
        assert first.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert post(receiver, DOCUMENT)[0] == 200


# --- partial success


def partial(answer: bytes, kind: str) -> tuple[int, str]:
    if kind == PROTOBUF:
        told = ExportTraceServiceResponse.FromString(answer).partial_success
        return told.rejected_spans, told.error_message
    told_json = json.loads(answer)["partialSuccess"]
    return int(told_json.get("rejectedSpans", "0")), told_json["errorMessage"]


def test_of_spans_that_are_none_the_sender_is_told(start: Start) -> None:
    receiver = start()
    document = a_document(a_span(1), "nonsense", a_span(2, startTimeUnixNano="soon"), a_span(3))
    status, _, answer = post(receiver, document.encode())
    assert (status, partial(answer, JSON)) == (
        200, (2, "the others are kept: 2 span not understood")
    )  # fmt: skip
    assert (receiver.received.rejected, receiver.received.spans) == (2, 2)
    assert count(receiver._store.path) == 2
    assert count(receiver._store.path, "SELECT sum(count) FROM problem") == 2


def test_a_span_that_is_no_protobuf_does_not_spoil_the_others(start: Start) -> None:
    receiver = start()
    body = a_message("one", "two", "three").replace(b"two", b"\xff\xff\xff")
    status, _, answer = post(receiver, body, PROTOBUF)
    assert (status, partial(answer, PROTOBUF)) == (
        200, (1, "the others are kept: 1 span not understood")
    )  # fmt: skip
    assert count(receiver._store.path) == 2


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "ids": ({"spanId": "0" * 16, "traceId": "abc"}, "1 short trace id, 1 span id of zeros"),
    "an enum by name": ({"kind": "SPAN_KIND_CLIENT"}, "1 enum by name"),
    "no times": ({"startTimeUnixNano": ..., "endTimeUnixNano": ...}, "2 no time"),
    "an end before its start": ({"endTimeUnixNano": "1"}, "1 end before start"),
}


@pytest.mark.parametrize("case", ODD)
def test_spans_that_are_odd_are_kept_and_their_sender_warned(start: Start, case: str) -> None:
    receiver = start()
    fields, text = ODD[case]
    status, _, answer = post(receiver, a_document(a_span(1, **fields)).encode())
    assert (status, partial(answer, JSON)) == (200, (0, f"kept, with problems: {text}"))
    assert count(receiver._store.path) == 1


def test_half_a_character_and_huge_numbers_are_no_trouble(start: Start) -> None:
    receiver = start()
    odd = [
        a_span(1, name="\ud83d"),
        a_span(2, attributes=[{"key": "n", "value": {"intValue": 10**30}}]),
        a_span(3, kind=10**30),
        a_span(4, attributes=[{"key": "nul\0", "value": {"stringValue": "\0"}}]),
    ]
    status, _, answer = post(receiver, a_document(*odd).encode())
    assert (status, partial(answer, JSON)[0]) == (200, 1)
    assert count(receiver._store.path) == 3
