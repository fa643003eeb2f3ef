"""What funcX's and Globus Compute's hosted services logged of tasks, exported from AWS CloudWatch.

A row's message is JSON with the record as JSON in `log`, as Fluentd packs what a container prints,
or the record itself:

    {"asctime": "2022-08-03 11:26:38,123", "name": "funcx_forwarder.forwarder", "levelname": "INFO",
     "message": "dispatched_to_endpoint", "task_id": "fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24",
     "task_group_id": "…", "endpoint_id": "…", "function_id": "…", "user_id": 7}

The event's type is the logger's name and the message: `funcx_forwarder.forwarder-result_enqueued`.
`times` holds when the task ran by its worker's clock. What names no task is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql.clock import SECOND, epoch_ns, naive_ns, offset_text
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.cloudwatch_rows import Row, rows
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_names import CLIENT, CLOUD, UUID
from dnpcsql.importers.offsets import quarters
from dnpcsql.importers.text import Unused, without_secrets
from dnpcsql.records import Containment, Event, Problem, Record, Span, Tally

_MINUTE = 60 * SECOND
_TEXT_LIMIT = 500

# 2022-08-03 11:26:38,123     2022-08-03T11:26:38.123Z     2022-08-03T13:26:38.123+02:00
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(?:(Z|UTC)|([+-])(\d\d):?(\d\d))?"
)
# 1659525998130, in milliseconds
_MILLISECONDS = re.compile(r"\d{12,13}")
_WORD = re.compile(r"[\w.-]{1,60}")
_IDS = {
    "task_group_id": "funcx.task_group.id",
    "endpoint_id": "funcx.endpoint.id",
    "function_id": "funcx.function.id",
}


def cloudwatch(path: Path, context: Context) -> Iterator[Record]:
    """What an export tells of tasks."""
    reader = _Rows()
    for row in rows(path):
        if isinstance(row, Problem):
            yield row
        else:
            reader.count += 1
            yield from reader.records(row)
    if reader.zoneless:
        text = "no row says when its record came in: the record's own time is taken for UTC"
        yield Problem(1, "no zone", text, reader.zoneless)
    yield reader.tally()


class _Rows:
    """Turns rows into records; keeps counts only."""

    def __init__(self) -> None:
        self.count = 0
        self.zoneless = 0
        self._understood = 0
        self._offset: int | None = None
        self._unused = Unused(("{", "[", "no task: "))

    def records(self, row: Row) -> Iterator[Record]:
        """What a row tells."""
        said = _unwrapped(row.message)
        if said is None:
            self._unused.add("", "no task: " + without_secrets(str(row.message)))
            return
        task_id = said.get("task_id")
        if not isinstance(task_id, str) or not re.fullmatch(UUID, task_id.lower()):
            name = str(said.get("name"))
            self._unused.add(name, f"no task: {name} {without_secrets(str(said.get('message')))}")
            return
        try:
            time = self._time(said.get("asctime"), row.timestamp)
        except ValueError as error:
            yield Problem(row.line, "no time", str(error)[:_TEXT_LIMIT])
            return
        self._understood += 1
        yield from _told(said, task_id.lower(), time, row.line)

    def tally(self) -> Tally:
        """How much was read and understood."""
        how = "Amazon's, UTC" if self._offset is None else "asctime beside @timestamp"
        return Tally(
            self.count, self.count, self._understood, self._unused.messages(),
            offset_text(self._offset or 0), how,
        )  # fmt: skip

    def _time(self, asctime: Any, timestamp: str | None) -> int:
        """When a record was written; if it does not say, when it came in. A zone-less time is by
        the container's clock, which the time of arrival tells."""
        arrived = None if timestamp is None else instant(timestamp)[0]
        if not isinstance(asctime, str):
            if arrived is None:
                raise ValueError("neither asctime nor @timestamp")
            return arrived
        written, zoned = instant(asctime)
        if zoned or arrived is None:
            self.zoneless += not zoned
            return written
        # It comes in after it was written, within seconds or a few minutes.
        offset = quarters(written - arrived + _MINUTE)
        if offset is not None:
            self._offset = offset
        return written - (self._offset or 0)


def _told(said: dict[str, Any], task_id: str, time: int, line: int) -> Iterator[Record]:
    uuid, whole = names.task(CLOUD, task_id), names.task(CLIENT, task_id)
    attributes = {"funcx.task.id": task_id} | {
        ours: str(said[theirs]) for theirs, ours in _IDS.items() if said.get(theirs) is not None
    }
    yield Span(
        uuid, "funcx.cloudwatch.task", names.trace_of_task(task_id), parent_uuid=whole,
        name="cloud task", attributes=to_json(attributes, _TEXT_LIMIT),
    )  # fmt: skip
    yield Containment(whole, uuid)
    name, message = str(said.get("name") or "log")[:100], str(said.get("message") or "")
    plain = _WORD.fullmatch(message) is not None
    note = None if plain else without_secrets(message)[:_TEXT_LIMIT]
    yield Event(uuid, time, f"{name}-{message}" if plain else f"{name}-message", line, note)
    times = said.get("times")
    for what in ("execution_start", "execution_end"):
        value = times.get(what) if isinstance(times, dict) else None
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            try:
                yield Event(uuid, _epoch(value), what, line)
            except ValueError:
                yield Problem(line, "no time", f"{what}: {value!s:.100}")


def _unwrapped(message: Any) -> dict[str, Any] | None:
    """The record within a message: in `log`, in text, or as it is."""
    for _ in range(4):
        if isinstance(message, dict):
            if "log" not in message or "task_id" in message:
                return message
            message = message["log"]
        elif isinstance(message, str):
            try:
                message = json.loads(message)
            except (ValueError, RecursionError):
                return None
        else:
            return None
    return None


def instant(text: str) -> tuple[int, bool]:
    """A time's nanoseconds, as if it were UTC where it shows no zone; whether it shows one."""
    text = text.strip()
    if _MILLISECONDS.fullmatch(text):
        return int(text) * 1_000_000, True
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time: {text[:100]}")
    day, clock, fraction, utc, sign, hours, minutes = found.groups()
    naive = naive_ns(f"{day} {clock}.{fraction or 0}")
    if sign is None:
        return naive, utc is not None
    ahead = (int(hours) * 60 + int(minutes)) * _MINUTE
    return naive - (ahead if sign == "+" else -ahead), True


def _epoch(value: float | str) -> int:
    """Unix seconds, of which JSON has made a double."""
    text = f"{float(value):.6f}" if not isinstance(value, str) else value
    if not re.fullmatch(r"\d{9,10}(?:\.\d{1,9})?", text):
        raise ValueError(text)
    return epoch_ns(text)
