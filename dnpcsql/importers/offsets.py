"""The UTC offset of logs that show none, by the instants that they quote, or that others tell."""

from __future__ import annotations

import re
from pathlib import Path

from dnpcsql import clock
from dnpcsql.clock import MINUTE, SECOND, Clock, Interval, epoch_ns, naive_ns
from dnpcsql.importers.text import lines_with

QUARTER = 15 * MINUTE  # what offsets are multiples of
FARTHEST = 27 * 3600 * SECOND
_HEAD = 4 << 20
_STEP = 1 << 16
_FAR = 2**62

# {"created": 1795331239.7529233, …, "parsl.workflow_info.time_began": "2026-11-22 07:07:19.751749"
_CREATED = re.compile(rb'^\{"created": ([\d.]+)', re.MULTILINE)
_BEGAN = re.compile(
    rb'"created": ([\d.]{1,30})[^\n]{0,4000}"parsl\.workflow_info\.time_began": "([^"]+)"'
)
_COMPLETED = re.compile(
    rb'"created": ([\d.]{1,30})[^\n]{0,4000}"parsl\.workflow_info\.time_completed": "([^"]+)"'
)

# 2026-11-22 07:06:43.689 parsl:747 16651 MainThread [INFO]  Python version: 3.11.7 …
_LOCAL = re.compile(rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+) ", re.MULTILINE)

# 2026-11-22 07:06:48.123 … Sending message {'last_heartbeat': 1795331208.1226652, … 'active': True
_HEARD = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+) .*Sending message \{.*"
    rb"'last_heartbeat': (\d{9,10}\.\d+)"
)

# 2026-11-22 02:06:56.355 … Registration info for manager b'…': {… 'start_time': 1795331211.5840664
_STARTED = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+) .*Registration info .*"
    rb"'start_time': (\d{9,10}\.\d+)"
)


def clock_of_json(path: Path) -> Clock | None:
    """The clock of the process that wrote a parsl.jsonlog, which shows no local time but in what
    it says of the workflow's beginning and end.

    If these differ, the clock was changed in between: nobody says when, but the order of records
    shows it.
    """
    head, tail = _ends(path)
    extent = extent_of_json(path)
    offsets = [_offset(found) for found in (_BEGAN.search(head), _COMPLETED.search(tail)) if found]
    known = [offset for offset in offsets if offset is not None]
    if not known or extent is None:
        return None
    start, end = extent
    parts = [Interval(-_FAR, _FAR, known[0])]
    if known[0] != known[-1]:
        parts = [Interval(-_FAR, end, known[0]), Interval(start, _FAR, known[-1])]
    return Clock(f"from {path.name}", tuple(parts)).within(start, end)


def extent_of_json(path: Path) -> tuple[int, int] | None:
    """When the first and the last record of a JSON log were written."""
    head, tail = _ends(path)
    found = _CREATED.search(head), _last(_CREATED, tail)
    try:
        first, last = (epoch_ns(each[1].decode()) for each in found if each is not None)
    except ValueError:
        return None
    return first, last


def clock_of_pending(path: Path, task_id: int, local: str) -> Clock | None:
    """The same by one task's first state, which the database tells in local time."""
    text = f'"formatted": "Task {task_id} initializing state to pending"'.encode()
    head, _ = _ends(path)
    for line in head.split(b"\n"):
        created = _CREATED.match(line) if text in line else None
        if created is not None:
            offset = _offset_of(created[1], local.encode())
            how = f"from {path.name} and the database"
            return None if offset is None else clock.fixed(offset, how)
    return None


def clock_of_interchange(path: Path) -> Clock | None:
    """The clock of an old interchange.log, by what it quotes: the time at which it last heard of
    a manager, or else that manager's start, some seconds ago by its own host's clock."""
    for pattern in (_HEARD, _STARTED):
        for line in lines_with(path, b"'last_heartbeat': ", b"Registration info"):
            found = pattern.match(line)
            offset = _offset_of(found[2], found[1]) if found else None
            if offset is not None:
                return clock.fixed(offset, f"from {path.name}")
    return None


def clock_of_start(path: Path, started: int, usual: Clock) -> Clock | None:
    """The clock of an old manager.log, by its first record and the start that the manager told
    the interchange; the `usual` one, which may change, if that shows the same."""
    with path.open("rb") as file:
        found = _LOCAL.search(file.read(_STEP))
    offset = _offset_of(started, found[1]) if found else None
    if offset is None:
        return None
    if offset == usual.offset_at(started):
        return usual
    return clock.fixed(offset, "from its manager's registration")


def quarters(apart: int) -> int | None:
    """A difference of clocks as the offset that it must be; None if it is none."""
    offset = round(apart / QUARTER) * QUARTER
    return offset if abs(apart - offset) <= QUARTER // 3 and abs(offset) <= FARTHEST else None


def _offset(found: re.Match[bytes]) -> int | None:
    """Of a match's instant and local time."""
    return _offset_of(found[1], found[2])


def _offset_of(unix: bytes | int, local: bytes) -> int | None:
    try:
        instant = unix if isinstance(unix, int) else epoch_ns(unix.decode())
        return quarters(naive_ns(local.decode()) - instant)
    except ValueError:
        return None


def _last(pattern: re.Pattern[bytes], data: bytes) -> re.Match[bytes] | None:
    return next(iter(reversed(list(pattern.finditer(data)))), None)


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last megabytes of a file; nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(max(0, path.stat().st_size - _HEAD))
            return head, file.read(_HEAD)
    except OSError:
        return b"", b""
