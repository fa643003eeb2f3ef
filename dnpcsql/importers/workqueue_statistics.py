"""master_log of Work Queue, `performance` of TaskVine: the manager's own statistics, as samples.

    # timestamp workers_connected workers_init workers_idle workers_busy workers_able …
    1795331666636197 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1795331666623201 0 0 0 …

The first line names the columns, whichever there are: each generation has others. Microseconds
since the epoch. A line is a row of `sample`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.identity import WORK_QUEUE, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, Lines
from dnpcsql.importers.workqueue_managers import EPOCHS
from dnpcsql.records import Containment, Problem, Record, Sample, Span, Tally

_COLUMNS = re.compile(r"# ?timestamp((?: \w+)+) *")
_HEAD = re.compile(rb"# ?timestamp( \w+)* workers_connected\b")
_VINE = re.compile(rb"^[^\n]* (?:workers_slow|time_scheduling|inuse_cache)\b")
_LAST = 9_223_372_036_854_775  # microseconds: the last of which nanoseconds fit a column
_LONGEST = 40  # characters of a number


def is_taskvine(path: Path, head: bytes) -> bool:
    """Whether a file is TaskVine's performance log, whatever it is called."""
    if path.parent.name == "vine-logs":
        return path.name == "performance"
    return _HEAD.match(head) is not None and _VINE.match(head) is not None


def is_workqueue(path: Path, head: bytes) -> bool:
    """Whether a file is Work Queue's statistics log, whatever it is called."""
    return path.name == "master_log" or _HEAD.match(head) is not None


def master_log(path: Path, context: Context) -> Iterator[Record]:
    """The statistics of a manager of Work Queue's."""
    return _read(path, context, "workqueue")


def performance(path: Path, context: Context) -> Iterator[Record]:
    """The statistics of a manager of TaskVine's."""
    return _read(path, context, "taskvine")


def _read(path: Path, context: Context, system: str) -> Iterator[Record]:
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    names = Names(scope, WORK_QUEUE)
    key = (context.label or "") if context.run_id is not None else ""
    manager, uuid = names.manager(key), names.named("statistics", key)
    lines = Lines(path)
    columns: list[str] = []
    first = last = None
    records = understood = 0
    for number, line in enumerate(lines, 1):
        if line[:1] in ("#", ""):
            found = _COLUMNS.fullmatch(line)
            columns = found[1].split() if found else columns
            continue
        records += 1
        try:
            time, metrics = _reading(line, columns)
        except ValueError as error:
            yield Problem(number, "record not understood", f"{error}: {line}")
            continue
        understood += 1
        first, last = first or time, time
        yield Sample(uuid, time, number, metrics)
    if first is not None:
        yield Span(
            uuid, f"{system}.manager.statistics", names.trace_high, parent_uuid=manager,
            name="manager statistics", start_unix_nano=first, end_unix_nano=last, line=1,
        )  # fmt: skip
        yield Containment(manager, uuid)
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    yield Tally(lines.count, records, understood, {}, None, EPOCHS)


def _reading(line: str, columns: list[str]) -> tuple[int, str]:
    """The time of a line in nanoseconds, and its numbers as JSON. ValueError if it is none."""
    stamp, *values = line.split()
    if not (stamp.isascii() and stamp.isdecimal() and 0 < int(stamp[:20]) <= _LAST):
        raise ValueError("no time")
    if len(values) != len(columns):
        raise ValueError(f"{len(values)} values for {len(columns)} columns")
    return int(stamp) * 1000, json.dumps(dict(zip(columns, map(_number, values), strict=True)))


def _number(text: str) -> int | float:
    if len(text) > _LONGEST:
        raise ValueError("no number")
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number
