"""What a path belongs to: run, executor label, block, manager, clock. Found once per directory.

    runinfo/monitoring.db
    runinfo/NNN/parsl.log
    runinfo/NNN/<label>/interchange.log
    runinfo/NNN/<label>/block-<block id>/<manager uid>/manager.log, worker_<N>.log
    runinfo/NNN/submit_scripts/<job>.sh, .sh.out, .sh.err, .sh.ec

No file below a run's directory names the run, and none but its directory ties it to the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from dnpcsql import clock
from dnpcsql.clock import Clock
from dnpcsql.identity import hexdigest
from dnpcsql.importers.context import Context
from dnpcsql.importers.sqlite_file import is_sqlite, tables_of
from dnpcsql.importers.zones import clock_of_log, clock_of_scripts
from dnpcsql.rundb import run_of_directory

_HEAD = 4 << 20

# 1795331200.564571 … parsl.dataflow.dflow:147 __init__ INFO: Run id is: cc55368f-7e64-466f-9ce9-…
_RUN_ID = re.compile(rb"^[^\n]*Run id is: ([0-9a-f-]{36})\s*$", re.MULTILINE)

# 2021-12-01 07:14:19.760 parsl.executors.status_handling:178 [DEBUG]  Launched block 0->31762
_LAUNCHED = re.compile(rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) [^\n]*Launched block", re.MULTILINE)

# … MainProcess-16615 MainThread-140623474350976 parsl.dataflow.dflow:123 …
_PROCESS = re.compile(rb"^\d+\.\d+ \S+ \S+ (\S+-\d+) ", re.MULTILINE)

_EXECUTOR_LOGS = ("interchange.log", "interchange.jsonlog", "transaction_log", "vine-logs")

_BLOCK = re.compile(r"block-(.+)")


@dataclass
class RunDirectory:
    """A directory NNN, and what its files say of the run."""

    path: Path
    zones: Zones

    @cached_property
    def run_id(self) -> str | None:
        """From its parsl.log; if that is missing, from the database beside the directory."""
        for name in ("parsl.log", "parsl.jsonlog"):
            found = _RUN_ID.search(_head(self.path / name))
            if found:
                return found[1].decode()
        return run_of_directory(self.path)

    @cached_property
    def clock(self) -> Clock:
        """The submitting process's."""
        given = self.zones.given(self.path)
        return (
            given
            or clock_of_log(self.path / "parsl.log")
            or self._by_scripts()
            or self.zones.default()
        )

    @cached_property
    def managers(self) -> dict[str, Clock]:
        """Manager uid → the clock of its host, where its own log shows it."""
        found = {}
        for log in sorted(self.path.glob("*/block-*/*/manager.log")):
            seen = self.zones.given(log) or clock_of_log(log)
            if seen is not None:
                found[log.parent.name] = seen
        return found

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The executors that have a directory."""
        logs = (log for name in _EXECUTOR_LOGS for log in self.path.glob(f"*/{name}"))
        return tuple(sorted({log.parent.name for log in logs}))

    @cached_property
    def process(self) -> str | None:
        """The process that wrote the log: `MainProcess-20100`."""
        found = _PROCESS.search(_head(self.path / "parsl.log", 1 << 16))
        return found and found[1].decode()

    def overlaps(self, other: RunDirectory) -> bool:
        """Whether both kernels were open in one process at a time, so that their logs mix."""
        return (
            self.process == other.process
            and self.clock.first - other.clock.last < -2 * clock.MARGIN
            and other.clock.first - self.clock.last < -2 * clock.MARGIN
        )

    def _by_scripts(self) -> Clock | None:
        scripts = [path.name for path in self.path.glob("submit_scripts/*.sh")]
        launched = _LAUNCHED.search(_head(self.path / "parsl.log")) if scripts else None
        return clock_of_scripts(scripts, launched[1].decode() if launched else None)


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


@dataclass(frozen=True)
class Clocks:
    """The clocks of one run: the submitting process's, and by host those of the managers."""

    submit: Clock
    hosts: dict[str, Clock]

    def of_host(self, host: str | None) -> Clock:
        """The clock of a worker's host."""
        return self.hosts.get(host or "", self.submit)

    def differ(self) -> bool:
        """Whether a host's offsets are others than the submitting one's."""
        here = {part.offset for part in self.submit.intervals}
        return any(
            {part.offset for part in there.intervals} != here for there in self.hosts.values()
        )


