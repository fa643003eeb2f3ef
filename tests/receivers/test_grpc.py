"""What may come over gRPC, and what it is answered."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from dnpcsql.receivers import Receiver
from dnpcsql.receivers.grpc_server import TRACES
from tests.receivers.conftest import Start, count, export
from tests.receivers.test_http import METRICS, a_message

EXPORT = f"/{TRACES}/Export"
MESSAGE = a_message("one", "two")


@pytest.fixture
def channel_to() -> Iterator[Callable[[Receiver], grpc.Channel]]:
    made: list[grpc.Channel] = []

    def connect(receiver: Receiver) -> grpc.Channel:
        assert receiver.grpc_address is not None
        made.append(grpc.insecure_channel(receiver.grpc_address))
        return made[-1]

    yield connect
    for channel in made:
        channel.close()


To = Callable[[Receiver], grpc.Channel]


def told(*arguments: Any) -> ExportTraceServiceResponse:
    return ExportTraceServiceResponse.FromString(export(*arguments))


NOTHING = ExportTraceServiceResponse()


@pytest.mark.parametrize("compression", [None, *grpc.Compression])
def test_messages_of_all_kinds(
    start: Start, channel_to: To, compression: grpc.Compression | None
) -> None:
    receiver = start()
    body = a_message(*map(str, range(100)))  # gRPC leaves small ones as they are
    assert told(channel_to(receiver), body, compression) == NOTHING
    assert count(receiver._store.path) == 100


REFUSED: dict[str, tuple[grpc.StatusCode, bytes, grpc.Compression | None, str]] = {
    "no protobuf": (grpc.StatusCode.INVALID_ARGUMENT, b"no protobuf", None, EXPORT),
    "cut": (grpc.StatusCode.INVALID_ARGUMENT, MESSAGE[:-5], None, EXPORT),
    "no spans": (grpc.StatusCode.INVALID_ARGUMENT, METRICS, None, EXPORT),
    "damaged gzip": (
        grpc.StatusCode.INVALID_ARGUMENT, gzip.compress(MESSAGE)[:-9], None, EXPORT
    ),
    "too large": (grpc.StatusCode.RESOURCE_EXHAUSTED, b"\n" * 5_000, None, EXPORT),
    "a bomb": (
        grpc.StatusCode.RESOURCE_EXHAUSTED, b"\0" * 10**6, grpc.Compression.Gzip, EXPORT
    ),
    "another bomb": (
        grpc.StatusCode.RESOURCE_EXHAUSTED, b"\0" * 10**6, grpc.Compression.Deflate, EXPORT
    ),
    "metrics": (
        grpc.StatusCode.UNIMPLEMENTED, b"", None,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    ),
    "logs": (
        grpc.StatusCode.UNIMPLEMENTED, b"", None,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    ),
    "another service": (grpc.StatusCode.UNIMPLEMENTED, b"", None, "/a.B/C"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(start: Start, channel_to: To, case: str) -> None:
    receiver = start(message=4_096)
    channel = channel_to(receiver)
    code, body, compression, method = REFUSED[case]
    with pytest.raises(grpc.RpcError) as refused:
        export(channel, body, compression, method)
    assert refused.value.code() == code
    assert refused.value.details()
    assert retry(refused.value) is None
    assert told(channel, MESSAGE) == NOTHING
    assert count(receiver._store.path) == 2


def retry(error: grpc.RpcError) -> float | None:
    """After how many seconds a call is to be made again; None: never."""
    metadata: Any = error.trailing_metadata()  # pairs, of which its stubs do not know
    for name, value in metadata or ():
        if name == "grpc-status-details-bin":
            (detail,) = Status.FromString(value).details
            info = RetryInfo()
            assert detail.Unpack(info)
            seconds: float = info.retry_delay.seconds
            return seconds
    return None


def test_more_calls_than_places_are_told_to_come_again(start: Start, channel_to: To) -> None:
    receiver = start(requests=1, wait_s=0.1, read_s=30.0)
    channel = channel_to(receiver)
    go_on = threading.Event()

    def slowly() -> Iterator[bytes]:
        go_on.wait(20)
        yield MESSAGE

    # On the wire no different from a unary call whose message takes its time.
    stream: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(EXPORT)
    slow = stream.future(slowly(), timeout=30)
    until = time.monotonic() + 10
    while True:
        assert time.monotonic() < until
        try:
            export(channel, MESSAGE)
        except grpc.RpcError as error:
            refused = error
            break
    assert refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry(refused) == 1
    go_on.set()
    assert slow.result() == b""
    assert told(channel, MESSAGE) == NOTHING


def test_one_whose_message_does_not_come_is_told_to_go(start: Start, channel_to: To) -> None:
    receiver = start(requests=1, wait_s=5.0, read_s=0.3)
    channel = channel_to(receiver)
    go_on = threading.Event()

    def never() -> Iterator[bytes]:
        go_on.wait(20)
        yield b""

    stream: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(EXPORT)
    call = stream.future(never(), timeout=30)
    with pytest.raises(grpc.RpcError) as refused:
        call.result()
    assert refused.value.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)
    go_on.set()
    assert told(channel, MESSAGE) == NOTHING


def test_of_spans_that_are_none_the_sender_is_told(start: Start, channel_to: To) -> None:
    receiver = start()
    body = a_message("one", "two", "three").replace(b"two", b"\xff\xff\xff")
    partial = told(channel_to(receiver), body).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message == "the others are kept: 1 span not understood"
    assert count(receiver._store.path) == 2


def test_zlib_heads_are_not_taken_for_messages() -> None:
    from dnpcsql.receivers.grpc_server import _encoding

    for level in range(10):
        assert _encoding(zlib.compress(MESSAGE, level)) == "deflate"
        assert _encoding(gzip.compress(MESSAGE, level)) == "gzip"
    assert _encoding(MESSAGE) == _encoding(b"") == ""
