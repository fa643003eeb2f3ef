"""OTLP over gRPC: TraceService/Export.

Messages are taken from gRPC as they were sent and unpacked here, so that one limit holds for all
versions of gRPC. A call is let in before its message is read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc

from dnpcsql.receivers import messages
from dnpcsql.receivers.limits import Gate, Limits, unpacked
from dnpcsql.receivers.messages import Message
from dnpcsql.receivers.refusals import (
    UNIMPLEMENTED,
    RefusedError,
    malformed,
    too_slow,
)

TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
_OTHERS = (
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "opentelemetry.proto.collector.logs.v1.LogsService",
)
_WAITERS = 64  # calls that wait to be let in, each a thread
_STREAMS = 100  # calls of one connection; more wait at the sender
_CODES = {code.value[0]: code for code in grpc.StatusCode}

Export = Callable[[Iterator[bytes], grpc.ServicerContext], bytes]


class GrpcServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self,
        address: str,
        credentials: grpc.ServerCredentials | None,
        record: Callable[[Message], None],
        refused: Callable[[], None],
        gate: Gate,
        limits: Limits,
    ) -> None:
        """`address`: host:port, free as far as can be known. Raises RuntimeError if it is not."""
        self._record = record
        self._refused = refused
        self._gate = gate
        self._limits = limits
        self._server = grpc.server(
            ThreadPoolExecutor(limits.requests + _WAITERS, "dnpcsql-grpc"),
            handlers=[
                _service(TRACES, self._export),
                *(_service(name, self._not_here) for name in _OTHERS),
            ],
            options=[
                ("grpc.so_reuseport", 0),  # else a second receiver would take half of the calls
                ("grpc.max_receive_message_length", limits.message),
                ("grpc.per_message_decompression", 0),
                ("grpc.max_concurrent_streams", _STREAMS),
            ],
        )
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)

    def start(self) -> None:
        """Take calls."""
        self._server.start()

    def stop(self) -> None:
        """Take no more, and wait for those that are under way."""
        self._server.stop(self._limits.drain_s).wait()

    def _export(self, sent: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        try:
            with self._gate.admitted() as room:
                packed = self._read(sent, context)
                room.take(len(packed))
                body = unpacked(packed, _encoding(packed), self._limits.message, room.take)
                message = messages.admitted(
                    body, is_json=False, limits=self._limits, take=room.take
                )
                self._record(message)
                return message.answer().SerializeToString()
        except RefusedError as refusal:
            self._refused()
            _abort(context, refusal)

    def _read(self, sent: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """The one message of a call, if it comes in time."""
        watch = threading.Timer(self._limits.read_s, context.cancel)
        watch.daemon = True
        watch.start()
        try:
            packed = next(sent, None)
        except grpc.RpcError:  # hung up, too slow, or a message too large, of which gRPC tells
            raise too_slow() from None
        finally:
            watch.cancel()
        if packed is None:
            raise malformed("a call without a message")
        return packed

    def _not_here(self, sent: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        self._refused()
        text = "dnpcsql keeps traces, not metrics or logs"
        _abort(context, RefusedError(404, UNIMPLEMENTED, text))


def _service(name: str, export: Export) -> grpc.GenericRpcHandler:
    """A unary call looks on the wire like a stream of one message, of which the handler is called
    before that is read."""
    return grpc.method_handlers_generic_handler(
        name, {"Export": grpc.stream_unary_rpc_method_handler(export)}
    )


def _encoding(packed: bytes) -> str:
    """How a message is compressed, which gRPC does not tell. No protobuf begins as gzip does; a
    request begins with its field 1, which is no head of zlib's."""
    if packed[:2] == b"\x1f\x8b":
        return "gzip"
    head = int.from_bytes(packed[:2], "big")
    return "deflate" if packed[:1] == b"x" and head % 31 == 0 else ""


def _abort(context: grpc.ServicerContext, refusal: RefusedError) -> NoReturn:
    if refusal.retry_s is not None:
        context.set_trailing_metadata((("grpc-status-details-bin", refusal.status()),))
    context.abort(_CODES[refusal.code], str(refusal))
    raise AssertionError("abort does not return")
