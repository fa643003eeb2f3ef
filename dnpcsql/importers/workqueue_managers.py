"""The managers of Work Queue, and of TaskVine: what stands for a run where no Parsl is around them.

A manager is named by what its transaction log says: when it started, and its process.

    1795331666636265 31784 MANAGER START
    1679929304405580 4107108 MANAGER 4107108 START 0     (TaskVine)
"""

from __future__ import annotations

import re
from pathlib import Path

from dnpcsql.importers.text import lines_with

EPOCHS = "its times are epochs"  # how their zone is known

# What both write beside their transaction log, and how that is called.
_BESIDE = {
    "transaction_log": "transaction_log", "master_log": "transaction_log",
    "debug_log": "transaction_log", "transactions": "transactions", "performance": "transactions",
    "taskgraph": "transactions",
}  # fmt: skip

_STARTED = re.compile(rb"(\d{1,18}) (\d{1,18}) MANAGER (?:\d+ )?START\b")
_MANAGERS = 1_000  # no file has so many; one that does is no such log


def scope_of(start: int, pid: int) -> str:
    """The name of a manager: `start` in microseconds, as its log has it."""
    return f"work queue manager {start} {pid}"


def managers_of(log: Path) -> list[tuple[int, int]]:
    """Start (microseconds) and process of each manager that says in a transaction log that it
    starts; none if the log cannot be read."""
    found = []
    try:
        for line in lines_with(log, b" MANAGER "):
            started = _STARTED.match(line)
            if started:
                found.append((int(started[1]), int(started[2])))
            if len(found) >= _MANAGERS:
                break
    except OSError:
        return []
    return found


def scopes_beside(path: Path) -> tuple[str, ...]:
    """The names of the managers whose transaction log lies beside a file of theirs."""
    place = path.parent
    if place.parent.name == "function_data":
        name, place = "transaction_log", place.parents[1]
    elif path.name in _BESIDE:
        name = _BESIDE[path.name]
    else:
        return ()
    return tuple(scope_of(*manager) for manager in managers_of(place / name))
