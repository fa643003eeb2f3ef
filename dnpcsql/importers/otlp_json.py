"""OTLP/JSON: one document, JSON Lines, pretty-printed, several one after another; what Jaeger's
/api/v3 answers; gzip and zstd of these.

    {"resourceSpans": [{"resource": {…}, "scopeSpans": [{"scope": {…}, "spans": [{…}, …]}]}]}

Written by the exporters of all languages, by the Collector's file exporter, and read back from
Jaeger within {"result": …}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from dnpcsql.errors import UnreadableError
from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign import Foreign
from dnpcsql.importers.json_stream import WINDOW, MalformedError, Pull, spans_of, thin
from dnpcsql.importers.recognising_traces import CONSOLE
from dnpcsql.importers.unpacked import opened
from dnpcsql.otlp.incoming import OTEL, Incoming
from dnpcsql.otlp.json_codec import decode, decode_resource, decode_scope, decode_spans, parts
from dnpcsql.otlp.json_values import Json
from dnpcsql.records import Record

_T = TypeVar("_T")

_PARTS = frozenset({"scopeSpans", "instrumentationLibrarySpans"})
_AROUND = frozenset({"result", "data"})


def otlp_json(path: Path, context: Context) -> Iterator[Record]:
    """All spans of a file, in its order. Raises UnreadableError for a console exporter's dump."""
    foreign = Foreign(OTEL)
    with opened(path) as file:
        _refuse_console(path, file.read(1 << 16))
        pull = Pull(file.fileno())
        while pull.peek():
            try:
                yield from _document(pull, foreign)
            except MalformedError as error:
                yield from foreign.damaged("malformed JSON", str(error))
                if not pull.next_document():
                    break
        yield from foreign.ended(pull.replaced)


def _refuse_console(path: Path, head: bytes) -> None:
    if CONSOLE.match(head):
        raise UnreadableError(
            f"{path}: this is what OpenTelemetry's ConsoleSpanExporter prints, not OTLP; use an "
            "OTLP exporter, such as FileSpanExporter of opentelemetry-exporter-otlp-json-file"
        )


def _document(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    if pull.peek() == "[":
        for _ in pull.elements():
            yield from _document(pull, foreign)
        return
    for key in pull.members():
        if key == "resourceSpans" and pull.peek() == "[":
            for _ in pull.elements():
                yield from _resource_spans(pull, foreign)
        elif key in _AROUND and pull.peek() in "{[":
            yield from _document(pull, foreign)
        else:
            pull.skip()


def _resource_spans(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    try:
        element = pull.value(WINDOW)
    except MalformedError:
        yield from _large(pull, foreign)
        return
    yield from element_records(element, foreign)


def element_records(element: Any, foreign: Foreign) -> Iterator[Record]:
    """The spans of one element of resourceSpans."""
    if not isinstance(element, dict):
        yield from foreign.damaged("resourceSpans not understood", str(element)[:100])
        return
    try:
        for group in decode(element, foreign.incoming):
            yield from foreign.group(group)
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        yield from foreign.damaged("resourceSpans not understood", repr(error))


def _large(pull: Pull, foreign: Foreign) -> Iterator[Record]:
    """The spans of an element that is too large to be decoded whole, or damaged."""
    element = thin(pull.again(), _PARTS)
    told = _or_empty(decode_resource, element, foreign)
    scopes = [_or_empty(decode_scope, part, foreign) for part in parts(element, foreign.incoming)]
    for number, span in spans_of(pull, _PARTS):
        if isinstance(span, MalformedError):
            yield from foreign.damaged("span not understood", str(span))
            continue
        # What the damage hid of the scopes is not known.
        by = scopes[number] if number < len(scopes) else decode_scope({}, foreign.incoming)
        one: list[Any] = [span]
        yield from foreign.spans(told, by, decode_spans(one, told, by, foreign.incoming))


def _or_empty(decode: Callable[[Json, Incoming], _T], said: Json, foreign: Foreign) -> _T:
    """What is said of spans; as if nothing were where it makes no sense, for the spans may."""
    try:
        return decode(said, foreign.incoming)
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
        return decode({}, foreign.incoming)
