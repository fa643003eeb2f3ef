"""A directory NNN: what its files say of the run, and of the clocks that wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from dnpcsql import clock
from dnpcsql.clock import Clock
from dnpcsql.executor_directory import ExecutorDirectory
from dnpcsql.importers.context import Queue, Queues
from dnpcsql.importers.offsets import (
    clock_of_interchange,
    clock_of_json,
    clock_of_pending,
    clock_of_start,
    extent_of_json,
)
from dnpcsql.importers.workqueue_managers import managers_of
from dnpcsql.importers.zones import clock_of_log, clock_of_scripts
from dnpcsql.rundb import first_pending, run_of_directory

_HEAD = 4 << 20
_FIRST_RECORDS = 1 << 16

# 1795331200.564571 … parsl.dataflow.dflow:147 __init__ INFO: Run id is: cc55368f-7e64-466f-9ce9-…
# {"created": 1795331239.7517672, …, "formatted": "Run id is: 598af58f-8a3e-45df-be5a-12fce41274fe"
_RUN_ID = re.compile(rb'^[^\n]*Run id is: ([0-9a-f-]{36})(?=\s*$|")', re.MULTILINE)

# … Will put [{'run_id': '9bb82f2e-7ccb-4630-808b-b15227c7ce7c', …}] to pending block queue
_STORED = re.compile(rb"Will put .*'run_id': '([0-9a-f-]{36})'")

# 2021-12-01 07:14:19.760 parsl.executors.status_handling:178 [DEBUG]  Launched block 0->31762
_LAUNCHED = re.compile(
    rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) [^\n]*Launched block", re.MULTILINE
)

# … MainProcess-16615 MainThread-140623474350976 parsl.dataflow.dflow:123 …
_PROCESS = re.compile(rb"^\d+\.\d+ \S+ \S+ (\S+-\d+) ", re.MULTILINE)

# {"created": 1795331239.7425783, "process": 18293, "processName": "MainProcess", …
_JSON_PROCESS = re.compile(rb'^\{"created": [\d.]+, "process": (\d+), "processName": "([^"]*)"')

# Logs of other processes on the submitting host.
_BESIDE = ("monitoring_*.log", "*/monitoring_*.log")

_EXECUTOR_LOGS = (
    "interchange.log", "interchange.jsonlog", "transaction_log", "vine-logs", "*/vine-logs",
    "block-*",
)  # fmt: skip

_QUEUES = (
    ("*/transaction_log", "workqueue"),
    ("*/vine-logs/transactions", "taskvine"),
    ("*/*/vine-logs/transactions", "taskvine"),
)


@dataclass
class Zones:
    """What the user says of zones: for all files, or for those below a path."""

    everywhere: str | None = None
    below: dict[Path, str] = field(default_factory=dict)

    def given(self, path: Path) -> Clock | None:
        """The clock that the user gives for a path, or for what lies around it."""
        for place in (path, *path.parents):
            if place in self.below:
                text = self.below[place]
                return clock.named(text, f"--timezone {place.name}={text}")
        return None

    def default(self) -> Clock:
        """For files of which nothing tells the zone."""
        if self.everywhere is None:
            return clock.UNKNOWN
        return clock.named(self.everywhere, f"--timezone {self.everywhere}")


@dataclass
class RunDirectory:
    """A directory NNN, and what its files say of the run."""

    path: Path
    zones: Zones

    @cached_property
    def run_id(self) -> str | None:
        """From its parsl.log; if that is missing, from the database beside the directory."""
        logs = (self.path / "parsl.log", self.path / "parsl.jsonlog")
        named = filter(None, map(run_named_in, logs))
        return next(named, None) or run_of_directory(self.path) or self._run_stored()

    def _run_stored(self) -> str | None:
        """As the database's log has it, to 2025."""
        found = _STORED.search(_head(self.path / "database_manager.log"))
        return found[1].decode() if found else None

    @cached_property
    def clock(self) -> Clock:
        """The submitting process's, which is its interchanges' as well."""
        given = self.zones.given(self.path)
        return given or next(filter(None, self._clocks()), None) or self.zones.default()

    def _clocks(self) -> Iterator[Clock | None]:
        """By each thing that may tell, the surest first."""
        yield clock_of_log(self.path / "parsl.log")
        yield clock_of_json(self.path / "parsl.jsonlog")
        yield self._by_scripts()
        for pattern in _BESIDE:
            yield from map(clock_of_log, sorted(self.path.glob(pattern)))
        logs = [executor.log for executor in self.executors.values() if executor.log is not None]
        yield from map(clock_of_log, logs)
        yield from map(clock_of_interchange, logs)
        json_log = self.path / "parsl.jsonlog"
        pending = first_pending(self.path, self.run_id) if json_log.is_file() else None
        if pending is not None:
            yield clock_of_pending(json_log, *pending)

    @cached_property
    def managers(self) -> dict[str, Clock]:
        """Manager uid → the clock of its host, where the user or a log there shows it."""
        places = sorted(place for place in self.path.glob("*/block-*/*") if place.is_dir())
        found = ((place.name, self._manager_clock(place)) for place in places)
        return {uid: clock for uid, clock in found if clock is not None}

    def _manager_clock(self, place: Path) -> Clock | None:
        given = self.zones.given(place)
        if given is not None:
            return given
        logs = [place / "manager.log", *sorted(place.glob("worker_*.log"))]
        log = next((log for log in logs if log.is_file()), None)
        executor = self.executors.get(place.parents[1].name)
        shown = None if log is None else clock_of_log(log, within=_FIRST_RECORDS)
        if shown is not None or log is None or executor is None:
            return shown
        started = executor.start_times().get(place.name)
        return None if started is None else clock_of_start(log, started, self.clock)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The executors that have a directory."""
        logs = (log for name in _EXECUTOR_LOGS for log in self.path.glob(f"*/{name}"))
        return tuple(sorted({log.relative_to(self.path).parts[0] for log in logs}))

    @cached_property
    def queues(self) -> Queues:
        """The managers of Work Queue and TaskVine."""
        logs = [(log, system) for name, system in _QUEUES for log in self.path.glob(name)]
        return tuple(
            Queue(manager[1], log.relative_to(self.path).parts[0], system)
            for log, system in sorted(logs)
            for manager in managers_of(log)[:1]
        )

    @cached_property
    def executors(self) -> dict[str, ExecutorDirectory]:
        """The same, by label."""
        return {label: ExecutorDirectory(self.path / label) for label in self.labels}

    @cached_property
    def process(self) -> str | None:
        """The process that wrote the log: `MainProcess-20100`."""
        found = _PROCESS.search(_head(self.path / "parsl.log", 1 << 16))
        if found:
            return found[1].decode()
        found = _JSON_PROCESS.match(_head(self.path / "parsl.jsonlog", 1 << 16))
        return f"{found[2].decode()}-{found[1].decode()}" if found else None

    @cached_property
    def extent(self) -> tuple[int, int] | None:
        """When its own log begins and ends, where that shows instants."""
        shown = clock_of_log(self.path / "parsl.log")
        if shown is not None:
            return shown.first + clock.MARGIN, shown.last - clock.MARGIN
        return extent_of_json(self.path / "parsl.jsonlog")

    def overlaps(self, other: RunDirectory) -> bool:
        """Whether both kernels were open in one process at a time, so that their logs mix."""
        if self.process != other.process:
            return False
        if self.extent is None or other.extent is None:
            return True
        return self.extent[0] <= other.extent[1] and other.extent[0] <= self.extent[1]

    def _by_scripts(self) -> Clock | None:
        scripts = [path.name for path in self.path.glob("submit_scripts/*.sh")]
        launched = _LAUNCHED.search(_head(self.path / "parsl.log")) if scripts else None
        return clock_of_scripts(scripts, launched[1].decode() if launched else None)


def run_named_in(log: Path) -> str | None:
    """The run that a kernel's log names first."""
    found = _RUN_ID.search(_head(log))
    return found[1].decode() if found else None


def _head(path: Path, size: int = _HEAD) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
