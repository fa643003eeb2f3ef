"""METRIC lines, which may stand in any log: a reading of many numbers, as a sample.

    1669383194.390360 2022-11-25 13:33:14 MainProcess-30062 FlowControl-Thread-140018264450816
    parsl.dataflow.strategy:217 _general_strategy DEBUG: METRIC STRATEGY htex_Local active_tasks=3
    running_blocks=2

The time in front, whatever else, METRIC, the type of what was measured, its name, and what was
measured of it. A log that one of the importers knows is read by that one, and its METRIC lines are
told with the rest; any other log with such lines is read for them alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import NAMED, PARSL_LOG, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context, Importing
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, shape
from dnpcsql.records import Containment, Problem, Record, Sample, Span, Tally

_WORD = b"METRIC "
_CHUNK = LINE_LIMIT
_THINGS = 10_000  # that are remembered

_METRIC = re.compile(
    r"(?:^|\s)METRIC (?P<type>\S{1,100}) (?P<id>\S{1,200})"
    r"(?P<values>(?: +[^\s=]{1,200}=\S{1,60})+) *$"
)
# Of other lines with that word nothing is expected: `METRIC tons of it`.
_MEANT = re.compile(r"(?:^|\s)METRIC \S{1,100} \S{1,200} +[^\s=]{1,200}=")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?(?= )")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?")
_RECOGNISED = re.compile(rb"^\d{9,10}(?:\.\d+)? .*\bMETRIC \S+ \S+ +[^\s=]+=", re.MULTILINE)


class Reading(NamedTuple):
    """One METRIC line."""

    line: int
    time: int
    type: str
    name: str
    values: dict[str, int | float]


def recognises(path: Path, head: bytes) -> bool:
    """Whether a log, of no other kind, has METRIC lines behind an epoch."""
    return _RECOGNISED.search(head) is not None


def metric_lines(path: Path, context: Context) -> Iterator[Record]:
    """The METRIC lines of a log of no other kind."""
    metrics = Metrics(path, context)
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    yield from metrics.records(scope)
    others = metrics.lines - metrics.met
    left_out = {"lines without METRIC": (others, True)} if others else {}
    yield Tally(metrics.lines, metrics.met, metrics.understood, left_out)


def with_metrics(read: Importing) -> Importing:
    """An importer of logs, and the METRIC lines in them, which are looked for by themselves: a
    log that has none costs one search of its bytes."""

    def both(path: Path, context: Context) -> Iterator[Record]:
        metrics = Metrics(path, context)
        told = None
        for record in read(path, context):
            if isinstance(record, Tally):
                told = record
            else:
                yield record
        yield from metrics.records(context.run_or_scope(first_line(path))[0])
        if told is not None:
            yield metrics.counted(told)

    return both


class Metrics:
    """The METRIC lines of one log. It forgets what it has told, but for the things measured."""

    def __init__(self, path: Path, context: Context) -> None:
        self._path = path
        self._context = context
        self.lines = self.met = self.understood = 0

    def records(self, scope: str) -> Iterator[Record]:
        """The samples, and the things that were measured. A name is one of its type and log."""
        names = Names(scope, NAMED)
        place = (self._context.label, self._context.manager_uid, self._path.name)
        run = None if self._context.run_id is None else Names(scope, PARSL_LOG).workflow()
        things: dict[str, tuple[Reading, int]] = {}
        for reading in self.readings():
            if isinstance(reading, Problem):
                yield reading
                continue
            uuid = names.named("metric", *place, reading.type, reading.name)
            yield Sample(uuid, reading.time, reading.line, json.dumps(reading.values))
            if uuid in things or len(things) < _THINGS:
                things[uuid] = things.get(uuid, (reading, 0))[0], reading.time
            else:
                yield from _thing(uuid, names, run, reading, None)
        for uuid, (first, last) in things.items():
            yield from _thing(uuid, names, run, first, last)

    def readings(self) -> Iterator[Reading | Problem]:
        """The METRIC lines in file order."""
        local = self._context.clock.reader()
        for number, raw in self._found():
            line = raw.decode("utf-8", "replace").rstrip("\r")
            text, time = _text_and_time(line, local)
            if _MEANT.search(text) is None:
                continue
            found = _METRIC.search(text)
            self.met += 1
            if time is None or found is None:
                yield Problem(number, "metric not understood", line)
                continue
            pairs = (pair.partition("=") for pair in found["values"].split())
            try:
                values = {name: _number(value) for name, _, value in pairs}
            except ValueError as error:
                yield Problem(number, "metric not understood", f"{error}: {line}")
                continue
            self.understood += 1
            yield Reading(number, time, found["type"], found["id"], values)

    def counted(self, tally: Tally) -> Tally:
        """The tally of the log's own importer, in which METRIC lines are unknown messages."""
        if not self.met:
            return tally
        others = {
            text: count for text, count in tally.messages.items() if not text.startswith("METRIC ")
        }
        return tally._replace(understood=tally.understood + self.understood, messages=others)

    def _found(self) -> Iterator[tuple[int, bytes]]:
        """Numbers and bytes of the lines that have the word; the others are only counted."""
        with self._path.open("rb") as file:
            rest = b""
            while chunk := file.read(_CHUNK):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if len(rest) > 2 * LINE_LIMIT:
                    rest = rest[:LINE_LIMIT]
                if not newline:
                    continue
                if _WORD in whole:
                    for number, line in enumerate(whole.split(b"\n"), self.lines + 1):
                        if _WORD in line and len(line) <= LINE_LIMIT:
                            yield number, line
                self.lines += whole.count(b"\n") + 1
            self.lines += bool(rest)


def _thing(
    uuid: str, names: Names, run: str | None, first: Reading, last: int | None
) -> Iterator[Record]:
    """What was measured, from its first reading to the last; of too many no times are kept."""
    said: dict[str, object] = {"metric.type": first.type, "metric.id": first.name}
    yield Span(
        uuid, f"metric.{first.type}", names.trace_high, parent_uuid=run, name=first.name,
        start_unix_nano=None if last is None else first.time, end_unix_nano=last,
        attributes=to_json(said), line=first.line,
    )  # fmt: skip
    if run is not None:
        yield Containment(run, uuid)


def _text_and_time(line: str, local: Callable[[str], int]) -> tuple[str, int | None]:
    """What a line says, and when: behind an epoch, or a local time, or in JSON."""
    text = line
    try:
        if line.startswith('{"created":'):
            record = json.loads(line)
            text = str(record["formatted"])
            return text, round(float(record["created"]) * 1e6) * 1000
        if found := _EPOCH.match(line):
            return text, epoch_ns(found[0])
        if found := _LOCAL.match(line):
            return text, local(found[0].replace("T", " "))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        pass
    return text, None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shape(text)} is no number")
    return number
