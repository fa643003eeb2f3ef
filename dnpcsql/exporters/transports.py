"""One request to a receiver, by gRPC or HTTP, and what its answer means."""

from __future__ import annotations

import gzip
import re
import time
import zlib
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dnpcsql.exporters.settings import Endpoint

if TYPE_CHECKING:
    import grpc
    import requests

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_ANSWER_LIMIT = 1 << 16
_SHOWN = 300

_NOBODY = re.compile(r"failed to connect|onnection refused|DNS")
_BROKEN = re.compile(r"onnect|[Ss]ocket|GOAWAY|DNS|RST_STREAM")

# grpc: received message larger than max (5000000 vs. 4194304)
# Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes
# gRPC message exceeds maximum size 4194304: 5000000
_LARGE = re.compile(r"larger than max|too large|exceeds maximum size")


class Answer(NamedTuple):
    """A receiver took a request, except for so many spans."""

    rejected: int = 0
    message: str = ""


class NotNowError(Exception):
    """To be tried again, not before `after_s` if that is given.

    `unreachable`: nobody listens. `answered`: the receiver said so itself.
    """

    def __init__(
        self,
        text: str,
        after_s: float | None = None,
        *,
        unreachable: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(text)
        self.after_s = after_s
        self.unreachable = unreachable
        self.answered = answered


class TooLargeError(Exception):
    """The request is more than the receiver takes at once."""


class RefusedError(Exception):
    """The receiver will never take it."""


class Transport(Protocol):
    """Sends requests to one endpoint."""

    def send(self, body: bytes) -> Answer:
        """One request. Raises NotNowError, TooLargeError or RefusedError."""

    def close(self) -> None:
        """Let go of the connection."""


def transport(endpoint: Endpoint) -> Transport:
    """The one for the endpoint's protocol."""
    return Grpc(endpoint) if endpoint.protocol == "grpc" else Http(endpoint)


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
    text = f"{code.name}: {_words(details)}"
    after = _retry_info(error)
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
    """How long the receiver asks to wait."""
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            for detail in Status.FromString(value).details:
                if detail.Is(RetryInfo.DESCRIPTOR):
                    info = RetryInfo.FromString(detail.value)
                    return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


class Http:
    """OTLP/HTTP, protobuf or JSON."""

    def __init__(self, endpoint: Endpoint) -> None:
        import requests

        self._session = requests.Session()
        if endpoint.certificate is not None:
            self._session.verify = endpoint.certificate
        if endpoint.client_certificate is not None:
            key = endpoint.client_key
            certificate = endpoint.client_certificate
            self._session.cert = certificate if key is None else (certificate, key)
        kind = "json" if endpoint.protocol == "http/json" else "x-protobuf"
        self._session.headers.update(
            {**dict(endpoint.headers), "content-type": f"application/{kind}"}
        )
        if endpoint.compression != "none":
            self._session.headers["content-encoding"] = endpoint.compression
        self._endpoint = endpoint

    def send(self, body: bytes) -> Answer:
        """One request."""
        import requests

        if self._endpoint.compression == "gzip":
            body = gzip.compress(body, 6)
        elif self._endpoint.compression == "deflate":
            body = zlib.compress(body)
        deadline = time.monotonic() + self._endpoint.timeout_s
        try:
            with self._session.post(
                self._endpoint.url,
                data=body,
                timeout=self._endpoint.timeout_s,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _content(answer, deadline)
        except requests.exceptions.ConnectTimeout as error:
            raise NotNowError(f"no connection: {error}", unreachable=True) from None
        except requests.exceptions.SSLError as error:
            raise RefusedError(f"TLS: {error}") from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            refused = "refused" in str(error) or "resolve" in str(error)
            raise NotNowError(f"no connection: {error}", unreachable=refused) from None
        except requests.exceptions.Timeout:
            raise NotNowError(f"no answer in {self._endpoint.timeout_s:g} s") from None
        except requests.exceptions.RequestException as error:
            raise RefusedError(str(error)) from None
        return self._answer(answer, content)

    def _answer(self, answer: requests.Response, content: bytes) -> Answer:
        status = answer.status_code
        if status == 200:
            return _partial(content, answer.headers.get("content-type", ""))
        text = f"{status} {answer.reason or ''}: {_words(content.decode('utf-8', 'replace'))}"
        if status == 413:
            raise TooLargeError(text)
        if status in (429, 502, 503, 504):
            after = _retry_after(answer.headers.get("retry-after"))
            raise NotNowError(text, after, answered=True)
        raise RefusedError(text)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _content(answer: requests.Response, deadline: float) -> bytes:
    """The body, as far as there is time and sense in reading it."""
    import requests

    content = b""
    for part in answer.iter_content(1):  # more would wait until it is full
        content += part
        if len(content) > _ANSWER_LIMIT:
            break
        if time.monotonic() > deadline:
            raise requests.exceptions.Timeout
    return content


def _partial(content: bytes, content_type: str) -> Answer:
    """What of a request was not taken."""
    from google.protobuf.json_format import Parse, ParseError
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceResponse,
    )

    try:
        if "json" in content_type:
            answer = Parse(
                content or b"{}", ExportTraceServiceResponse(), ignore_unknown_fields=True
            )
        else:
            answer = ExportTraceServiceResponse.FromString(content)
    except (ParseError, DecodeError, UnicodeDecodeError):
        words = _words(content.decode("utf-8", "replace"))
        raise RefusedError(f"an answer that is no OTLP: {words}") from None
    return Answer(answer.partial_success.rejected_spans, answer.partial_success.error_message)


def _words(text: str) -> str:
    """What a receiver says, harmless, in one line, and short."""
    line = "".join(char if char.isprintable() else " " for char in text[:_SHOWN])
    return " ".join(line.split()) + ("…" if len(text) > _SHOWN else "")


def _retry_after(text: str | None) -> float | None:
    """Seconds, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
