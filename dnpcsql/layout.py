"""What a path belongs to: run, executor label, block, manager, clock. Found once per directory.

    runinfo/monitoring.db
    runinfo/NNN/parsl.log
    runinfo/NNN/<label>/interchange.log
    runinfo/NNN/<label>/block-<block id>/<manager uid>/manager.log, worker_<N>.log
    runinfo/NNN/submit_scripts/<job>.sh, .sh.out, .sh.err, .sh.ec

No file below a run's directory names the run, and none but its directory ties it to the others.
An executor that is used without Parsl's kernel has the same directory, and no run around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from dnpcsql import funcx_places
from dnpcsql.clock import Clock
from dnpcsql.directories import RunDirectory, Zones, run_named_in
from dnpcsql.identity import RUN_DIGITS, hexdigest, trace_id_of
from dnpcsql.importers.context import Context
from dnpcsql.importers.sqlite_file import is_sqlite
from dnpcsql.importers.submit_script import told_by_name
from dnpcsql.importers.workqueue_managers import managers_of, scopes_beside
from dnpcsql.importers.zones import clock_of_log
from dnpcsql.rundb import runs_of
from dnpcsql.rundirs import finder, is_numbered

__all__ = ["Clocks", "Layout", "Zones"]

_BLOCK = re.compile(r"block-(.+)")
_KERNEL_LOGS = frozenset({"parsl.log", "parsl.jsonlog"})
_INTERCHANGE_LOGS = frozenset({"interchange.log", "interchange.jsonlog"})
_NO_LABELS = frozenset({"submit_scripts", "task_logs"})


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
        self._overlapping: dict[Path, list[RunDirectory]] = {}
        self._find_run = finder()

    def context(self, path: Path, already: frozenset[str] = frozenset()) -> Context:
        """What a file belongs to. `already`: the run parts of the runs that were read of it
        before; they are read again, whichever are wanted now."""
        with path.open("rb") as file:
            if is_sqlite(file.read(16)):
                return self._database(path, already)
        home = self._home(path)
        if home is None:
            vine = self._run_of_vine(path)
            if vine is not None:
                beside = path.parents[2].name
                key = "/".join(path.parts[-4:])
                return self._keyed(Context(vine.run_id, beside, clock=vine.clock, key=key))
            clock = self._zones.given(path) or clock_of_log(path) or self._zones.default()
            queues = scopes_beside(path)
            return self._keyed(
                Context(
                    run_id=run_named_in(path),
                    manager_uid=funcx_places.manager_uid(path),
                    clock=clock,
                    scopes=queues,
                    tied=bool(queues),
                )
            )
        label, block_id, manager_uid = _place(path, home.path)
        mixed = self._mixed(home) if path.name in _KERNEL_LOGS else []
        usual = home.managers.get(manager_uid or "", home.clock)
        if label is None and funcx_places.is_endpoint(path) and len(home.executors) == 1:
            label = home.labels[0]
        context = Context(
            run_id=home.run_id,
            label=label,
            block_id=block_id,
            manager_uid=manager_uid,
            clock=self._zones.given(path) or usual,
            labels=home.labels,
            other_logs=tuple(other.run_id for other in mixed if other.run_id),
            overlapping=tuple((other.run_id or "", other.labels) for other in mixed),
            queues=home.queues if path.name in _KERNEL_LOGS else (),
            key=str(path.relative_to(home.path)),  # equal files of one run are two files
        )
        if home.run_id is None:
            context = _scoped(context, path, home)
        return self._keyed(context)

    def _home(self, path: Path) -> RunDirectory | None:
        """The run's directory; that around an executor's, where there is no run."""
        found = self._find_run(path)
        if found is None:
            executor = _executor_directory(path)
            found = executor and executor.parent
        if found is None and path.parent.name == "submit_scripts":
            found = path.parent.parent
        if found is None and funcx_places.is_endpoint(path):
            found = path.parent
        return None if found is None else self._run(found)

    def _run_of_vine(self, path: Path) -> RunDirectory | None:
        """The run that a log of TaskVine's belongs to, which Parsl keeps beside the directories of
        runs: `runinfo/<label>/<when>/vine-logs`. It is the one that was open when the manager
        started; None if there were several, or none."""
        if path.parent.name != "vine-logs" or len(path.parents) < 4:
            return None
        started = managers_of(path.parent / "transactions")[:1]
        beside = [self._run(child) for child in _numbered(path.parents[3])] if started else []
        labelled = [run for run in beside if (run.path / path.parents[2].name).is_dir()]
        open_then = [
            run for run in labelled or beside
            if run.run_id and run.extent and run.extent[0] <= started[0][0] * 1000 <= run.extent[1]
        ]  # fmt: skip
        return open_then[0] if len(open_then) == 1 else None

    def _database(self, path: Path, already: frozenset[str]) -> Context:
        """A monitoring.db may hold many runs, and lies beside their directories."""
        clock = self._zones.given(path) or self._zones.default()
        runs = runs_of(path)
        homes = [self._directory(path, *run) for run in runs]
        only = None
        if self._only is not None and runs:
            only = frozenset(
                run_id
                for (run_id, _), home in zip(runs, homes, strict=True)
                if (home is not None and home.path in self._only)
                or trace_id_of(run_id)[-RUN_DIGITS:] in already
            )
            only = None if len(only) == len(runs) else only
        seen = [home and (home.run_id, home.clock, home.managers) for home in homes]
        return self._keyed(
            Context(
                clock=clock,
                clocks_of_run=lambda run_id, rundir, hosts: self._clocks(
                    path, run_id, rundir, hosts
                ),
                only_runs=only,
                key=hexdigest(16, *seen, only and sorted(only)),
            )
        )

    def _clocks(self, path: Path, run_id: str, rundir: str | None, hosts: dict[str, str]) -> Clocks:
        """The clocks of a run in a database: those of its directory beside it, if that is so."""
        given = self._zones.given(path)
        home = self._directory(path, run_id, rundir)
        if home is None:
            return Clocks(given or self._zones.default(), {})
        by_host = {host: home.managers[uid] for uid, host in hosts.items() if uid in home.managers}
        return Clocks(given or home.clock, by_host)

    def _directory(self, path: Path, run_id: str, rundir: str | None) -> RunDirectory | None:
        """The directory of a run in a database. Before 2022 the database lay one level higher."""
        name = Path(rundir or "")
        for place in (path.parent / name.name, path.parent / name.parent.name / name.name):
            if name.name and place.is_dir():
                home = self._run(place)
                if home.run_id in (None, run_id):
                    return home
        return None

    def _mixed(self, home: RunDirectory) -> list[RunDirectory]:
        """The runs whose kernels were open in one process with this one's."""
        if home.path not in self._overlapping:
            beside = (self._run(child) for child in _numbered(home.path.parent))
            self._overlapping[home.path] = [
                run for run in beside
                if run.path != home.path and run.process and home.overlaps(run)
            ]  # fmt: skip
        return self._overlapping[home.path]

    def _run(self, path: Path) -> RunDirectory:
        if path not in self._runs:
            self._runs[path] = RunDirectory(path, self._zones)
        return self._runs[path]

    @staticmethod
    def _keyed(context: Context) -> Context:
        """With a key by which a file is known to have been read in these surroundings. It says
        so if a file stands alone: then the same file in its tree is to replace it."""
        parts = (
            context.run_id, context.label, context.block_id, context.manager_uid,
            context.clock, context.labels, context.other_logs, context.overlapping,
            context.scopes, context.tied, context.queues, context.key,
        )  # fmt: skip
        alone = "alone " if context.scopes else ""
        return replace(context, key=alone + hexdigest(16, *parts))


