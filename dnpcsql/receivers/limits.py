"""How much is taken at once: of messages, of requests, of memory, of time."""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dnpcsql.receivers.refusals import malformed, overloaded, too_large, unsupported

_CHUNK = 1 << 18  # bytes that come out at once
_SLICE = 1 << 14  # bytes that go in at once
_MEMBERS = 2_000  # of a body; BGZF, the format with the most, has one for each 64 KiB, and an end
_GZIP_OR_ZLIB, _RAW = 47, -15  # zlib's words for what is to be expected


@dataclass(frozen=True)
class Limits:
    """What a receiver takes; bytes and seconds."""

    message: int = 16 << 20  # of one request, before and after decompression
    spans: int = 100_000  # of one request: those that say nothing take 2 bytes each
    inside: int = 500_000  # events and links of one request
    memory: int = 128 << 20  # that all requests at hand may take, as far as that can be known
    requests: int = 16  # that are read or written at once
    connections: int = 512  # of HTTP
    wait_s: float = 2.0  # for one of these to be free, before the sender is told to come again
    read_s: float = 30.0  # from a request's first byte to its last
    idle_s: float = 60.0  # between two requests of a connection
    drain_s: float = 10.0  # for what is under way when the receiver stops


class Room:
    """The memory that one request takes."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.held = 0

    def take(self, size: int) -> None:
        """Take so many bytes more. Raises RefusedError if there are no more."""
        self._gate.take(self, size)


class Gate:
    """Lets in as many requests as there is room for."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.requests)
        self._lock = threading.Lock()
        self._held = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[Room]:
        """A place among the requests at hand. Raises RefusedError if none gets free in time."""
        if not self._slots.acquire(timeout=self._limits.wait_s):
            raise overloaded()
        room = Room(self)
        try:
            yield room
        finally:
            with self._lock:
                self._held -= room.held
            self._slots.release()

    def take(self, room: Room, size: int) -> None:
        """Take memory for a request; one that is alone gets all that it may have."""
        with self._lock:
            alone = self._held == room.held
            if self._held + size > self._limits.memory and not alone:
                raise overloaded()
            self._held += size
            room.held += size


def unpacked(packed: bytes, encoding: str, limit: int, take: Callable[[int], None]) -> bytes:
    """A body as it was before it was compressed; of a bomb no more than the limit is unpacked.

    Raises RefusedError for an unknown encoding, a damaged body, or one too large.
    """
    if encoding in ("", "identity"):
        return packed
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise unsupported(f"no such encoding here: {encoding}; gzip and deflate are")
    try:
        return _inflated(packed, _GZIP_OR_ZLIB, limit, take)
    except zlib.error as error:
        if encoding != "deflate":
            raise malformed(f"not {encoding}: {error}") from None
    # Some send deflate as it is, without zlib's head.
    try:
        return _inflated(packed, _RAW, limit, take)
    except zlib.error as error:
        raise malformed(f"not deflate: {error}") from None


def _inflated(packed: bytes, expected: int, limit: int, take: Callable[[int], None]) -> bytes:
    """All members of a body, one behind the other.

    It is fed in slices: what a member leaves of its input is copied, and there may be many.
    """
    given = memoryview(packed)
    parts: list[bytes] = []
    size = at = members = 0
    while at < len(given) or not members:
        members += 1
        if members > _MEMBERS:
            raise malformed(f"compressed in more than {_MEMBERS:,} parts")
        member = zlib.decompressobj(expected)
        while not member.eof:
            fed = given[at : at + _SLICE]
            part = member.decompress(fed, _CHUNK)
            at += len(fed) - len(member.unconsumed_tail)
            if part:
                size += len(part)
                if size > limit:
                    raise too_large(limit)
                take(len(part))
                parts.append(part)
            elif not (fed or member.eof):
                raise malformed("the compressed body is cut off")
        at -= len(member.unused_data)
    return b"".join(parts)
