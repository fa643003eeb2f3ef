"""What tasks used, from monitoring.db's readings, by WfFormat's names."""

from __future__ import annotations

import itertools
from operator import itemgetter
from typing import TYPE_CHECKING

from dnpcsql.identity import MONITORING, RUN_DIGITS, trace_id_of

if TYPE_CHECKING:
    from dnpcsql.query import Row
    from dnpcsql.store import Store

_PREFIX = "psutil_process_"
_READ, _WRITTEN, _MEMORY, _USER, _SYSTEM = (
    _PREFIX + name
    for name in ("disk_read", "disk_write", "memory_resident", "time_user", "time_system")
)

# Parsl's readings are of the worker's process and go on from task to task, but for the memory: what
# a task used is the last less the first, so two are needed.
_USAGE = """
SELECT
  CAST(substr(span_uuid, 15, 10) AS INTEGER), CAST(substr(span_uuid, 25, 4) AS INTEGER), name,
  min(value), max(value), count(*), max(time) - min(time)
FROM sample_value
WHERE span_uuid >= :first AND span_uuid < :first || 'g'
  AND name IN (:read, :written, :memory, :user, :system)
GROUP BY span_uuid, name
ORDER BY span_uuid
"""

Usage = dict[int, dict[str, float]]
"""Try → WfFormat's name → value."""


class Used:
    """The usage of tasks, asked for in the order of their numbers."""

    def __init__(self, rows: itertools.groupby[int, Row]) -> None:
        self._rows = rows
        self._number: int | None = -1
        self._usage: Usage = {}

    def of(self, number: int) -> Usage:
        """What each try of a task used."""
        while self._number is not None and self._number < number:
            found = next(self._rows, None)
            self._number = None if found is None else found[0]
            self._usage = {} if found is None else _by_try(found[1])
        return self._usage if self._number == number else {}


def usage_of(store: Store, run_id: str) -> Used:
    """What the tries of a run used."""
    rows = store.query(
        _USAGE,
        first=f"{trace_id_of(run_id)[-RUN_DIGITS:]}{MONITORING}3",
        read=_READ,
        written=_WRITTEN,
        memory=_MEMORY,
        user=_USER,
        system=_SYSTEM,
    )
    return Used(itertools.groupby(rows, itemgetter(0)))


def _by_try(rows: itertools._grouper[int, Row]) -> Usage:  # type: ignore[name-defined]
    return {
        attempt: _usage({row[2]: row[3:] for row in of}) for attempt, of in
        itertools.groupby(rows, itemgetter(1))
    }  # fmt: skip


def _usage(readings: dict[str, Row]) -> dict[str, float]:
    found: dict[str, float] = {}
    if _MEMORY in readings:
        found["memoryInBytes"] = readings[_MEMORY][1]
    for name, metric in (("readBytes", _READ), ("writtenBytes", _WRITTEN)):
        if metric in readings and readings[metric][2] > 1:
            found[name] = readings[metric][1] - readings[metric][0]
    times = [readings[metric] for metric in (_USER, _SYSTEM) if metric in readings]
    if times and all(count > 1 and lasted > 0 for _, _, count, lasted in times):
        seconds = sum(last - first for first, last, _, _ in times)
        found["avgCPU"] = round(100 * seconds / times[0][3], 3)
    return found