def _scoped(context: Context, path: Path, home: RunDirectory) -> Context:
    """What stands for the run of an executor's file, where nothing names it."""
    uid = context.manager_uid
    script = told_by_name(path) if path.parent.name == "submit_scripts" else None
    label = script[0] if script else context.label
    if label is None and script and len(home.executors) == 1:
        label = home.labels[0]
    executor = home.executors.get(label or "")
    if executor is None:
        return context
    if script:
        scopes = executor.scopes_at(script[1])
    elif path.name in _INTERCHANGE_LOGS or funcx_places.is_endpoint(path):
        scopes = executor.scopes()
    else:
        scopes = executor.scopes_of(uid)
    if not scopes and uid is not None:
        return replace(context, scopes=(f"manager {uid}",))
    return replace(context, scopes=scopes, tied=bool(scopes) and executor.has_blocks())


def _executor_directory(path: Path) -> Path | None:
    """The directory of the executor that a log lies below, by the names around it."""
    if path.name in _INTERCHANGE_LOGS:
        return path.parent
    if len(path.parents) > 3 and _BLOCK.fullmatch(path.parents[1].name):
        return path.parents[2]
    return None


def _place(path: Path, home: Path) -> tuple[str | None, str | None, str | None]:
    """Executor label, block id and manager uid of a path below a run's directory."""
    parts = path.relative_to(home).parts[:-1]
    label = parts[0] if parts and parts[0] not in _NO_LABELS else None
    block = _BLOCK.fullmatch(parts[1]) if len(parts) > 1 else None
    return label, block and block[1], parts[2] if block and len(parts) > 2 else None


def _numbered(directory: Path) -> list[Path]:
    return sorted(child for child in directory.iterdir() if is_numbered(child))
