"""Why a run's workers were idle: what its files tell of workers and of tasks on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.idleness import (
    ABOUT,
    CAUSES,
    DEPENDENCIES,
    DFK,
    INTERCHANGE,
    OWN,
    STAGES,
    UNTOLD,
    Idleness,
    Stretch,
    Waiting,
    idleness,
)
from dnpcsql.analyses.path import PLACE, Paths
from dnpcsql.analyses.times import MISSING, Counts, Mask, Times, from_seconds, told
from dnpcsql.answers.clocks import Clocks, clocks_of
from dnpcsql.answers.executor_tasks import ExecutorTasks, read_executor_tasks
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.paths import read_paths
from dnpcsql.answers.workers import Manager, Workers, read_managers, read_workers
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_WORTH = 0.01


class WorkerTime(NamedTuple):
    """One worker, or those of a manager that left no worker logs. Nanoseconds."""

    executor: str
    block: str
    host: str
    manager: str
    worker: str  # its number, or "0-3" for those that no log tells apart
    tasks: int
    capacity_ns: int
    busy_ns: int


class ExecutorTime(NamedTuple):
    """All workers of one executor: `capacity_ns` = `busy_ns` + the sum of `causes_ns`, exactly."""

    executor: str
    workers: int
    capacity_ns: int
    busy_ns: int
    causes_ns: dict[str, int]  # by name, as in analyses.idleness.CAUSES
    longest: dict[str, Stretch]  # on end, with at least one worker idle of it
    peak_busy: int
    begins: int  # the first and the last time that a task held one of its workers
    ends: int


class Idle(NamedTuple):
    """Why the workers of a run were idle."""

    run: Run
    started: int  # the run; nanoseconds
    executors: list[ExecutorTime]
    workers: list[WorkerTime]
    notes: list[str]

    @property
    def capacity_ns(self) -> int:
        """Worker time that was there."""
        return sum(one.capacity_ns for one in self.executors)

    @property
    def busy_ns(self) -> int:
        """Worker time that tasks held."""
        return sum(one.busy_ns for one in self.executors)

    @property
    def causes_ns(self) -> dict[str, int]:
        """Worker time that was not busy, by cause."""
        return {cause: sum(one.causes_ns[cause] for one in self.executors) for cause in CAUSES}


def idle(store: Store, run: Run) -> Idle:
    """Why workers were idle, for each executor of a run whose workers some file tells of.

    Raises NotFoundError if none does: it takes HTEX's logs, or monitoring.db.
    """
    tasks = read_executor_tasks(store, run)
    return idle_of(store, run, read_paths(store, run), tasks, clocks_of(store, run, tasks))


def idle_of(store: Store, run: Run, paths: Paths, tasks: ExecutorTasks, known: Clocks) -> Idle:
    """The same from what was read before."""
    managers = read_managers(store, run)
    if not managers:
        raise NotFoundError(
            f"no file tells of workers of run {run.id[:8]}: it takes HTEX's logs or monitoring.db"
        )
    below, rows = _below(tasks, managers, known)
    executors, workers = [], []
    for label, there in read_workers(store, run, managers, tasks, known).items():
        numbers = {manager.name: number for number, manager in enumerate(there.managers)}
        places = np.array([numbers.get(name, -1) for name in tasks.managers] + [-1])
        ours = (places[tasks.manager] >= 0) | _of_label(tasks, paths, label)
        near = Waiting(*(column[ours[rows]] for column in below))
        near = near._replace(manager=places[near.manager])
        queued = Waiting(*map(np.concatenate, zip(near, _above(paths, label), strict=True)))
        found = idleness(there.pools, there.work, queued)
        begins, ends = there.work.begins, there.work.ends
        executors.append(
            ExecutorTime(
                label, int(there.pools.size.sum()), found.capacity, found.busy, found.causes,
                found.longest, found.peak_busy, int(begins.min(initial=np.iinfo(np.int64).max)),
                int(ends[there.work.known].max(initial=MISSING)),
            )
        )  # fmt: skip
        workers += _by_worker(label, there, found)
    return Idle(run, _started(run, executors), executors, workers, _notes(managers, tasks, known))


def _by_worker(label: str, there: Workers, found: Idleness) -> list[WorkerTime]:
    counts = np.bincount(there.work.pool[there.work.known], minlength=len(there.names))
    owners = [there.managers[place] for place in there.pools.manager.tolist()]
    return [
        WorkerTime(label, manager.block, manager.host, manager.uid, name, int(counts[place]),
                   found.pool_capacity[place], found.pool_busy[place])
        for place, (manager, name) in enumerate(zip(owners, there.names, strict=True))
    ]  # fmt: skip


def _below(tasks: ExecutorTasks, managers: list[Manager], known: Clocks) -> tuple[Waiting, Counts]:
    """Tasks between their launch and a worker; and which of `tasks` each of them is."""
    times = {moment: column.copy() for moment, column in tasks.times.items()}
    hosts = {manager.name: manager.host for manager in managers}
    for place, name in enumerate(tasks.managers):
        if known.knows(hosts.get(name)):
            for moment in ("manager_got", "worker_received"):
                mine = (tasks.manager == place) & told(times[moment])
                times[moment][mine] -= known.offset_ns(hosts[name], times[moment][mine])
    begun = _first(times["launched"], times["interchange_received"], times["interchange_sent"])
    sent = _first(times["interchange_sent"], times["manager_got"])
    # What no worker ever took waits for as long as there are any.
    last = max(int(side.max(initial=MISSING)) for side in (*times.values(), *_gone(managers)))
    taken = _first(times["worker_received"], times["interchange_result"])
    taken = np.where(told(taken), taken, last)
    row = np.arange(begun.size)
    parts = []
    knows = bool(told(sent).any())
    for stage, begins, ends, which in (
        (INTERCHANGE, begun, np.where(told(sent), sent, taken), told(sent) | knows),
        (UNTOLD, begun, taken, ~told(sent) & (not knows)),
        (OWN, sent, taken, told(sent)),
    ):
        some = which & told(begins)
        number = np.full(int(some.sum()), STAGES.index(stage), dtype=np.int64)
        parts.append((number, tasks.manager[some], begins[some], ends[some], row[some]))
    stage_, manager, begins, ends, rows = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return Waiting(stage_, manager, begins, ends), rows


def _gone(managers: list[Manager]) -> tuple[Times, Times]:
    return (
        np.array([manager.gone for manager in managers], dtype=np.int64),
        np.array([manager.block_gone for manager in managers], dtype=np.int64),
    )


def _of_label(tasks: ExecutorTasks, paths: Paths, label: str) -> Mask:
    """Which of an executor's tasks are this one's, as their tries tell."""
    ours = np.array([name == label for name in paths.executors], dtype=np.bool_)
    return (tasks.manager < 0) & np.isin(tasks.task, paths.tasks[paths.owners[ours]])


def _above(paths: Paths, label: str) -> Waiting:
    """Tries of an executor before they are launched; those that never were may be anyone's."""
    empty = np.empty(0, dtype=np.int64)
    mine = np.array([name in (label, "-") for name in paths.executors], dtype=np.bool_)
    mine &= ~paths.answered
    if not mine.any():
        return Waiting(empty, empty, empty, empty)
    times, owners = paths.times[mine], paths.owners[mine]
    first = paths.tries[mine] == 0
    called = np.where(first, paths.invoked[owners], MISSING)
    begun = _first(times[:, PLACE["pending"]], called)
    over = _first(times[:, PLACE["returned"]], paths.done[owners])
    over = np.where(told(over), over, paths.last_heard)
    gone = _first(times[:, PLACE["submitted"]], times[:, PLACE["launched"]], over)
    ready = times[:, PLACE["ready"]]
    waits = paths.waits[mine]
    ready = np.where(waits & ~told(ready), gone, ready)  # never: all the time it waited for others
    ready = np.where(waits, np.clip(ready, begun, gone), begun)
    some = told(begun)
    depends, launch = STAGES.index(DEPENDENCIES), STAGES.index(DFK)
    count = int(some.sum())
    none = np.full(2 * count, -1, dtype=np.int64)
    return Waiting(
        np.repeat(np.array([depends, launch], dtype=np.int64), count),
        none,
        np.concatenate([begun[some], ready[some]]),
        np.concatenate([ready[some], gone[some]]),
    )


