"""OTLP over HTTP: POST /v1/traces, protobuf or JSON."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, BinaryIO, cast

from dnpcsql.receivers import messages
from dnpcsql.receivers.http_bodies import Deadlined, content_length, read_body
from dnpcsql.receivers.limits import Gate, Limits, unpacked
from dnpcsql.receivers.messages import Message
from dnpcsql.receivers.refusals import RefusedError, failed, too_slow, unsupported

PATH = "/v1/traces"
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_ANSWER_S = 10.0
_LINGER_S = 2.0
_CODES = {400: 3, 404: 12, 405: 12, 414: 3, 431: 3, 501: 12, 505: 3}  # google.rpc.Code


class HttpServer(ThreadingMixIn, HTTPServer):
    """Listens from when it is made; answers from `start` to `stop`. A thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        tls: ssl.SSLContext | None,
        record: Callable[[Message], None],
        refused: Callable[[], None],
        gate: Gate,
        limits: Limits,
    ) -> None:
        """Raises OSError if the address cannot be had."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.record = record
        self.refused = refused
        self.gate = gate
        self.limits = limits
        self.stopping = False
        self._tls = tls
        self._lock = threading.Condition()
        self._idle: set[socket.socket] = set()
        self._open = 0
        super().__init__(address, _Handler)
        self.port: int = self.server_address[1]

    def server_bind(self) -> None:
        """As HTTPServer's own, but for a look into the DNS."""
        super(HTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def start(self) -> None:
        """Answer."""
        threading.Thread(
            target=self.serve_forever, args=(0.1,), name="dnpcsql-http", daemon=True
        ).start()

    def stop(self) -> None:
        """Take no more requests, and wait for those that are under way."""
        self.stopping = True
        self.shutdown()
        self.server_close()
        until = time.monotonic() + self.limits.drain_s
        with self._lock:
            while self._open and time.monotonic() < until:
                for connection in self._idle:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                self._lock.wait(0.1)

    def get_request(self) -> tuple[Any, Any]:
        """A connection; with TLS, its thread shakes hands."""
        connection, address = self.socket.accept()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open += 1
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more connection."""
        return self._open <= self.limits.connections

    def shutdown_request(self, request: Any) -> None:
        """A connection is done with."""
        super().shutdown_request(request)
        with self._lock:
            self._open -= 1
            self._lock.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hung up is no error of ours; others were answered."""

    @contextlib.contextmanager
    def idle(self, connection: socket.socket) -> Iterator[None]:
        """While a connection waits for its next request, it may be closed."""
        with self._lock:
            self._idle.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._idle.discard(connection)

    def server_close(self) -> None:
        """Listen no more; whoever is being answered is waited for elsewhere."""
        self.socket.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dnpcsql", ""
    server: HttpServer
    connection: socket.socket
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._raw = Deadlined(self.connection)
        # It is buffered, and made of one that waits but so long.
        self.rfile = io.BufferedReader(self._raw)
        self._unread = False

    def handle(self) -> None:
        self.connection.settimeout(self.server.limits.read_s)
        with contextlib.suppress(OSError):  # they hung up, or are no TLS
            if isinstance(self.connection, ssl.SSLSocket):
                self.connection.do_handshake()
            super().handle()

    def handle_one_request(self) -> None:
        """One of a connection's requests, if another comes."""
        limits = self.server.limits
        self._raw.within(limits.idle_s)
        self.close_connection = True
        with self.server.idle(self.connection):
            if self.server.stopping or not self.rfile.peek(1):  # type: ignore[attr-defined]
                return
        self._raw.within(limits.read_s)
        self._unread = False
        super().handle_one_request()
        if self.server.stopping:
            self.close_connection = True
        if self._unread:
            self.close_connection = True
            self._linger()

    def do_POST(self) -> None:
        """Take in one ExportTraceServiceRequest."""
        self._unread = True
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else ""
        try:
            if self.path.partition("?")[0] != PATH:
                text = f"nothing here but POST {PATH}: dnpcsql keeps traces, not metrics or logs"
                raise RefusedError(404, 12, text)
            if kind not in (_PROTOBUF, _JSON):
                raise unsupported(f"Content-Type {kind or '(none)'}: {_PROTOBUF} or {_JSON}")
            answer = self._taken(kind)
        except TimeoutError:
            self._refuse(too_slow(), kind)
        except RefusedError as refusal:
            self._refuse(refusal, kind)
        except OSError:
            raise
        except Exception as error:
            self._refuse(failed(error), kind)
        else:
            self._answer(200, kind, answer)

    def _taken(self, kind: str) -> bytes:
        limits = self.server.limits
        with self.server.gate.admitted() as room:
            stream = cast(BinaryIO, self.rfile)
            packed = read_body(self.headers, stream, limits.message, room.take)
            self._unread = False
            encoding = self.headers.get("Content-Encoding", "").strip().lower()
            body = unpacked(packed, encoding, limits.message, room.take)
            message = messages.admitted(body, is_json=kind == _JSON, limits=limits, take=room.take)
            self.server.record(message)
            if kind == _JSON:
                return message.answer_json()
            return message.answer().SerializeToString()

    def _not_allowed(self) -> None:
        """Any other method: GET, for one who looks by browser."""
        self._unread = True
        refusal = RefusedError(405, 12, f"nothing here but POST {PATH}")
        self._refuse(refusal, _JSON, Allow="POST")

    do_GET = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _not_allowed  # noqa: N815

    def handle_expect_100(self) -> bool:
        """Whether a body may come: not one that is said to be too large."""
        with contextlib.suppress(RefusedError):
            if content_length(self.headers.get_all("Content-Length", ["0"])) > (
                self.server.limits.message
            ):
                return True  # do_POST says so
        return super().handle_expect_100()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library finds wrong with a request's head."""
        self._unread = True
        self.close_connection = True
        self._refuse(RefusedError(code, _CODES.get(code, 3), message or "bad request"), _JSON)

    def _refuse(self, refusal: RefusedError, kind: str, **more: str) -> None:
        self.server.refused()
        if refusal.retry_s is not None:
            more["Retry-After"] = str(refusal.retry_s)
        if refusal.http == 415:
            more["Accept-Encoding"] = "gzip, deflate"
        if kind == _PROTOBUF:
            self._answer(refusal.http, kind, refusal.status(), **more)
        else:
            self._answer(refusal.http, _JSON, refusal.status_json(), **more)

    def _answer(self, status: int, kind: str, body: bytes, **more: str) -> None:
        self.connection.settimeout(_ANSWER_S)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        if self._unread or self.close_connection or self.server.stopping:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _linger(self) -> None:
        """Read what is still being sent, for a while: a reset would take the answer with it."""
        with contextlib.suppress(OSError, ValueError):
            self._raw.within(_LINGER_S)
            if not isinstance(self.connection, ssl.SSLSocket):
                self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(1 << 16):
                pass

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Requests are counted, not told of one by one."""
