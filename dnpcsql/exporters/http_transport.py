"""OTLP/HTTP: one request, and what its answer means."""

from __future__ import annotations

import gzip
import re
import threading
import time
import zlib
from email.utils import parsedate_to_datetime
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
    import requests

_ANSWER_LIMIT = 1 << 16
_GRACE_S = 0.1  # in which the library tells better what is wrong

# BadStatusLine('\\x15\\x03\\x03\\x00\\x02\\x02P'): an alert of TLS
_TLS = re.compile(r"\\x15\\x03")


class Http:
    """OTLP/HTTP, protobuf or JSON."""

    def __init__(self, endpoint: Endpoint) -> None:
        import requests

        self._session = requests.Session()
        self._options: dict[str, Any] = {"timeout": endpoint.timeout_s}
        # Given with each request: a session's yields to REQUESTS_CA_BUNDLE.
        if endpoint.certificate is not None:
            self._options["verify"] = endpoint.certificate
        if endpoint.client_certificate is not None:
            key = endpoint.client_key
            certificate = endpoint.client_certificate
            self._options["cert"] = certificate if key is None else (certificate, key)
        if "authorization" in dict(endpoint.headers):
            self._options["auth"] = _as_it_is  # .netrc would put its own in the place
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
        try:
            answer, content = self._within(body)
        except requests.exceptions.ConnectTimeout as error:
            raise NotNowError(f"no connection: {error}", unreachable=True) from None
        except requests.exceptions.SSLError as error:
            raise RefusedError(f"TLS: {error}") from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            if _TLS.search(str(error)):
                raise RefusedError("it speaks TLS: write https://") from None
            refused = "refused" in str(error) or "resolve" in str(error)
            raise NotNowError(f"no connection: {error}", unreachable=refused) from None
        except requests.exceptions.Timeout:
            raise NotNowError(f"no answer in {self._endpoint.timeout_s:g} s") from None
        except requests.exceptions.RequestException as error:
            raise RefusedError(str(error)) from None
        return self._answer(answer, content)

    def _within(self, body: bytes) -> tuple[requests.Response, bytes]:
        """A whole request and its answer in the endpoint's time, in a thread of its own.

        The library's time is for each packet, and a header may come letter by letter.
        """
        import requests

        found: list[tuple[requests.Response, bytes]] = []
        failed: list[Exception] = []
        session = self._session

        def post() -> None:
            try:
                deadline = time.monotonic() + self._endpoint.timeout_s
                with session.post(
                    self._endpoint.url, body, allow_redirects=False, stream=True, **self._options
                ) as answer:
                    found.append((answer, _content(answer, deadline)))
            except Exception as error:  # for the one who waits
                failed.append(error)

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        thread.join(self._endpoint.timeout_s + _GRACE_S)
        if failed:
            raise failed[0]
        if not found:
            # It may still be at it: the next request gets a connection of its own.
            self._session = requests.Session()
            self._session.headers.update(session.headers)
            raise requests.exceptions.Timeout
        return found[0]

    def _answer(self, answer: requests.Response, content: bytes) -> Answer:
        status = answer.status_code
        if 200 <= status < 300:
            return _partial(content, answer.headers.get("content-type", ""))
        text = f"{status} {shown(answer.reason or '')}: {shown(content.decode('utf-8', 'replace'))}"
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


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _partial(content: bytes, content_type: str) -> Answer:
    """What of a request was not taken. It was taken, even if what is said of it cannot be read."""
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
        words = shown(content.decode("utf-8", "replace"))
        return Answer(0, f"an answer that is no OTLP: {words}")
    return Answer(answer.partial_success.rejected_spans, answer.partial_success.error_message)


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
