"""The overhead ledger of a run: where all tasks' wall time went, exactly, and what is not known."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.ledger import Pieces, attribute, grouped, unions_of, walls
from dnpcsql.analyses.ledger import rows as ledger_rows
from dnpcsql.analyses.path import ABOUT, MOMENTS, PHASES, Paths, phase, words
from dnpcsql.analyses.times import Counts, exact_sum, numbered, told
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.paths import read_paths
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

BY = ("app", "executor", "block", "host", "task")

# Below this share of the whole nothing is said of a phase; above it clocks are doubted.
_WORTH = 0.01
_SAID_ELSEWHERE = {"work", "unfinished"}
_DOUBTFUL = 0.02


class Line(NamedTuple):
    """One kind of hop of one group. Nanoseconds, exact."""

    group: str
    phase: str
    begin: str
    end: str
    what: str  # in words
    hops: int
    lasts_ns: int  # these add up to Ledger.wall_ns
    clipped_ns: int  # what moments were moved by; in no sum
    union_ns: int  # of the clock on the wall: while at least one task of the group was in it


class Ledger(NamedTuple):
    """Where the wall time of a run's tasks went."""

    run: Run
    by: str | None
    tasks: int
    tries: int
    unfinished: int  # tasks that never returned, as far as is told
    wall_ns: int  # of all tasks together
    elapsed_ns: int  # from the first task's call to the last one's end
    lines: list[Line]
    phase_union_ns: dict[tuple[str, str], int]  # by group and phase

    def totals(self, group: str | None = None) -> dict[str, tuple[int, int, int]]:
        """By phase: nanoseconds, nanoseconds clipped, hops; of one group, or of all.

        What is unattributed is always there, be it nothing.
        """
        found: dict[str, tuple[int, int, int]] = {"unattributed": (0, 0, 0)}
        for line in self.lines:
            if group in (None, line.group):
                lasts, clipped, hops = found.get(line.phase, (0, 0, 0))
                found[line.phase] = (
                    lasts + line.lasts_ns,
                    clipped + line.clipped_ns,
                    hops + line.hops,
                )
        return {name: found[name] for name in PHASES if name in found}

    def groups(self) -> dict[str, int]:
        """Each group's nanoseconds, the most first."""
        found: dict[str, int] = defaultdict(int)
        for line in self.lines:
            found[line.group] += line.lasts_ns
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def by_phase(self) -> dict[tuple[str, str], int]:
        """Nanoseconds of each group and phase."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for line in self.lines:
            found[line.group, line.phase] += line.lasts_ns
        return dict(found)


def ledger(store: Store, run: Run, by: str | None = None, task: int | None = None) -> Ledger:
    """Where the wall time of a run's tasks went; of one task, if one is named.

    `by`: app, executor, block, host or task. Raises NotFoundError if the run has no such task, or
    if no file tells of its tasks.
    """
    paths = read_paths(store, run)
    if task is not None and task not in paths.tasks:
        raise NotFoundError(f"run {run.id} has no task {task}: `dnpcsql tasks {run.id[:8]}`")
    return ledger_of(run, paths, attribute(paths), by, task)


def ledger_of(
    run: Run, paths: Paths, pieces: Pieces, by: str | None = None, task: int | None = None
) -> Ledger:
    """The ledger of a path that was read before."""
    if not paths.tasks.size:
        raise NotFoundError(
            f"no file tells of tasks of run {run.id[:8]}: it takes monitoring.db or parsl.log"
        )
    chosen = np.ones(paths.tasks.shape, dtype=np.bool_) if task is None else paths.tasks == task
    pieces = pieces.take(chosen[pieces.task])
    names, groups = _groups(paths, pieces, by)
    lines = [
        Line(
            names[row.group],
            phase(row.begin, row.end, answered=row.answered),
            row.begin,
            row.end,
            words(row.begin, row.end),
            *row[4:],
        )
        for row in ledger_rows(pieces, paths, groups)
    ]
    begins, ends, _ = walls(paths)
    begins, ends = begins[chosen], ends[chosen]
    return Ledger(
        run,
        by,
        int(chosen.sum()),
        int(chosen[paths.owners].sum()),
        int((~told(paths.done[chosen])).sum()),
        exact_sum(ends - begins),
        int(ends.max() - begins.min()),
        lines,
        _unions(paths, pieces, groups, names),
    )


def _groups(paths: Paths, pieces: Pieces, by: str | None) -> tuple[list[str], Counts]:
    if by is None:
        return ["all"], np.zeros(pieces.task.shape, dtype=np.int64)
    if by == "task":
        return [str(task) for task in paths.tasks.tolist()], pieces.task
    if by == "app":
        names, groups = numbered(paths.apps)
        return names, groups[pieces.task]
    column = {"executor": paths.executors, "block": paths.blocks, "host": paths.hosts}[by]
    names, groups = numbered([*column, "-"])
    return names, groups[pieces.attempt]


def _unions(
    paths: Paths, pieces: Pieces, groups: Counts, names: list[str]
) -> dict[tuple[str, str], int]:
    """While at least one task of a group was in a phase: nanoseconds of the clock on the wall."""
    kinds, starts, ordered = grouped(pieces, groups * len(PHASES) + phase_of(paths, pieces))
    return {
        (names[kind // len(PHASES)], PHASES[kind % len(PHASES)]): covered
        for kind, covered in zip(kinds.tolist(), unions_of(ordered, starts), strict=True)
    }


def phase_of(paths: Paths, pieces: Pieces) -> Counts:
    """The place in PHASES of each hop."""
    size = len(MOMENTS)
    answered = np.append(paths.answered, False)[pieces.attempt]
    key = (pieces.begin * size + pieces.end) * 2 + answered
    kinds, inverse = np.unique(key, return_inverse=True)
    places = [
        PHASES.index(
            phase(MOMENTS[kind // 2 // size], MOMENTS[kind // 2 % size], answered=bool(kind % 2))
        )
        for kind in kinds.tolist()
    ]
    return np.asarray(np.array(places, dtype=np.int64)[inverse.reshape(-1)])


def findings(found: Ledger) -> list[Finding]:
    """Which phases took the tasks' time."""
    command = f"dnpcsql ledger {found.run.id[:8]}"
    said = []
    for name, (lasts, _, _) in found.totals().items():
        if name in _SAID_ELSEWHERE or not found.wall_ns or lasts / found.wall_ns < _WORTH:
            continue
        share, seconds = 100 * lasts / found.wall_ns, lasts / 1e9
        wall = found.phase_union_ns["all", name] / 1e9
        said.append(
            Finding(
                seconds,
                f"{share:.1f} % of all tasks' time, {seconds:.1f} s, went by in {name}: "
                f"{ABOUT[name]}; during {wall:.1f} s at least one task was there",
                command,
            )
        )
    return said


def caveats(found: Ledger) -> list[str]:
    """What the ledger rests on, and what it cannot know."""
    told_by = {line.begin for line in found.lines} | {line.end for line in found.lines}
    said = []
    clipped = sum(line.clipped_ns for line in found.lines)
    if found.wall_ns and clipped / found.wall_ns > _DOUBTFUL:
        said.append(
            f"records are {clipped / 1e9:.1f} s out of order in all: hosts' clocks differ, so what "
            "lies between two hosts is off by as much (`dnpcsql clocks`)"
        )
    worked = sum(line.hops for line in found.lines if line.end == "running_ended")
    if worked:
        said.append(
            f"work ends when Parsl's monitoring says so, some 0.1 s after the app: of "
            f"{worked} tries up to {0.1 * worked:.0f} s in all are not the apps' own"
        )
    for moment, lacking in (
        (
            "interchange_sent",
            "no interchange log at DEBUG level: its queue is not told from others",
        ),
        ("worker_received", "no worker log: what a worker had is not known"),
        ("running", "no monitoring of resources: work is what the worker's log tells"),
    ):
        queued_elsewhere = "queue_running" in told_by and moment != "running"
        if moment not in told_by and found.tries and not queued_elsewhere:
            said.append(lacking)
    return said
