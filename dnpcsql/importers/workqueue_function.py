"""function_data/NNNN/log: what a worker's Python did for task NNNN of a WorkQueueExecutor.

Written by Parsl's DESC branch. A time and what happened then; a line for each package that Python
imports is counted and not kept:

    1677161346.713548 META_PATH parsl.tests.test_regression.test_2555
    1677161346.920112 LOADFUNCTION
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import PARSL_LOG, WORK_QUEUE, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, Lines
from dnpcsql.importers.workqueue_managers import EPOCHS
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

_LINE = re.compile(r"(\d{9,10}(?:\.\d+)?) (\S.*)")
_LEFT_OUT = "META_PATH"
_TYPE_LIMIT = 200


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file is the log of one function, by its place."""
    place = path.parent
    return path.name == "log" and place.parent.name == "function_data" and place.name.isdecimal()


def function_log(path: Path, context: Context) -> Iterator[Record]:
    """What happened in one execution, as its worker's Python wrote it down."""
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    label = (context.label or "") if context.run_id is not None else ""
    names, number = Names(scope, WORK_QUEUE), int(path.parent.name[:12])
    task, uuid = (
        Names(scope, PARSL_LOG).executor_task(label, number),
        names.named("remote", label, number),
    )
    lines = Lines(path)
    records = understood = left_out = 0
    first = last = None
    for line_number, line in enumerate(lines, 1):
        records += 1
        found = _LINE.fullmatch(line)
        time = _time(found)
        if found is None or time is None:
            yield Problem(line_number, "record not understood", line)
        elif found[2].split(None, 1)[0] == _LEFT_OUT:
            left_out += 1
        else:
            last = time
            first, understood = first or last, understood + 1
            yield Event(uuid, last, found[2][:_TYPE_LIMIT], line_number)
    if records:
        yield Span(
            uuid, "parsl.executors.workqueue.executor_task.remote", names.trace_high,
            parent_uuid=task, name="function on its worker", start_unix_nano=first,
            end_unix_nano=last, line=1,
        )  # fmt: skip
        yield Containment(task, uuid)
    for line_number in lines.cut:
        yield Problem(line_number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    messages = {f"{_LEFT_OUT} N": (left_out, True)} if left_out else {}
    yield Tally(lines.count, records, understood, messages, None, EPOCHS)


def _time(found: re.Match[str] | None) -> int | None:
    with contextlib.suppress(ValueError):
        return None if found is None else epoch_ns(found[1])
    return None
