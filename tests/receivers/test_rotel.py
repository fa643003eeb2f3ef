"""Rotel, a third party's agent, forwards to `dnpcsql serve` what it was sent."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.conftest import DATA
from tests.otlp.test_round_trip import spans_of
from tests.receivers.conftest import Serving, export, stored

rotel = pytest.importorskip("rotel", reason="NOT RUN: rotel has no wheel for this machine")

FILE = DATA / "otlp" / "python_flask_sqlite_grpc.pb"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextlib.contextmanager
def forwarding(serving: Serving, protocol: str, place: Path) -> Iterator[str]:
    """Rotel, between us and the receiver; where it listens."""
    ports = [free_port(), free_port()]
    endpoint = serving.grpc if protocol == "grpc" else serving.http
    settings = {
        "PID_FILE": str(place / "pid"),
        "LOG_FILE": str(place / "log"),
        "OTLP_GRPC_ENDPOINT": f"127.0.0.1:{ports[0]}",
        "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{ports[1]}",
        "EXPORTER": "otlp",
        "OTLP_EXPORTER_ENDPOINT": endpoint,
        "OTLP_EXPORTER_PROTOCOL": protocol,
        "BATCH_TIMEOUT": "50ms",
    }
    environment = {f"ROTEL_{name}": value for name, value in settings.items()}
    agent = Path(rotel.__file__).with_name("rotel-agent")
    process = subprocess.Popen(
        [agent, "start"],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", ports[0])).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield f"127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_rotel_forwards(serve: Callable[..., Serving], tmp_path: Path, protocol: str) -> None:
    content = FILE.read_bytes()
    meant = spans_of(TracesData.FromString(content).resource_spans)
    serving = serve()
    with forwarding(serving, protocol, tmp_path) as address:
        with grpc.insecure_channel(address) as channel:
            export(channel, content)
        until = time.monotonic() + 20
        while len(stored(serving.database)) < len(meant):
            assert time.monotonic() < until, serving.stop()
            time.sleep(0.1)
    assert f"received {len(meant)} spans" in serving.stop()
    assert stored(serving.database) == meant
