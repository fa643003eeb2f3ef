"""audit.log of a high-assurance Globus Compute endpoint: every task's states, with its UUID.

    2026-11-23T09:56:50.726075-06:00 uid=1000 pid=31077 uep=5a018337-e863-4d6c-88f7-9521fbde20dd
    fid=e785ebc5-5b24-4499-931f-b37094200500 tid=4357a954-c47a-4bee-9cdc-009ddcea9421 bid= EXEC_END

is one line. It is the only log of today's endpoint that tells of tasks without DEBUG. A task is
RECEIVED, at EXEC_START it is handed to the executor, at EXEC_END its result is back. The time is
when the endpoint's parent wrote the line, which may hold several records, with nothing between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.cloudwatch import instant
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_names import AUDIT, CLIENT, UUID
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused, shape
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d:\d\d"
_LINE = re.compile(rf"({_TIME}) uid=\d+ pid=\d+ (?:uep=({UUID}) (.*)|eid=.*CEP session.*)")
# The next record's `fid=` follows the state without a blank.
_RECORD = re.compile(
    rf"fid=({UUID}|) tid=({UUID}) bid=(\S*) (?:jid=(\S+) )?([A-Z_]+)(?: - (.*?))?(?=fid=|$)"
)
_TEXT_LIMIT = 500


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file is such a log."""
    first = head.partition(b"\n")[0].decode("utf-8", "replace")
    return _LINE.fullmatch(first) is not None


def globus_compute_audit(path: Path, context: Context) -> Iterator[Record]:
    """The tasks of one audit log."""
    lines = Lines(path)
    unused = Unused(("N-N",))
    records = understood = 0
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            records += 1
            yield Problem(number, "record not understood", shape(line))
            continue
        time, endpoint_id, text = found.groups()
        if endpoint_id is None:
            records += 1
            unused.add("session", line)
            continue
        left = _RECORD.sub("", text)
        if left.strip():
            yield Problem(number, "record not understood", shape(left))
        for record in _RECORD.finditer(text):
            records, understood = records + 1, understood + 1
            try:
                at = instant(time)[0]
            except ValueError as error:
                yield Problem(number, "no time", str(error))
                break
            yield from _told(record, at, number, endpoint_id)
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    yield Tally(
        lines.count, records, understood, unused.messages(), utc_offset_how="from its own records"
    )


def _told(record: re.Match[str], time: int, line: int, endpoint_id: str) -> Iterator[Record]:
    function, task_id, block, job, state, message = record.groups()
    uuid, whole = names.task(AUDIT, task_id), names.task(CLIENT, task_id)
    attributes = {
        "funcx.task.id": task_id,
        "funcx.endpoint.id": endpoint_id,
        "funcx.function.id": function or None,
        "parsl.block.id": block or None,
        "parsl.job.id": job,
    }
    yield Span(
        uuid, "funcx.audit.task", names.trace_of_task(task_id), parent_uuid=whole,
        name="audited task", attributes=to_json(attributes, _TEXT_LIMIT),
        line=line if state == "RECEIVED" else None,
        status_code=2 if state == "FAILED" else None,
    )  # fmt: skip
    yield Containment(whole, uuid)
    yield Event(uuid, time, state, line, message and message[:_TEXT_LIMIT])
