"""Receivers in this process and in another."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

from dnpcsql.otlp import protobuf_codec
from dnpcsql.otlp.reading import Reader, foreign_traces
from dnpcsql.receivers import Limits, Receiver
from dnpcsql.receivers.grpc_server import TRACES
from dnpcsql.store import Store
from tests.otlp.test_round_trip import Told, spans_of

Start: TypeAlias = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(requests=1)`: a receiver with these limits, on ports that are free."""
    with contextlib.ExitStack() as opened:

        def make(database: str = "dnpc.sqlite3", **limits: float) -> Receiver:
            return opened.enter_context(
                Receiver(
                    tmp_path / database,
                    grpc="127.0.0.1:0",
                    http="127.0.0.1:0",
                    limits=Limits(**limits),  # type: ignore[arg-type]  # seconds or bytes
                )
            )

        yield make


@dataclass
class Serving:
    """`dnpcsql serve` in another process."""

    process: subprocess.Popen[str]
    database: Path
    grpc: str = ""
    http: str = ""

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Send it a signal; what it printed then."""
        self.process.send_signal(number)
        try:
            printed, _ = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            pytest.fail(f"it does not end:\n{self.process.communicate()[1]}")
        return printed


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """`serve("--max-requests", "2")`: on ports that are free, unless others are given."""
    made: list[Serving] = []

    def begin(*arguments: str, database: str = "dnpc.sqlite3") -> Serving:
        command = [sys.executable, "-m", "dnpcsql", "--db", str(tmp_path / database), "serve"]
        ports = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        process = subprocess.Popen(
            [*command, *ports, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
        serving = Serving(process, tmp_path / database)
        made.append(serving)
        assert process.stdout is not None
        for name in ("grpc", "http"):
            line = process.stdout.readline()
            found = re.fullmatch(r"listening: (?:gRPC|HTTP) (https?://[\d.:]+)\S*\n", line)
            assert found, line + process.communicate(timeout=30)[1]
            setattr(serving, name, found[1])
        return serving

    yield begin
    for serving in made:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.communicate()


def export(
    channel: grpc.Channel,
    body: bytes,
    compression: grpc.Compression | None = None,
    method: str = f"/{TRACES}/Export",
) -> bytes:
    """The answer to a message sent by gRPC, as it is. Raises grpc.RpcError."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return call(body, timeout=20, compression=compression)


def stored(database: Path) -> list[Told]:
    """All foreign spans of a database, as OTLP says them."""
    with Store(database) as store:
        reader = Reader(store.reading())
        return spans_of(
            protobuf_codec.encode(
                group for trace in foreign_traces(store.reading()) for group in reader.groups(trace)
            )
        )


def count(database: Path, sql: str = "SELECT count(*) FROM span") -> int:
    with Store(database) as store:
        found: int = store.query(sql).value()
        return found
