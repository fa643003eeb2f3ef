"""The body of an HTTP request: read in time, no more of it than the limit, whole or chunked."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from email.message import Message as Headers
from typing import BinaryIO

from dnpcsql.receivers.refusals import RefusedError, malformed, too_large

_CHUNK = 1 << 16
_LINE = 1 << 10
_TRAILERS = 64


class Deadlined(io.RawIOBase):
    """Reads from a connection until a moment that is set; a drop now and then does not do.

    Raises TimeoutError then.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until = 0.0

    def within(self, seconds: float) -> None:
        """From now on there is so much time."""
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a narrower buffer
        """Wait for some bytes."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def read_body(headers: Headers, stream: BinaryIO, limit: int, take: Callable[[int], None]) -> bytes:
    """The body that headers tell of. Raises RefusedError, and TimeoutError if it does not come."""
    coding = headers.get_all("Transfer-Encoding", [])
    lengths = headers.get_all("Content-Length", [])
    if coding:
        if lengths:
            raise malformed("both Content-Length and Transfer-Encoding")
        if [text.strip().lower() for text in coding] != ["chunked"]:
            raise RefusedError(501, 12, f"no such Transfer-Encoding here: {', '.join(coding)}")
        return _chunked(stream, limit, take)
    if not lengths:
        raise RefusedError(411, 3, "no Content-Length")
    length = content_length(lengths)
    if length > limit:
        raise too_large(limit)
    take(length)
    return _exactly(stream, length)


def content_length(lengths: list[str]) -> int:
    """How long a body is said to be. Raises RefusedError if that is not said clearly."""
    text = lengths[0].strip()
    if any(other.strip() != text for other in lengths[1:]):
        raise malformed("several Content-Lengths")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise malformed(f"a bad Content-Length: {text[:40]!r}")
    return int(text)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    parts = []
    while length:
        part = stream.read(min(length, _CHUNK))
        if not part:
            raise malformed("the body is cut off")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _chunked(stream: BinaryIO, limit: int, take: Callable[[int], None]) -> bytes:
    parts = []
    size = 0
    while length := _chunk_length(stream):
        size += length
        if size > limit:
            raise too_large(limit)
        take(length)
        parts.append(_exactly(stream, length))
        if _line(stream):
            raise malformed("a chunk is longer than it says")
    for _ in range(_TRAILERS):
        if not _line(stream):
            return b"".join(parts)
    raise malformed("too many trailers")


def _chunk_length(stream: BinaryIO) -> int:
    digits = _line(stream).partition(b";")[0].strip()
    if not 0 < len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise malformed(f"a bad chunk: {digits[:40]!r}")
    return int(digits, 16)


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LINE)
    if not line.endswith(b"\n"):
        raise malformed("the body is cut off" if len(line) < _LINE else "a bad chunk")
    return line.rstrip(b"\r\n")
