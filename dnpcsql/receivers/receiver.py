"""A receiver: two servers, one recorder, from `start` to `stop`."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from dnpcsql.errors import DnpcsqlError, QueryError
from dnpcsql.receivers.limits import Gate, Limits
from dnpcsql.receivers.recorder import Received, Recorder
from dnpcsql.store import Store

if TYPE_CHECKING:
    import grpc

    from dnpcsql.receivers.grpc_server import GrpcServer
    from dnpcsql.receivers.http_server import HttpServer
    from dnpcsql.receivers.messages import Message

GRPC_ADDRESS, HTTP_ADDRESS = "127.0.0.1:4317", "127.0.0.1:4318"


class Receiver:
    """Takes OTLP traces in, by gRPC and HTTP, and writes them to a database.

    with Receiver("dnpc.sqlite3") as receiver: ...

    Whatever it has answered is on the disk. It listens on this machine only, unless there is a
    certificate or it is told to be `insecure`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        grpc: str | None = GRPC_ADDRESS,
        http: str | None = HTTP_ADDRESS,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        insecure: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """`path`: the database, as in `dnpcsql.open`. `grpc`, `http`: host:port; port 0 is any
        that is free; None: not that one. `certificate`, `key`: PEM files, for TLS.

        Raises QueryError for an address that cannot be.
        """
        self._store = Store(path)
        self._limits = limits or Limits()
        self._gate = Gate(self._limits)
        self._tls = _pem(certificate, key)
        self._wanted_grpc = _address("grpc", grpc, self._tls is not None or insecure)
        self._wanted_http = _address("http", http, self._tls is not None or insecure)
        if self._wanted_grpc is None and self._wanted_http is None:
            raise QueryError("neither gRPC nor HTTP is to be listened to")
        self._grpc: GrpcServer | None = None
        self._http: HttpServer | None = None
        self._recorder: Recorder | None = None
        self._lock = threading.Lock()
        self._refused = 0
        self.grpc_address: str | None = None
        self.http_address: str | None = None

    def __enter__(self) -> Receiver:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def session(self) -> str:
        """The path of the source that this is: `otlp://received/` and when it began."""
        return self._recorder.session.path if self._recorder else ""

    @property
    def received(self) -> Received:
        """What was taken in so far."""
        received = self._recorder.session.received if self._recorder else Received()
        received.refused = self._refused
        return received

    def start(self) -> None:
        """Listen. Raises DnpcsqlError if an address is taken or the database not to be had."""
        try:
            self._bind()
            self._recorder = Recorder(self._store)
        except BaseException:
            self._close_servers()
            raise
        for server in (self._grpc, self._http):
            if server is not None:
                server.start()

    def stop(self) -> str | None:
        """Let what is under way be finished, write it, and make the database one file again.

        Returns why it is not, if another program has it open.
        """
        if self._recorder is None:
            return None
        threads = [
            threading.Thread(target=server.stop)
            for server in (self._grpc, self._http)
            if server is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._recorder.close()

    def _bind(self) -> None:
        """The servers of the libraries are loaded where they are needed."""
        if self._wanted_http is not None:
            from dnpcsql.receivers.http_server import HttpServer

            host, port = self._wanted_http
            with _telling(host, port):
                self._http = HttpServer(
                    (host, port), self._http_tls(), self._record, self._count_refused,
                    self._gate, self._limits,
                )  # fmt: skip
            self.http_address = _shown(host, self._http.port)
        if self._wanted_grpc is not None:
            from dnpcsql.receivers.grpc_server import GrpcServer

            host, port = self._wanted_grpc
            with _telling(host, port):
                # gRPC itself says no more than that it failed.
                socket.create_server((host, port), family=_family(host)).close()
                self._grpc = GrpcServer(
                    _shown(host, port), self._grpc_tls(), self._record, self._count_refused,
                    self._gate, self._limits,
                )  # fmt: skip
            self.grpc_address = _shown(host, self._grpc.port)

    def _close_servers(self) -> None:
        if self._http is not None:
            self._http.server_close()
        if self._grpc is not None:
            self._grpc.stop()

    def _record(self, message: Message) -> None:
        assert self._recorder is not None
        self._recorder.record(message)

    def _count_refused(self) -> None:
        with self._lock:
            self._refused += 1

    def _http_tls(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(*self._tls)
        except ssl.SSLError as error:
            raise QueryError(f"{self._tls[0]}, {self._tls[1]}: {error}") from None
        return context

    def _grpc_tls(self) -> grpc.ServerCredentials | None:
        if self._tls is None:
            return None
        import grpc

        certificate, key = (path.read_bytes() for path in self._tls)
        return grpc.ssl_server_credentials([(key, certificate)])


def _pem(
    certificate: str | os.PathLike[str] | None, key: str | os.PathLike[str] | None
) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise QueryError("TLS needs both, a certificate and its key")
    for path in (certificate, key):
        if not Path(path).is_file():
            raise QueryError(f"{os.fspath(path)}: no such file")
    return Path(certificate), Path(key)


def _address(what: str, text: str | None, anywhere: bool) -> tuple[str, int] | None:
    """A host and a port. `anywhere`: not on this machine only."""
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise QueryError(f"{what} address {text!r}: host:port is wanted, like 127.0.0.1:4317")
    if not anywhere and not _is_loopback(host):
        raise QueryError(
            f"{text} can be reached from other machines: give --certificate and --key for TLS, "
            "or say --insecure; to listen on this machine only, 127.0.0.1"
        )
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def _telling(host: str, port: int) -> Iterator[None]:
    """Turn errors of the sockets into ones that say what to do."""
    try:
        yield
    except OSError as error:
        shown = _shown(host, port)
        if error.errno == errno.EADDRINUSE:
            raise DnpcsqlError(
                f"{shown} is taken by another program (a Jaeger, a Collector, another `dnpcsql "
                "serve`?): stop that, or listen elsewhere with --listen and --http"
            ) from None
        raise DnpcsqlError(f"{shown} cannot be listened on: {error}") from None
    except RuntimeError as error:
        raise DnpcsqlError(f"{_shown(host, port)} cannot be listened on: {error}") from None
