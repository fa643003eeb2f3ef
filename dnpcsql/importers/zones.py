"""The UTC offset of zone-less logs, found in logs that have both clocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dnpcsql import clock
from dnpcsql.clock import MINUTE, SECOND, Clock, Interval, epoch_ns, naive_ns
from dnpcsql.importers.offsets import FARTHEST, QUARTER, quarters

# 1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 Task-Launch_0-140622933522112 …
# 1659518794.915506 2022-08-03 11:26:34,915 MainProcess-221120 MainThread-140308941870912 …
_BOTH = re.compile(
    rb"^(\d{9,10}\.\d{6}) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d{3})? ", re.MULTILINE
)
_STEP = 1 << 16
_HEAD = 4 << 20  # a log that shows instants does so from its first record on
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
    quarter = after.unix // QUARTER * QUARTER
    return quarter if quarter > before.unix else after.unix


# parsl.localprovider.1795331659.478654.sh
_SCRIPT = re.compile(r"\.(\d{9,10}\.\d+)\.sh")


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
    try:
        unix = epoch_ns(found[1].decode())
        # A fraction of .9999996 was rounded up to the next second, the wall clock's was cut off.
        offset = round((naive_ns(found[2].decode()) - unix // SECOND * SECOND) / MINUTE) * MINUTE
    except ValueError:
        return None
    return Both(position, unix, offset) if abs(offset) <= FARTHEST else None
