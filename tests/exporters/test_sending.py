"""Receivers that are slow, busy, small, broken or not there: nothing lost, no hang, clear words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from dnpcsql.errors import SendError
from dnpcsql.exporters.batches import Batch, batches
from dnpcsql.exporters.encoding import Protobuf
from dnpcsql.exporters.grpc_transport import Grpc
from dnpcsql.exporters.http_transport import Http
from dnpcsql.exporters.sending import Sender
from dnpcsql.exporters.settings import Endpoint
from dnpcsql.exporters.transports import (
    Answer,
    NotNowError,
    RefusedError,
    TooLargeError,
)
from dnpcsql.otlp.incoming import Group, resource, scope
from dnpcsql.records import Span, Told

HERE = Endpoint("http://receiver:4317", "grpc")
NOBODY = resource('{"service.name":"x"}', "", 0)


def a_batch(spans: int, size: int = 10) -> Batch:
    told = [
        Told(Span(f"{0:012d}{number:016x}", "otel.span", "0" * 19 + "1", name="n" * size))
        for number in range(1, spans + 1)
    ]
    (batch,) = batches([Group(NOBODY, scope("s", "", None, "", 0), told)], Protobuf(), 10**9)
    return batch


def names(body: bytes) -> list[int]:
    """The numbers of the spans in a request."""
    message = ExportTraceServiceRequest.FromString(body)
    return [
        int.from_bytes(span.span_id, "big")
        for one in message.resource_spans
        for part in one.scope_spans
        for span in part.spans
    ]


class Scripted:
    """A transport that does what a function says to a request of some spans."""

    def __init__(self, act: Callable[[int, list[int]], Answer]) -> None:
        self._act = act
        self.got: list[int] = []
        self.requests = 0

    def send(self, body: bytes) -> Answer:
        spans = names(body)
        self.requests += 1
        answer = self._act(self.requests, spans)
        self.got += spans
        return answer

    def close(self) -> None:
        pass


def sender_to(transport: Any, waits: list[float], patience_s: float = 60) -> Sender:
    return Sender(transport, Protobuf(), HERE, patience_s=patience_s, sleep=waits.append)


def raising(error: Exception) -> Answer:
    raise error


def test_it_waits_longer_each_time_and_then_it_is_there() -> None:
    waits: list[float] = []
    transport = Scripted(lambda n, _: raising(NotNowError("busy")) if n < 4 else Answer())
    sender = sender_to(transport, waits)
    sender.send(a_batch(3))
    assert [round(wait / 2**place) for place, wait in enumerate(waits)] == [1, 1, 1]
    assert all(0.8 <= wait / 2**place <= 1.2 for place, wait in enumerate(waits))
    assert sorted(transport.got) == [1, 2, 3]
    assert (sender.sent.spans, sender.sent.requests) == (3, 1)


def test_it_waits_as_long_as_is_asked() -> None:
    waits: list[float] = []
    transport = Scripted(lambda n, _: raising(NotNowError("busy", 7.5)) if n < 2 else Answer())
    sender_to(transport, waits).send(a_batch(1))
    assert waits == [7.5]


@pytest.mark.parametrize("asked", [0.0, -5.0])
def test_who_asks_for_no_wait_is_not_pressed(asked: float) -> None:
    waits: list[float] = []
    transport = Scripted(lambda n, _: raising(NotNowError("busy", asked)) if n < 4 else Answer())
    sender_to(transport, waits).send(a_batch(1))
    assert [round(wait / 2**place) for place, wait in enumerate(waits)] == [1, 1, 1]


def test_who_asks_for_a_longer_wait_than_there_is_patience_gets_no_halves() -> None:
    transport = Scripted(lambda *_: raising(NotNowError("busy", 1000, answered=True)))
    with pytest.raises(SendError, match="busy"):
        sender_to(transport, []).send(a_batch(64))
    assert transport.requests == 1


def test_a_receiver_that_recovers_loses_nothing() -> None:
    transport = Scripted(
        lambda n, _: raising(NotNowError("busy", answered=True)) if n < 10 else Answer()
    )
    sender = sender_to(transport, [], patience_s=0)
    sender.send(a_batch(64))
    assert sorted(transport.got) == list(range(1, 65))
    assert sender.sent.rejected == 0


def test_no_longer_than_its_patience() -> None:
    transport = Scripted(lambda *_: raising(NotNowError("busy", 61)))
    sender = sender_to(transport, [])
    with pytest.raises(
        SendError, match=r"did not take it in 0 s: busy; 0 spans are there\. Run it"
    ):
        sender.send(a_batch(2))


def test_what_is_too_large_is_halved_until_it_is_not() -> None:
    transport = Scripted(
        lambda _, spans: raising(TooLargeError("413")) if len(spans) > 3 else Answer()
    )
    sender = sender_to(transport, [])
    sender.send(a_batch(10))
    assert sorted(transport.got) == list(range(1, 11))
    assert sender.sent.spans == 10
    assert sender.sent.rejected == 0


def test_one_span_that_is_too_large_is_counted_and_the_rest_is_there() -> None:
    transport = Scripted(lambda _, spans: raising(TooLargeError("413")) if 5 in spans else Answer())
    sender = sender_to(transport, [])
    sender.send(a_batch(10))
    assert sorted(transport.got) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert sender.sent.rejected == 1
    ((words, times),) = sender.sent.messages.items()
    assert ("one span of" in words, times) == (True, 1)


def test_a_span_that_is_never_taken_does_not_hold_up_the_rest() -> None:
    # Jaeger's badger: an attribute of more than 65,000 bytes.
    poison = NotNowError("UNAVAILABLE: Key with size", answered=True)
    transport = Scripted(lambda _, spans: raising(poison) if 7 in spans else Answer())
    sender = sender_to(transport, [], patience_s=0)
    sender.send(a_batch(20))
    assert sorted(transport.got) == [n for n in range(1, 21) if n != 7]
    assert sender.sent.rejected == 1


def test_a_receiver_that_takes_nothing_is_given_up() -> None:
    transport = Scripted(lambda *_: raising(NotNowError("503", answered=True)))
    sender = sender_to(transport, [], patience_s=0)
    with pytest.raises(SendError, match="503"):
        sender.send(a_batch(1_000))
    assert transport.requests < 50


def test_what_is_partly_refused_is_told() -> None:
    transport = Scripted(lambda *_: Answer(2, "bad ids"))
    sender = sender_to(transport, [])
    sender.send(a_batch(5))
    sender.send(a_batch(5))
    assert sender.sent.rejected == 4
    assert dict(sender.sent.messages) == {"bad ids": 4}


def test_what_is_refused_is_not_tried_again() -> None:
    transport = Scripted(lambda *_: raising(RefusedError("401 Unauthorized")))
    with pytest.raises(SendError, match=r"http://receiver:4317 \(grpc\) refuses: 401"):
        sender_to(transport, []).send(a_batch(1))
    assert transport.requests == 1


# --- HTTP


@contextmanager
def http(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """A server that answers as the function does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers["content-length"])))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        finally:
            server.shutdown()
            thread.join()


