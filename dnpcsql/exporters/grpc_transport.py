"""OTLP/gRPC: one request, and what its answer means."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnpcsql.exporters.settings import Endpoint
from dnpcsql.exporters.transports import (
    Answer,
    NotNowError,
    RefusedError,
    TooLargeError,
    shown,
)

if TYPE_CHECKING:
    import grpc

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

# failed to connect to all addresses; last error: UNKNOWN: ipv4:…: Ssl handshake failed: …
_TLS = re.compile(r"[Ss]sl handshake|SSL_ERROR|CERTIFICATE_VERIFY|WRONG_VERSION_NUMBER")
# failed to connect to all addresses; last error: INTERNAL: … Trying to connect an http1.x server
# … Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got frame type 79)
_HTTP = re.compile(r"http1\.x server|Expected SETTINGS frame")
_NOBODY = re.compile(r"failed to connect|onnection refused|DNS")
_BROKEN = re.compile(r"onnect|[Ss]ocket|GOAWAY|DNS|RST_STREAM")

# grpc: received message larger than max (5000000 vs. 4194304)
# Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes
# gRPC message exceeds maximum size 4194304: 5000000
# the message is larger than 1,048,576 bytes: send fewer spans at a time
_LARGE = re.compile(r"larger than|too large|too big|exceeds .*size")


class Grpc:
    """OTLP/gRPC: bytes that are encoded already, by a raw call."""

    def __init__(self, endpoint: Endpoint) -> None:
        import grpc
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceResponse,
        )

        gzipped = endpoint.compression == "gzip"
        compression = grpc.Compression.Gzip if gzipped else grpc.Compression.NoCompression
        options = [("grpc.max_send_message_length", -1)]
        self._channel: grpc.Channel
        if endpoint.secure:
            self._channel = grpc.secure_channel(
                endpoint.target, _credentials(endpoint), options, compression
            )
        else:
            self._channel = grpc.insecure_channel(endpoint.target, options, compression)
        self._call: Any = self._channel.unary_unary(
            _METHOD, response_deserializer=ExportTraceServiceResponse.FromString
        )
        self._endpoint = endpoint

    def send(self, body: bytes) -> Answer:
        """One request."""
        import grpc

        try:
            answer = self._call(
                body, timeout=self._endpoint.timeout_s, metadata=self._endpoint.headers
            )
        except grpc.RpcError as error:
            raise _meaning(error) from None
        partial = answer.partial_success
        return Answer(partial.rejected_spans, partial.error_message)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def _credentials(endpoint: Endpoint) -> grpc.ChannelCredentials:
    import grpc

    def read(path: str | None) -> bytes | None:
        return None if path is None else Path(path).read_bytes()

    return grpc.ssl_channel_credentials(
        read(endpoint.certificate), read(endpoint.client_key), read(endpoint.client_certificate)
    )


def _meaning(error: grpc.RpcError) -> Exception:
    """OTLP's table of retryable codes, and two that tell that a message is too large."""
    from grpc import StatusCode

    code, details = error.code(), error.details() or ""
    text = f"{code.name}: {shown(details)}"
    after = _retry_info(error)
    if _TLS.search(details):
        return RefusedError(
            f"TLS: {shown(details)} (OTEL_EXPORTER_OTLP_CERTIFICATE names whom to trust)"
        )
    if _HTTP.search(details):
        return RefusedError(f"it speaks HTTP: add --protocol http/protobuf ({shown(details)})")
    sized = code in (StatusCode.RESOURCE_EXHAUSTED, StatusCode.OUT_OF_RANGE) and after is None
    if sized and _LARGE.search(details):
        return TooLargeError(text)
    if code in (
        StatusCode.CANCELLED, StatusCode.DEADLINE_EXCEEDED, StatusCode.ABORTED,
        StatusCode.OUT_OF_RANGE, StatusCode.UNAVAILABLE, StatusCode.DATA_LOSS,
        StatusCode.RESOURCE_EXHAUSTED,
    ):  # fmt: skip
        nobody = code is StatusCode.UNAVAILABLE and _NOBODY.search(details) is not None
        answered = code is not StatusCode.DEADLINE_EXCEEDED and not _BROKEN.search(details)
        return NotNowError(text, after, unreachable=nobody, answered=answered)
    return RefusedError(text)


def _retry_info(error: grpc.RpcError) -> float | None:
    """How long the receiver asks to wait; None too if its details cannot be read."""
    from google.protobuf.message import DecodeError
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    metadata: Any = error.trailing_metadata() or ()
    with contextlib.suppress(DecodeError):
        for key, value in metadata:
            if key == "grpc-status-details-bin":
                for detail in Status.FromString(value).details:
                    if detail.Is(RetryInfo.DESCRIPTOR):
                        delay = RetryInfo.FromString(detail.value).retry_delay
                        return float(delay.seconds + delay.nanos / 1e9)
    return None
