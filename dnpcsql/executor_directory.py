"""The directory of a HighThroughputExecutor: what stands for its run where nothing names that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import hexdigest
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import lines_with
from dnpcsql.importers.workqueue_managers import managers_of, scope_of

# … INFO: Registration info for manager b'91365d3eae4d': {… 'start_time': 1795331213.7986217, …
_REGISTERED = re.compile(
    rb"Registration info for manager b'([^']*)': (?:.*'start_time': (\d{9,10}\.\d+))?"
)
_INSTANT = re.compile(r'(?:\{"created": )?(\d{9,10}\.\d+)')
_STARTED = (b"Starting main interchange method", b"Incoming ports bound")


class Start(NamedTuple):
    """One start of an executor's interchange: what names it, when it was, the managers it had."""

    scope: str
    time: int | None
    managers: dict[str, int | None]


@dataclass
class ExecutorDirectory:
    """The directory of one HighThroughputExecutor, named by its label."""

    path: Path

    @cached_property
    def log(self) -> Path | None:
        """Its interchange's log."""
        logs = (self.path / name for name in ("interchange.log", "interchange.jsonlog"))
        return next((log for log in logs if log.is_file()), None)

    def has_blocks(self) -> bool:
        """Whether anything is there for the executor's log to be tied to."""
        return self.log is None or any(self.path.glob("block-*"))

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """Its starts. A run has one; an endpoint that is started again goes on in the same files,
        and numbers its tasks from 1 again."""
        if self.log is None:
            managers = managers_of(self.path / "transaction_log")
            return tuple(Start(scope_of(*manager), manager[0] * 1000, {}) for manager in managers)
        starts = [_start(first_line(self.log))]
        begun = False
        for line in lines_with(self.log, b"Registration info for manager", *_STARTED):
            if found := _REGISTERED.search(line):
                started = epoch_ns(found[2].decode()) if found[2] else None
                starts[-1].managers[found[1].decode("utf-8", "replace")] = started
            elif begun:
                starts.append(_start(line.decode("utf-8", "replace").rstrip("\r")))
            else:
                begun = True
        return tuple(starts)

    def scopes(self) -> tuple[str, ...]:
        """What stands for its runs, where nothing names them."""
        return tuple(start.scope for start in self.starts)

    def scopes_of(self, manager_uid: str | None) -> tuple[str, ...]:
        """Those of the start at which a manager was registered."""
        of_it = [start.scope for start in self.starts if manager_uid in start.managers]
        return tuple(of_it[:1]) or (self.scopes() if len(self.starts) == 1 else ())

    def scopes_at(self, unix_nano: int) -> tuple[str, ...]:
        """Those of the last start before an instant."""
        before = [start.scope for start in self.starts if (start.time or 0) <= unix_nano]
        return tuple(before[-1:])

    def start_times(self) -> dict[str, int]:
        """Manager uid → when it was started, by its own clock, as it told the interchange."""
        return {
            uid: time
            for start in self.starts
            for uid, time in start.managers.items()
            if time is not None
        }


def _start(first_record: str) -> Start:
    found = _INSTANT.match(first_record)
    scope = "scope " + hexdigest(16, first_record)
    return Start(scope, epoch_ns(found[1]) if found else None, {})