def says(
    status: int, body: bytes = b"", **headers: str
) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    time.sleep(1.5)


def drips(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    try:
        for _second in range(30):
            handler.wfile.write(b".")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass  # the sender has gone, as it should


def drips_headers(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    try:
        for letter in b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100:
            handler.wfile.write(bytes((letter,)))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def speaks_tls(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"\x15\x03\x03\x00\x02\x02P")


def closes(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def post(answer: Callable[[BaseHTTPRequestHandler, bytes], None], **settings: Any) -> Answer:
    with http(answer) as url:
        transport = Http(Endpoint(url, "http/protobuf", **{"timeout_s": 0.4, **settings}))
        try:
            return transport.send(a_batch(2).request(Protobuf()))
        finally:
            transport.close()


PARTIAL = ExportTraceServiceResponse()
PARTIAL.partial_success.rejected_spans = 3
PARTIAL.partial_success.error_message = "no"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (says(200), Answer()),
        (says(200, PARTIAL.SerializeToString()), Answer(3, "no")),
        (
            says(
                200,
                b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}',
                content_type="application/json",
            ),
            Answer(3, "no"),
        ),
        (says(200, b"{}", content_type="application/json"), Answer()),
        (says(202), Answer()),
        (says(204), Answer()),
        (says(200, b"<html>"), Answer(0, "an answer that is no OTLP: <html>")),
    ],
)
def test_http_answers(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], found: Answer
) -> None:
    assert post(answer) == found


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (says(429, b"slow\x1b[2Jdown", retry_after="3"), NotNowError, "429 .*slow .2Jdown"),
        (says(503), NotNowError, "503"),
        (says(413), TooLargeError, "413"),
        (says(400, b"bad"), RefusedError, "400 Bad Request: bad"),
        (says(302, location="http://elsewhere"), RefusedError, "302"),
        (hangs, NotNowError, r"no answer in 0\.4 s"),
        (drips, NotNowError, r"no answer in 0\.4 s"),
        (drips_headers, NotNowError, r"no answer in 0\.4 s"),
        (speaks_tls, RefusedError, "it speaks TLS: write https://"),
        (closes, NotNowError, "no connection"),
    ],
)
def test_http_errors(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as told:
        post(answer)
    if words.startswith("429"):
        assert isinstance(told.value, NotNowError)
        assert told.value.after_s == 3


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_http_compresses(compression: str) -> None:
    import gzip
    import zlib

    bodies = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        assert handler.headers["content-encoding"] == compression
        assert handler.headers["x-key"] == "v"
        bodies.append(gzip.decompress(body) if compression == "gzip" else zlib.decompress(body))
        says(200)(handler, body)

    assert post(answer, compression=compression, headers=(("x-key", "v"),)) == Answer()
    assert names(bodies[0]) == [1, 2]


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for transport in (
        Http(Endpoint(f"http://127.0.0.1:{port}/v1/traces", "http/json")),
        Grpc(Endpoint(f"http://127.0.0.1:{port}", "grpc", timeout_s=5)),
    ):
        with pytest.raises(SendError, match=r"nothing listens at .*docker compose up -d"):
            sender_to(transport, []).send(a_batch(1))
        transport.close()


# --- gRPC


@contextmanager
def served(
    act: Callable[[bytes, grpc.ServicerContext], bytes], limit: int = 4 << 20
) -> Iterator[Endpoint]:
    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return grpc.unary_unary_rpc_method_handler(act)

    server = grpc.server(
        ThreadPoolExecutor(2),
        handlers=[Handler()],
        options=[("grpc.max_receive_message_length", limit)],
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Endpoint(f"http://127.0.0.1:{port}", "grpc", timeout_s=2)
    finally:
        server.stop(None).wait()


def aborts(code: grpc.StatusCode, details: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def act(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, details)
        raise AssertionError

    return act


@pytest.mark.parametrize(
    ("code", "details", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, "later", NotNowError),
        (grpc.StatusCode.ABORTED, "later", NotNowError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "data refused due to high memory usage", NotNowError),
        # rotel
        (
            grpc.StatusCode.OUT_OF_RANGE,
            "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
            TooLargeError,
        ),
        # grpc-go
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "grpc: received message larger than max (5 vs. 4)",
            TooLargeError,
        ),
        # dnpcsql serve
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "the message is larger than 1,048,576 bytes: send fewer spans at a time",
            TooLargeError,
        ),
        (grpc.StatusCode.UNIMPLEMENTED, "unknown service", RefusedError),
        (grpc.StatusCode.UNAUTHENTICATED, "who?", RefusedError),
        (grpc.StatusCode.INVALID_ARGUMENT, "no", RefusedError),
    ],
)
def test_grpc_codes(code: grpc.StatusCode, details: str, error: type[Exception]) -> None:
    with served(aborts(code, details)) as endpoint:
        transport = Grpc(endpoint)
        with pytest.raises(error, match=code.name):
            transport.send(a_batch(1).request(Protobuf()))
        transport.close()


