"""Protobuf's fields, found in bytes or a file without decoding what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WINDOW = 1 << 16


class DamagedError(ValueError):
    """These bytes are no protobuf."""


class Field(NamedTuple):
    """Where a field stands: its tag from `start`, its content from `inside` to `end`."""

    number: int
    wire_type: int
    start: int
    inside: int
    end: int


class Data(Protocol):
    """Bytes at places."""

    def get(self, start: int, end: int) -> bytes:
        """Those from `start` to `end`, or as far as there are any."""


class Held:
    """Bytes in memory."""

    def __init__(self, held: bytes) -> None:
        self._held = held

    def get(self, start: int, end: int) -> bytes:
        """A slice."""
        return self._held[start:end]


class Read:
    """Bytes of a file."""

    def __init__(self, descriptor: int) -> None:
        self._file = descriptor
        self._window = b""
        self._at = 0

    def get(self, start: int, end: int) -> bytes:
        """Read small things by windows, large ones as they are."""
        if end - start > _WINDOW:
            return _all(self._file, start, end)
        if not (self._at <= start and end <= self._at + len(self._window)):
            self._window, self._at = _all(self._file, start, start + _WINDOW), start
        return self._window[start - self._at : end - self._at]


def _all(descriptor: int, start: int, end: int) -> bytes:
    parts = []
    while start < end and (part := os.pread(descriptor, end - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def fields(data: Data, start: int, end: int) -> Iterator[Field]:
    """The fields between two places; the last may end behind `end`, which cuts it off.

    Raises DamagedError where there is none.
    """
    while start < end:
        head = data.get(start, min(start + 20, end))
        tag, at = _varint(head, 0)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == BYTES:
            length, at = _varint(head, at)
        elif wire_type == VARINT:
            _, behind = _varint(head, at)
            length = behind - at
        else:
            length = {FIXED64: 8, FIXED32: 4}.get(wire_type, -1)
        if number == 0 or length < 0:
            raise DamagedError(f"no field at byte {start}")
        inside = start + at
        yield Field(number, wire_type, start, inside, inside + length)
        start = inside + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in data[at : at + 10]:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value, at
    raise DamagedError("cut off, or no protobuf")


# --- whether bytes are OTLP traces

_RESOURCE_SPANS, _SCOPE_SPANS = frozenset({1, 2, 3, 1000}), frozenset({1, 2, 3})
_SPAN = {
    1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES, 5: BYTES, 6: VARINT, 7: FIXED64, 8: FIXED64,
    9: BYTES, 10: VARINT, 11: BYTES, 12: VARINT, 13: BYTES, 14: VARINT, 15: BYTES, 16: FIXED32,
}  # fmt: skip


def are_traces(head: bytes) -> bool:
    """Whether bytes begin like TracesData that has a span, not like metrics, logs or text."""
    data = Held(head)
    try:
        for resource_spans in fields(data, 0, len(head)):
            if (resource_spans.number, resource_spans.wire_type) != (1, BYTES):
                return False
            for part in _inside(data, resource_spans, head, _RESOURCE_SPANS):
                if part.number in (2, 1000):
                    for span in _inside(data, part, head, _SCOPE_SPANS):
                        if span.number == 2:
                            return _is_span(data, span, head)
    except DamagedError:
        pass
    return False


def _inside(data: Data, field: Field, head: bytes, known: frozenset[int]) -> Iterator[Field]:
    for inner in fields(data, field.inside, min(field.end, len(head))):
        if inner.number not in known or inner.wire_type != BYTES:
            raise DamagedError("not of traces")
        yield inner


def _is_span(data: Data, field: Field, head: bytes) -> bool:
    """It has times, or ids of 16 and 8 bytes; a metric has a name and a description there."""
    found: dict[int, bytes] = {}
    try:
        for inner in fields(data, field.inside, min(field.end, len(head))):
            if _SPAN.get(inner.number, inner.wire_type) != inner.wire_type:
                return False
            found[inner.number] = data.get(inner.inside, inner.end)
    except DamagedError:
        pass  # cut off, where the head ends
    trace_id, span_id = found.get(1, b""), found.get(2, b"")
    have_ids = (len(trace_id), len(span_id)) == (16, 8) and not _PRINTED.fullmatch(trace_id)
    return have_ids or 7 in found or 8 in found


_PRINTED = re.compile(rb"[ -~]+")