def _first(*columns: Times) -> Times:
    """Of each row the first of these that is told."""
    found = np.full(columns[0].shape, MISSING, dtype=np.int64)
    for column in columns:
        found = np.where(told(found), found, column)
    return found


def _started(run: Run, executors: list[ExecutorTime]) -> int:
    if run.started is not None:
        return int(from_seconds([run.started])[0])
    return min((one.begins for one in executors), default=0)


def _notes(managers: list[Manager], tasks: ExecutorTasks, known: Clocks) -> list[str]:
    """What the answer rests on, and what it cannot know."""
    said = []
    if any(not manager.workers for manager in managers):
        said.append("a manager of which no file tells how many workers it has counts for none")
    if not tasks.workers:
        said.append("no worker logs: workers are there from when their manager is")
    if not tasks.names:
        said.append("no executor logs: what a task waited for after its launch is not known")
    elif not told(_first(tasks.times["interchange_sent"], tasks.times["manager_got"])).any():
        said.append("the logs do not tell where tasks waited after their launch")
    moved = [host.host for host in known.hosts if host.bounds.differs]
    if moved:
        said.append(f"times of {', '.join(moved)} are by the middle of their clock's bounds")
    return said


def findings(found: Idle) -> list[Finding]:
    """What kept workers idle."""
    said = []
    command = f"dnpcsql idle {found.run.id[:8]}"
    for one in found.executors:
        for cause, lasts in one.causes_ns.items():
            if not one.capacity_ns or lasts / one.capacity_ns < _WORTH:
                continue
            share, seconds = 100 * lasts / one.capacity_ns, lasts / 1e9
            longest = one.longest.get(cause)
            on_end = (
                f"; at a stretch {(longest.ends - longest.begins) / 1e9:.1f} s, from "
                f"{(longest.begins - found.started) / 1e9:.1f} s after the run's start"
                if longest is not None
                else ""
            )
            said.append(
                Finding(
                    seconds,
                    f"workers of {one.executor} were idle for {seconds:.1f} worker-seconds, "
                    f"{share:.1f} % of what was there: {ABOUT[cause]} ({cause}){on_end}",
                    command,
                )
            )
    return said
