"""The UTC offset of zone-less logs, found in logs that have both clocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dnpcsql import clock
from dnpcsql.clock import MINUTE, SECOND, Clock, Interval, epoch_ns, naive_ns

# 1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 Task-Launch_0-140622933522112 …
_BOTH = re.compile(rb"^(\d{9,10}\.\d{6}) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ", re.MULTILINE)
_STEP = 1 << 16
_HEAD = 4 << 20  # a log that shows instants does so from its first record on
_QUARTER = 15 * MINUTE  # what offsets are multiples of
_MOST = 27 * 3600 * SECOND
_FAR = 2**62


class Both(NamedTuple):
    """One record that shows an instant and what the wall clock said."""

    position: int
    unix: int
    offset: int


def clock_of_log(path: Path, within: int = _HEAD) -> Clock | None:
    """The clock by which a log was written, if its records show it; bisected, not scanned.

    Of a log that shows it one of the first records does, `within` so many bytes.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = _next_both(file, 0, min(size, within))
            last = None if first is None else _last_both(file, size)
            if first is None or last is None:
                return None
            changes = _changes(file, first, last)
    except OSError:
        return None
    edges = [-_FAR, *(_instant(*change) for change in changes), _FAR]
    offsets = [first.offset, *(later.offset for _, later in changes)]
    return Clock(
        f"from {path.name}",
        tuple(
            Interval(start, end, offset)
            for start, end, offset in zip(edges, edges[1:], offsets, strict=False)
        ),
    ).within(first.unix, last.unix)


def _instant(before: Both, after: Both) -> int:
    """When the clock was changed: at a full quarter of an hour, if there is one between."""
    quarter = after.unix // _QUARTER * _QUARTER
    return quarter if quarter > before.unix else after.unix


def clock_of_scripts(names: list[str], launched: str | None) -> Clock | None:
    """The clock of an old log, which has no epochs, by its submit scripts, which have nothing else.

    parsl.localprovider.1795331659.478654.sh is written about 0.1 s before "Launched block".
    Offsets are multiples of 15 minutes.
    """
    epochs = sorted(epoch_ns(found[1]) for name in names if (found := _SCRIPT.search(name)))
    if not epochs or launched is None:
        return None
    offset = quarters(naive_ns(launched) - epochs[0])
    return None if offset is None else clock.fixed(offset, "from the names of submit_scripts")


def clock_of_json(path: Path) -> Clock | None:
    """The clock of the process that wrote a parsl.jsonlog, which shows no local time but in what
    it says of the workflow's beginning and end.

    If these differ, the clock was changed in between: nobody says when, but the order of records
    shows it.
    """
    head, tail = _ends(path)
    began, ended = _BEGAN.search(head), _COMPLETED.search(tail)
    offsets = [_offset(found) for found in (began, ended) if found]
    known = [offset for offset in offsets if offset is not None]
    first, last = _CREATED.search(head), _last(_CREATED, tail)
    if not known or first is None or last is None:
        return None
    start, end = epoch_ns(first[1].decode()), epoch_ns(last[1].decode())
    parts = [Interval(-_FAR, _FAR, known[0])]
    if known[0] != known[-1]:
        parts = [Interval(-_FAR, end, known[0]), Interval(start, _FAR, known[-1])]
    return Clock(f"from {path.name}", tuple(parts)).within(start, end)


def clock_of_pending(path: Path, task_id: int, local: str) -> Clock | None:
    """The same by one task's first state, which the database tells in local time."""
    text = f'"formatted": "Task {task_id} initializing state to pending"'.encode()
    head, _ = _ends(path)
    for line in head.split(b"\n"):
        created = _CREATED.match(line) if text in line else None
        if created is not None:
            offset = quarters(naive_ns(local) - epoch_ns(created[1].decode()))
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
    offset = quarters(naive_ns(found[1].decode()) - started) if found else None
    if offset is None:
        return None
    if offset == usual.offset_at(started):
        return usual
    return clock.fixed(offset, "from its manager's registration")


def quarters(apart: int) -> int | None:
    """A difference of clocks as the offset that it must be; None if it is none."""
    offset = round(apart / _QUARTER) * _QUARTER
    return offset if abs(apart - offset) <= _QUARTER // 3 and abs(offset) <= _MOST else None


def lines_with(path: Path, *texts: bytes) -> Iterator[bytes]:
    """The lines of a log that hold one of some texts, at the speed of a search for these."""
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(1 << 20):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            if any(text in whole for text in texts):
                for line in whole.split(b"\n"):
                    if any(text in line for text in texts):
                        yield line
            if len(rest) > _HEAD:
                rest = b""


# parsl.localprovider.1795331659.478654.sh
_SCRIPT = re.compile(r"\.(\d{9,10}\.\d+)\.sh")

# {"created": 1795331239.7529233, …, "parsl.workflow_info.time_began": "2026-11-22 07:07:19.751749"
_CREATED = re.compile(rb'^\{"created": ([\d.]+)', re.MULTILINE)
_BEGAN = re.compile(rb'"created": ([\d.]+)[^\n]*"parsl\.workflow_info\.time_began": "([^"]+)"')
_COMPLETED = re.compile(
    rb'"created": ([\d.]+)[^\n]*"parsl\.workflow_info\.time_completed": "([^"]+)"'
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


def _offset(found: re.Match[bytes]) -> int | None:
    """Of a match's instant and local time."""
    return _offset_of(found[1], found[2])


def _offset_of(unix: bytes, local: bytes) -> int | None:
    try:
        return quarters(naive_ns(local.decode()) - epoch_ns(unix.decode()))
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


def _changes(file: BinaryIO, first: Both, last: Both) -> list[tuple[Both, Both]]:
    """The pairs of neighbouring records between which the offset changes."""
    if first.offset == last.offset or first.position == last.position:
        return []
    middle = _next_both(file, (first.position + last.position) // 2, last.position)
    if middle is None or middle.position >= last.position:
        middle = _next_both(file, first.position + 1, last.position)
        if middle is None or middle.position >= last.position:
            return [(first, last)]
    return _changes(file, first, middle) + _changes(file, middle, last)


def _next_both(file: BinaryIO, start: int, end: int) -> Both | None:
    """The first record at or after a position; records begin at line starts."""
    position = start
    while position <= end:
        file.seek(position)
        data: bytes = file.read(2 * _STEP)
        if not data:
            return None
        for found in _BOTH.finditer(data):
            at_line_start = found.start() > 0 or position == 0
            both = _both(position + found.start(), found) if at_line_start else None
            if both is not None:
                return both
        position += _STEP
    return None


def _last_both(file: BinaryIO, size: int) -> Both | None:
    position = size
    while position > 0:
        position = max(0, position - _STEP)
        file.seek(position)
        data: bytes = file.read(2 * _STEP)
        for found in reversed(list(_BOTH.finditer(data))):
            at_line_start = found.start() > 0 or position == 0
            both = _both(position + found.start(), found) if at_line_start else None
            if both is not None:
                return both
    return None


def _both(position: int, found: re.Match[bytes]) -> Both | None:
    unix = epoch_ns(found[1].decode())
    try:
        # A fraction of .9999996 was rounded up to the next second, the wall clock's was cut off.
        offset = round((naive_ns(found[2].decode()) - unix // SECOND * SECOND) / MINUTE) * MINUTE
    except ValueError:
        return None
    return Both(position, unix, offset) if abs(offset) <= _MOST else None
