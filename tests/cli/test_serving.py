"""`dnpcsql serve` on the command line."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from dnpcsql.cli.serving import serve_command
from dnpcsql.receivers import Limits
from dnpcsql.receivers.receiver import GRPC_ADDRESS, HTTP_ADDRESS
from tests.cli.conftest import Run
from tests.receivers.conftest import Serving, count, export, serve
from tests.receivers.test_http import DOCUMENT, a_message

__all__ = ["serve"]  # a fixture


@pytest.mark.parametrize(("option", "other"), [("--listen", "--http"), ("--http", "--listen")])
def test_a_port_that_is_taken(dnpcsql: Run, tmp_path: Path, option: str, other: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = dnpcsql("serve", option, address, other, "127.0.0.1:0")
    assert ran.status == 1
    assert ran.err.startswith(f"dnpcsql: {address} is taken by another program")
    assert list(tmp_path.iterdir()) == []


WRONG: dict[str, tuple[list[str], str]] = {
    "all the world": (["--listen", "0.0.0.0:0"], "can be reached from other machines"),
    "all the world, by 6": (["--http", "[::]:0"], "can be reached from other machines"),
    "a name": (["--http", "example.org:4318"], "can be reached from other machines"),
    "no port": (["--listen", "127.0.0.1"], "host:port is wanted"),
    "no host": (["--listen", ":4317"], "host:port is wanted"),
    "a port that is none": (["--listen", "127.0.0.1:99999"], "host:port is wanted"),
    "nothing": (["--listen", "off", "--http", "off"], "neither gRPC nor HTTP"),
    "half of TLS": (["--certificate", "x"], "both, a certificate and its key"),
    "no certificate": (["--certificate", "x", "--key", "y"], "x: no such file"),
    "an address of another machine": (
        ["--listen", "192.0.2.1:4317", "--http", "off", "--insecure"],
        "192.0.2.1:4317 cannot be listened on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be(dnpcsql: Run, tmp_path: Path, case: str) -> None:
    options, text = WRONG[case]
    ran = dnpcsql("serve", *options)
    assert (ran.status, ran.out) == (1, "")
    assert text in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_ours_is_left_alone(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "dnpc.sqlite3").write_text("precious")
    ran = dnpcsql("serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert (ran.status, "is not an SQLite database" in ran.err) == (1, True)
    assert (tmp_path / "dnpc.sqlite3").read_text() == "precious"


def test_the_help_tells_the_limits_that_there_are() -> None:
    limits = Limits()
    told: dict[str | None, Any] = {one.name: one.default for one in serve_command.params}
    assert told["max_message"] << 20 == limits.message
    assert told["max_memory"] << 20 == limits.memory
    assert told["max_requests"] == limits.requests
    assert (told["listen"], told["http"]) == (GRPC_ADDRESS, HTTP_ADDRESS)


def test_insecure_when_told(serve: Callable[..., Serving]) -> None:
    serving = serve("--http", "0.0.0.0:0", "--insecure")
    with socket.create_connection(("127.0.0.1", int(serving.http.rpartition(":")[2]))):
        pass
    assert "received 0 spans" in serving.stop()


def test_bad_requests_are_in_the_summary(serve: Callable[..., Serving]) -> None:
    serving = serve()
    with socket.create_connection(("127.0.0.1", int(serving.http.rpartition(":")[2]))) as to:
        to.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"405" in to.recv(1000)
    assert "not taken: 1 requests refused, 0 spans not understood" in serving.stop()


def test_tls(serve: Callable[..., Serving], tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    serving = serve("--certificate", str(certificate), "--key", str(key), "--http", "0.0.0.0:0")
    assert serving.grpc.startswith("https://127.0.0.1:")
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    with grpc.secure_channel(serving.grpc.removeprefix("https://"), credentials) as channel:
        export(channel, a_message("by gRPC"))
    context = ssl.create_default_context(cafile=str(certificate))
    port = int(serving.http.rpartition(":")[2])
    head = b"POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n"
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        socket.create_connection(("127.0.0.1", port)) as to,
        context.wrap_socket(to, server_hostname="127.0.0.1") as secure,
    ):
        # One who shakes no hands, or speaks without TLS, holds nobody else up.
        secure.sendall(head + b"Content-Length: %d\r\n\r\n" % len(DOCUMENT) + DOCUMENT)
        assert secure.recv(1000).startswith(b"HTTP/1.1 200 ")
        plain.sendall(head + b"\r\n")
        plain.settimeout(20)
        assert b"HTTP" not in plain.recv(1000)
    assert "received 3 spans" in serving.stop()
    assert count(serving.database) == 3
