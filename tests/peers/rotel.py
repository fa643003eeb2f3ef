"""rotel, a collector that others wrote: it takes OTLP in all its protocols and passes it on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers.processes import Process, free_ports, listens


class Rotel(NamedTuple):
    """A running one, and where to send to."""

    process: Process
    grpc: str
    http: str


def start(directory: Path, passes_on_to: str) -> Rotel:
    """Start one that sends on, as OTLP/HTTP protobuf, what it is sent."""
    found = find_spec("rotel")
    if found is None or found.origin is None:
        pytest.skip("rotel is not installed: there is no wheel of it for this platform")
    grpc, http = free_ports(2)
    command = [
        str(Path(found.origin).with_name("rotel-agent")), "start",
        "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
        "--otlp-http-endpoint", f"127.0.0.1:{http}",
        "--exporter", "otlp",
        "--otlp-exporter-endpoint", passes_on_to,
        "--otlp-exporter-protocol", "http",
        "--pid-file", str(directory / "rotel.pid"),
    ]  # fmt: skip
    process = Process(command, {}, directory / "rotel.log", lambda: listens(grpc) and listens(http))
    return Rotel(process, f"http://127.0.0.1:{grpc}", f"http://127.0.0.1:{http}")
