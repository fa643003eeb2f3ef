"""Where spans go: a file of each process, or a database."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from dnpcsql.otlp import json_codec
from dnpcsql.otlp.incoming import OTEL, Incoming
from dnpcsql.otlp.protobuf_codec import decode


class FileExporter(SpanExporter):
    """Writes OTLP/JSON, a line for each batch of spans, to a file of this process alone."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """The directory is made if it is not there."""
        self._directory = Path(directory)
        self._file: tuple[int, int] | None = None  # whose it is, and its descriptor
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand them to the operating system: they outlive this process, whatever ends it."""
        lines = b"".join(
            json.dumps({"resourceSpans": _elements(message)}, separators=(",", ":")).encode()
            + b"\n"
            for message in encode_spans(spans).resource_spans
        )
        try:
            with self._lock:
                os.write(self._descriptor(), lines)
        except OSError as error:
            print(f"dnpcsql.tracing: {self._directory}: {error.strerror}", file=sys.stderr)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _descriptor(self) -> int:
        if self._file is None or self._file[0] != os.getpid():
            self._directory.mkdir(parents=True, exist_ok=True)
            name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}.jsonl"
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.getpid(), os.open(self._directory / name, flags, 0o644)
        return self._file[1]

    def shutdown(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None and self._file[0] == os.getpid():
                os.close(self._file[1])
            self._file = None


class StoreExporter(SpanExporter):
    """Writes spans into a database, for a program of one process: no file between.

    provider.add_span_processor(BatchSpanProcessor(StoreExporter("dnpc.sqlite3")))

    A program's spans are one source, as a session of `dnpcsql serve` is.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """`path`: as in `dnpcsql.open`. Raises DnpcsqlError if it is not to be had."""
        from dnpcsql.receivers.recorder import Session
        from dnpcsql.store import Store

        self._process = os.getpid()
        self._lock = threading.Lock()
        self._store = Store(path)
        self._store.writing()
        self._session = Session(self._store)

    @property
    def source(self) -> str:
        """The path of the source that this is."""
        return self._session.path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write them, durably."""
        from dnpcsql.errors import DnpcsqlError
        from dnpcsql.receivers.messages import of_protobuf

        if os.getpid() != self._process:  # an open database must not be carried over a fork
            return SpanExportResult.FAILURE
        message = of_protobuf(encode_spans(spans).SerializeToString())
        try:
            with self._lock:
                self._session.add([message])
        except DnpcsqlError as error:
            print(f"dnpcsql.tracing: {error}", file=sys.stderr)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the database."""
        if os.getpid() == self._process:
            with self._lock:
                self._store.close()


def _elements(message: ResourceSpans) -> list[dict[str, Any]]:
    return list(json_codec.encode(decode(message, Incoming(OTEL))))
