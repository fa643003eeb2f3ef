"""parsl_tracing.pickle: what Parsl's DESC branch wrote of itself when a run had ended.

    {"events": [(1677075132.6, "START", "TASK", 7), …], "binds": [("TASK", 7, "TRY", (7, 0)), …]}

An event is a time, what happened, and the type and id of a span; a bind says which span is in
which. A span is there by being mentioned. The file is never unpickled: see safe_pickle.py. It names
no run; the directory in which it lies does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql.clock import epoch_ns
from dnpcsql.errors import UnreadableError
from dnpcsql.identity import NAMED, PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.safe_pickle import TornError, stream
from dnpcsql.records import Containment, Event, Facet, Problem, Record, Span, Tally

_LISTS = frozenset({"events", "binds"})
_LONGEST = 200
_REMEMBERED = 100_000
_PLAIN = (str, int, float, bytes, type(None))


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file is such a pickle: by its name, or by how it begins."""
    pickled = head[:1] == b"\x80" and head[1:2] <= b"\x05" and b"events" in head[:40]
    return path.name == "parsl_tracing.pickle" or pickled


def parsl_tracing(path: Path, context: Context) -> Iterator[Record]:
    """All events and binds. Raises UnreadableError for a pickle that holds anything else."""
    tracing: Tracing | None = None
    understood = items = 0
    try:
        for name, item in stream(path, _LISTS):
            if not name:
                _check(path, item)
                break
            items += 1
            if tracing is None:
                scope, problems = context.run_or_scope(_head(path))
                yield from problems
                tracing = Tracing(scope, context.run_id is not None)
            try:
                made = tracing.event(items, item) if name == "events" else tracing.bind(items, item)
                yield from made
                understood += 1
            except (TypeError, ValueError, OverflowError) as error:
                yield Problem(items, f"{name[:-1]} not understood", str(error)[:_LONGEST])
    except TornError as error:
        yield Problem(items, "torn record", f"the pickle is cut off or damaged: {error}")
    if tracing is not None:
        yield from tracing.finish()
    yield Tally(items, items, understood, {}, utc_offset_how="times are epochs")


def _head(path: Path) -> str:
    """The first events, which no other file has. Not as they are written by Python: a tuple that
    holds another twice, and so on, is of any length."""
    with path.open("rb") as file:
        return file.read(4096).hex()


def _check(path: Path, pickled: Any) -> None:
    if not isinstance(pickled, dict) or not pickled.keys() >= _LISTS:
        raise UnreadableError(f"{path}: a pickle, but not Parsl's tracing: no events and binds")


class Tracing:
    """Turns the items of one file into records; remembers which spans were mentioned of late."""

    def __init__(self, scope: str, in_run: bool) -> None:
        """`in_run`: whether the scope is a run, whose parsl.log tells of the same tasks."""
        self._names = Names(scope, NAMED)
        self._parsl = Names(scope, PARSL_LOG)
        self._in_run = in_run
        self._workflow = self._names.named("parsl.tracing.workflow")
        self._mentioned: set[str] = set()
        self._first: int | None = None
        self._last: int | None = None

    def event(self, number: int, item: Any) -> list[Record]:
        """Something that happened to a span. ValueError or TypeError for what is no event."""
        time, name, span_type, span_id = _four(item)
        if type(time) not in (int, float):
            raise ValueError(f"no time: {time!r:.80}")
        unix_nano = epoch_ns(str(time))
        self._first = unix_nano if self._first is None else min(self._first, unix_nano)
        self._last = unix_nano if self._last is None else max(self._last, unix_nano)
        records, uuid = self._mention(number, span_type, span_id)
        return [*records, Event(uuid, unix_nano, _text(name), number)]

    def bind(self, number: int, item: Any) -> list[Record]:
        """One span is in another. ValueError or TypeError for what is no bind."""
        outer_type, outer_id, inner_type, inner_id = _four(item)
        outer, outer_uuid = self._mention(number, outer_type, outer_id)
        inner, inner_uuid = self._mention(number, inner_type, inner_id)
        return [*outer, *inner, Containment(outer_uuid, inner_uuid)]

    def finish(self) -> Iterator[Record]:
        """The run itself, from the first event to the last."""
        yield Span(
            self._workflow, "parsl.tracing.workflow", self._names.trace_high, name="workflow",
            start_unix_nano=self._first, end_unix_nano=self._last, line=1,
        )  # fmt: skip
        if self._in_run:
            yield Facet(self._parsl.workflow(), self._workflow, "in the directory of the run")

    def _mention(self, number: int, span_type: Any, span_id: Any) -> tuple[list[Record], str]:
        type_ = f"parsl.tracing.{_text(span_type)}"
        uuid = self._names.named(type_, _key(span_id))
        if uuid in self._mentioned:
            return [], uuid
        if len(self._mentioned) >= _REMEMBERED:
            self._mentioned.clear()
        self._mentioned.add(uuid)
        span = Span(uuid, type_, self._names.trace_high, name=_text(span_type).lower(), line=number,
                    note=f"{span_type} {_key(span_id)}"[:_LONGEST])  # fmt: skip
        if span_type != "TASK":
            return [span], uuid
        records: list[Record] = [span, Containment(self._workflow, uuid)]
        if self._in_run and type(span_id) is int and 0 <= span_id < 10**10:
            records.append(Facet(self._parsl.task(span_id), uuid, "same run and task"))
        return records, uuid


def _four(item: Any) -> tuple[Any, Any, Any, Any]:
    if not isinstance(item, tuple | list) or len(item) != 4:
        raise ValueError(f"four values expected, not {type(item).__name__}")
    first, second, third, fourth = item
    return first, second, third, fourth


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"no name: {type(value).__name__}")
    return value[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def _key(value: Any) -> str:
    """A span's id, as text: a number, a text, or a tuple of some, such as (task, try)."""
    if isinstance(value, _PLAIN):
        return str(value)
    few = isinstance(value, tuple | list) and len(value) <= 10
    if few and all(isinstance(part, _PLAIN) for part in value):
        return ", ".join(map(str, value))
    raise ValueError(f"no id of a span: {type(value).__name__}")