def test_grpc_takes_the_time_to_wait_from_retry_info() -> None:
    detail = AnyMessage()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)))
    status = Status(code=8, message="full", details=[detail])

    def act(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "message too large, or so")
        raise AssertionError

    with served(act) as endpoint:
        transport = Grpc(endpoint)
        with pytest.raises(NotNowError) as told:
            transport.send(b"")
        assert told.value.after_s == 2.5
        transport.close()


def test_grpc_details_that_are_garbage() -> None:
    def act(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff\xff"),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        raise AssertionError

    with served(act) as endpoint:
        transport = Grpc(endpoint)
        with pytest.raises(NotNowError) as told:
            transport.send(b"")
        assert told.value.after_s is None
        transport.close()


def test_grpc_to_a_port_that_speaks_something_else() -> None:
    with http(says(200)) as url:
        for secure, words in ((False, "it speaks HTTP: add --protocol http/protobuf"),
                              (True, "TLS: .*OTEL_EXPORTER_OTLP_CERTIFICATE")):  # fmt: skip
            transport = Grpc(Endpoint(url, "grpc", timeout_s=5, secure=secure))
            with pytest.raises(SendError, match=words):
                sender_to(transport, [], patience_s=0).send(a_batch(1))
            transport.close()


def test_own_certificate_and_authorization_win(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "theirs.pem"))
    got = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        got.append(handler.headers["authorization"])
        says(200)(handler, body)

    asked: list[object] = []
    send = requests.adapters.HTTPAdapter.send

    def sends(*args: Any, **options: Any) -> requests.Response:
        asked.append(options["verify"])
        return send(*args, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", sends)
    post(answer, headers=(("authorization", "Bearer x"),), certificate=str(tmp_path / "mine.pem"))
    assert got == ["Bearer x"]
    assert asked == [str(tmp_path / "mine.pem")]


def test_grpc_waits_no_longer_than_its_timeout() -> None:
    def act(_: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(1)
        return b""

    with served(act) as endpoint:
        transport = Grpc(endpoint._replace(timeout_s=0.2))
        with pytest.raises(NotNowError, match="DEADLINE_EXCEEDED"):
            transport.send(b"")
        transport.close()


def test_a_receiver_of_few_bytes_gets_all_spans() -> None:
    got: list[int] = []

    def act(body: bytes, context: grpc.ServicerContext) -> bytes:
        got.extend(names(body))
        return b""

    with served(act, limit=2_000) as endpoint:
        transport = Grpc(endpoint)
        sender = sender_to(transport, [])
        sender.send(a_batch(100, size=100))
        transport.close()
    assert sorted(got) == list(range(1, 101))
    assert sender.sent.rejected == 0
