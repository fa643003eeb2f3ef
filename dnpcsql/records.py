"""All that an importer may yield.

Each record is a row: its fields are the columns of its table, in order, except for the
`source_id`, which the store knows. Times are whole nanoseconds since the epoch, attributes
are JSON text, and `line` is where the source says so (1-based line of a text file, rowid of
a database table).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias


class Span(NamedTuple):
    """Something that takes time: a task, a try, a worker.

    A source may yield one span several times, each time with what it has learned by then:
    a field that is None leaves what was said before. Start, end and status that no source
    states are derived from the span's events.
    """

    uuid: str
    type: str
    trace_high: str
    note: str | None = None
    parent_uuid: str | None = None
    name: str | None = None
    kind: int | None = None
    start_unix_nano: int | None = None
    end_unix_nano: int | None = None
    status_code: int | None = None
    status_message: str | None = None
    attributes: str | None = None
    line: int | None = None
    resource_id: str | None = None
    scope_id: str | None = None
    original_span_id: str | None = None
    trace_state: str | None = None
    flags: int | None = None
    dropped_attributes_count: int | None = None
    dropped_events_count: int | None = None
    dropped_links_count: int | None = None


class Event(NamedTuple):
    """A moment in a span's life."""

    span_uuid: str
    time_unix_nano: int
    type: str
    line: int
    note: str | None = None
    attributes: str | None = None
    dropped_attributes_count: int | None = None


class Containment(NamedTuple):
    """One span lies within another. `key` tells apart the ways in which it does."""

    superspan_uuid: str
    subspan_uuid: str
    key: str = ""
    note: str | None = None


class Facet(NamedTuple):
    """Two spans are accounts of one thing; neither is the parent."""

    left_uuid: str
    right_uuid: str
    note: str | None = None


class Link(NamedTuple):
    """A span refers to another that does not contain it: a dependency, a join, an OTel link."""

    span_uuid: str
    linked_uuid: str
    type: str
    ordinal: int = 0
    trace_id: str | None = None
    span_id: str | None = None
    trace_state: str | None = None
    flags: int | None = None
    attributes: str | None = None
    dropped_attributes_count: int | None = None


class Sample(NamedTuple):
    """A reading of many numbers at one time: `metrics` is a JSON object, name → number."""

    span_uuid: str
    time_unix_nano: int
    line: int
    metrics: str


class Resource(NamedTuple):
    """Who tells: service, host, process. `id` is a hash of the content."""

    id: str
    attributes: str | None = None
    schema_url: str | None = None
    dropped_attributes_count: int | None = None
    entity_refs: str | None = None


class Scope(NamedTuple):
    """The instrumentation that tells. `id` is a hash of the content."""

    id: str
    name: str | None = None
    version: str | None = None
    attributes: str | None = None
    schema_url: str | None = None
    dropped_attributes_count: int | None = None


class Told(NamedTuple):
    """A span of another program, with all that its file says of it.

    Other programs give one id to several spans. `span.uuid` is the one that its ids make; which
    span gets it, and which another, is for the store to say (settling.py).
    """

    span: Span
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()


class Problem(NamedTuple):
    """What was not understood, and where. Never fatal."""

    line: int | None
    kind: str
    text: str
    times: int = 1


class Tally(NamedTuple):
    """How much of its source an importer read and understood; yielded once, last.

    `messages` counts by shape what was read and not used: {shape: (count, known)}, where
    `known` says that the importer leaves such messages out on purpose. `utc_offset` and how it
    was known are said by an importer that does not go by the clock of its context.
    """

    lines: int
    records: int
    understood: int
    messages: dict[str, tuple[int, bool]]
    utc_offset: str | None = None
    utc_offset_how: str | None = None


Record: TypeAlias = (
    Span | Event | Containment | Facet | Link | Sample | Resource | Scope | Told | Problem | Tally
)
