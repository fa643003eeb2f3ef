"""What decoding a file of foreign spans needs to remember: ordinals, problems, mended ids."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from dnpcsql.identity import RUN_DIGITS, hexdigest
from dnpcsql.records import Problem, Resource, Scope, Told

OTEL: Final = "otel.span"
JAEGER: Final = "jaeger.span"
ZIPKIN: Final = "zipkin.span"
FOREIGN: Final = (OTEL, JAEGER, ZIPKIN)

TRACE_DIGITS = 32
SPAN_DIGITS = 16
TIME_LIMIT = (1 << 63) - 1
_UINT64 = 1 << 64

_HEX = re.compile(r"[0-9a-f]+")
_SHOWN = 200
_LISTED = 1_000  # problems one by one, before they are fetched; of more only the counts


class Group(NamedTuple):
    """Spans of one resource and scope; either has the id "" where nothing is said of it."""

    resource: Resource
    scope: Scope
    spans: Iterable[Told]


class Incoming:
    """One file, as far as it was decoded."""

    def __init__(self, span_type: str = OTEL) -> None:
        self.type = span_type
        self.spans = 0
        self.events = 0
        self._problems: list[Problem] = []
        self._more: Counter[str] = Counter()

    def tell(self, kind: str, text: str) -> None:
        """Count something that is not as it should be, at the span where it is."""
        if len(self._problems) < _LISTED:
            self._problems.append(Problem(self.spans, kind, text[:_SHOWN]))
        else:
            self._more[kind] += 1

    def problems(self) -> list[Problem]:
        """Those since the last call."""
        if not self._problems:
            return []
        told, self._problems = self._problems, []
        for kind, times in self._more.items():
            told.append(Problem(self.spans, kind, f"and {times:,} more until here", times))
        self._more.clear()
        return told

    def trace_id(self, text: str, resource_id: str) -> str:
        """A trace id as 32 digits. Of a bad one is made one that all spans of the resource share
        which have it, so that their tree stays whole."""
        found = self._digits(text, TRACE_DIGITS, "trace id")
        return found or hexdigest(TRACE_DIGITS, "no trace id", text, resource_id)

    def span_id(self, text: str, content: object) -> str:
        """A span id as 16 digits; a bad one is made from the span's content."""
        found = self._digits(text, SPAN_DIGITS, "span id")
        return found or hexdigest(SPAN_DIGITS, "no span id", text, content)

    def parent_id(self, text: str) -> str | None:
        """A parent's span id; None for none, or for one that cannot be."""
        if not text.strip("0"):
            return None
        return self._digits(text, SPAN_DIGITS, "parent span id")

    def linked_uuid(self, trace_id: str, span_id: str) -> str:
        """The uuid of a span that is linked to; of a bad link, one that no span has."""
        trace = self._digits(trace_id, TRACE_DIGITS, "linked trace id")
        span = self._digits(span_id, SPAN_DIGITS, "linked span id")
        if trace is None or span is None:
            return hexdigest(RUN_DIGITS + SPAN_DIGITS, "bad link", trace_id, span_id)
        return trace[-RUN_DIGITS:] + span

    def times(self, start: int, end: int) -> tuple[int | None, int | None]:
        """Start and end that are not 0 < start <= end < 2^63, as far as they can be kept."""
        if end and start > end:
            self.tell("end before start", f"{start} to {end}")
        return self._time(start, "start"), self._time(end, "end")

    def event_time(self, time: int) -> int:
        """An event's time that is not between 0 and 2^63; 0 stays 0, for the table needs one."""
        return self._time(time, "event") or 0

    def _time(self, time: int, what: str) -> int | None:
        """Beyond 2^63 SQLite has no integers: as Go programs do, the upper half is taken for
        negative times, from which the way out makes what came in."""
        if time == 0:
            self.tell("no time", f"{what} time is missing or 0")
            return None
        if 0 < time <= TIME_LIMIT:
            return time
        self.tell("time out of range", f"{what} time {time}")
        return (time + (1 << 63)) % _UINT64 - (1 << 63)

    def _digits(self, text: str, digits: int, what: str) -> str | None:
        found = text.lower().removeprefix("0x")
        if len(found) == digits and _HEX.fullmatch(found):
            if found.strip("0"):
                return found
            self.tell(f"{what} of zeros", text)
            return None
        if not found:
            self.tell(f"no {what}", "missing or empty")
            return None
        if len(found) < digits and _HEX.fullmatch(found) and found.strip("0"):
            # 64-bit trace ids are Zipkin's and Jaeger's custom; in OTLP they are an error.
            if self.type == OTEL:
                self.tell(f"short {what}", text)
            return found.zfill(digits)
        decoded = _from_base64(text, digits)
        self.tell(f"{what} in base64" if decoded else f"bad {what}", text)
        return decoded


def _from_base64(text: str, digits: int) -> str | None:
    """Proto3's own JSON writes ids so, which OTLP/JSON must not."""
    try:
        found = base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == digits and found.strip("0") else None


def resource(
    attributes: str | None, schema_url: str, dropped: int, entity_refs: str | None = None
) -> Resource:
    """A resource, its id a hash of its content."""
    content = (attributes, schema_url or None, dropped or None, entity_refs)
    return Resource(hexdigest(16, "resource", *content) if any(content) else "", *content)


def scope(name: str, version: str, attributes: str | None, schema_url: str, dropped: int) -> Scope:
    """A scope, its id a hash of its content."""
    content = (name or None, version or None, attributes, schema_url or None, dropped or None)
    return Scope(hexdigest(16, "scope", *content) if any(content) else "", *content)