class Layout:
    """Finds contexts. One instance an import, so that nothing is looked up twice."""

    def __init__(self, zones: Zones, only_runs: frozenset[Path] | None = None) -> None:
        """`only_runs`: of databases of many runs, only those whose directory is among these."""
        self._zones = zones
        self._only = only_runs
        self._runs: dict[Path, RunDirectory] = {}

    def context(self, path: Path) -> Context:
        """What a file belongs to."""
        home = self._run_directory(path)
        if home is None:
            return self._without_run(path)
        others = self._others(home)
        label, block_id, manager_uid = _place(path.relative_to(home.path))
        return self._keyed(
            Context(
                run_id=home.run_id,
                label=label,
                block_id=block_id,
                manager_uid=manager_uid,
                clock=self._zones.given(path) or home.clock,
                labels=home.labels,
                other_logs=tuple(other.run_id for other in others if other.run_id),
                overlapping=tuple(
                    (other.run_id or "", other.labels) for other in others if home.overlaps(other)
                ),
                key=str(path.relative_to(home.path)),  # equal files of one run are two files
            )
        )

    def _without_run(self, path: Path) -> Context:
        given = self._zones.given(path)
        if is_sqlite(_head(path, 16)):
            beside = [self._run(child) for child in _numbered(path.parent)]
            context = Context(
                clock=given or self._zones.default(),
                clocks_of_run=lambda run_id, rundir, hosts: self._clocks(
                    path, run_id, rundir, hosts
                ),
                key=hexdigest(16, *[(run.run_id, run.clock, run.managers) for run in beside]),
            )
        else:
            context = Context(clock=given or clock_of_log(path) or self._zones.default())
        return self._keyed(context)

    def _clocks(
        self, path: Path, run_id: str, rundir: str | None, hosts: dict[str, str]
    ) -> Clocks:
        """The clocks of a run in a database: those of its directory beside it, if that is so."""
        given = self._zones.given(path)
        name = Path(rundir or "").name
        home = self._runs.get(path.parent / name) or self._run(path.parent / name)
        if not name or not home.path.is_dir() or home.run_id not in (None, run_id):
            return Clocks(given or self._zones.default(), {})
        by_host = {
            host: home.managers[uid] for uid, host in hosts.items() if uid in home.managers
        }
        return Clocks(given or home.clock, by_host)

    def _others(self, home: RunDirectory) -> list[RunDirectory]:
        """The runs whose own logs stand beside this one's."""
        beside = (self._run(child) for child in _numbered(home.path.parent))
        return [run for run in beside if run.path != home.path and run.process]

    def _run_directory(self, path: Path) -> RunDirectory | None:
        for parent in path.parents:
            if _is_run(parent):
                return self._run(parent)
        return None

    def _run(self, path: Path) -> RunDirectory:
        if path not in self._runs:
            self._runs[path] = RunDirectory(path, self._zones)
        return self._runs[path]

    @staticmethod
    def _keyed(context: Context) -> Context:
        parts = (
            context.run_id, context.label, context.block_id, context.manager_uid,
            context.clock, context.labels, context.other_logs, context.overlapping, context.key,
        )  # fmt: skip
        return Context(**{**vars(context), "key": hexdigest(16, *parts)})


def _is_run(directory: Path) -> bool:
    return (
        re.fullmatch(r"\d{3,}", directory.name) is not None
        or (directory / "parsl.log").is_file()
        or (directory / "parsl.jsonlog").is_file()
    )


def _numbered(directory: Path) -> list[Path]:
    return sorted(child for child in directory.iterdir() if re.fullmatch(r"\d{3,}", child.name))


def _place(inside: Path) -> tuple[str | None, str | None, str | None]:
    """Executor label, block id and manager uid of a path below a run's directory."""
    parts = inside.parts[:-1]
    label = parts[0] if parts and parts[0] not in ("submit_scripts", "task_logs") else None
    block = _BLOCK.fullmatch(parts[1]) if len(parts) > 1 else None
    return label, block and block[1], parts[2] if len(parts) > 2 else None


def _head(path: Path, size: int = _HEAD) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
