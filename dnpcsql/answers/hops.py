"""Hop by hop: how long each takes, in how many tries it is known, and where the slowest stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.hops import Coverage, Hop, coverage
from dnpcsql.analyses.hops import hops as count
from dnpcsql.analyses.ledger import Pieces, attribute, walls
from dnpcsql.analyses.path import Paths, phase, words
from dnpcsql.analyses.times import exact_sum
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.lines import Lines
from dnpcsql.answers.paths import read_paths
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# A hop is worth a sentence if it is known of so many tries, if what its slow half took beyond the
# other is this share of all time, and if the slowest twentieth took so many times the median.
# Not if so many are below 0: then clocks differ, or it is shorter than its records race.
_ENOUGH = 20
_WORTH = 0.005
_UNEVEN = 5.0
_DOUBTFUL = 0.2


class Slow(NamedTuple):
    """One of the slowest: its duration and the lines that tell of its two moments."""

    task: int
    try_id: int
    seconds: float
    begins: tuple[str, ...]
    ends: tuple[str, ...]


class Walk(NamedTuple):
    """A hop with what it is in words, its share of all tasks' wall time, and its slowest."""

    hop: Hop
    what: str
    share: float  # of 1
    slowest: list[Slow]


class Hops(NamedTuple):
    """The way of a run's tasks, hop by hop."""

    run: Run
    tasks: int
    wall_ns: int
    walks: list[Walk]
    coverage: list[Coverage]


def hops(store: Store, run: Run, task: int | None = None, slowest: int = 1) -> Hops:
    """How long each hop takes, of all tasks of a run, or of one.

    Raises NotFoundError if the run has no such task, or if no file tells of its tasks.
    """
    paths = read_paths(store, run)
    if task is not None and task not in paths.tasks:
        raise NotFoundError(f"run {run.id} has no task {task}: `dnpcsql tasks {run.id[:8]}`")
    return hops_of(store, run, paths, attribute(paths), task, slowest)


def hops_of(
    store: Store, run: Run, paths: Paths, pieces: Pieces, task: int | None = None, slowest: int = 1
) -> Hops:
    """The hops of a path that was read before."""
    if not paths.tasks.size:
        raise NotFoundError(
            f"no file tells of tasks of run {run.id[:8]}: it takes monitoring.db or parsl.log"
        )
    chosen = np.ones(paths.tasks.shape, dtype=np.bool_) if task is None else paths.tasks == task
    pieces = pieces.take(chosen[pieces.task])
    begins, ends, _ = walls(paths)
    whole = exact_sum((ends - begins)[chosen])
    lines = Lines(store, run)
    walks = [
        Walk(
            hop,
            words(hop.begin, hop.end),
            hop.lasts_ns / whole if whole else 0.0,
            _slowest(lines, paths, pieces, hop),
        )
        for hop in count(pieces, paths, slowest)
    ]
    return Hops(run, int(chosen.sum()), whole, walks, coverage(paths, chosen))


def _slowest(lines: Lines, paths: Paths, pieces: Pieces, hop: Hop) -> list[Slow]:
    found = []
    for place in hop.slowest.tolist():
        task = int(paths.tasks[pieces.task[place]])
        attempt = int(pieces.attempt[place])
        try_id = int(paths.tries[attempt]) if attempt >= 0 else 0
        # What leads from one try to the next begins in the one before.
        earlier = int(paths.tries[attempt - 1]) if hop.end == "pending" and attempt else try_id
        begin = try_id if hop.begin != "returned" or hop.end == "done" else earlier
        found.append(
            Slow(
                task,
                try_id,
                float(pieces.raw[place]) / 1e9,
                lines.of(task, begin, hop.begin),
                lines.of(task, try_id, hop.end),
            )
        )
    return found


def findings(found: Hops) -> list[Finding]:
    """Hops, but those in which apps run, of which some take far longer than most."""
    said = []
    for hop, what, _, slowest in found.walks:
        if hop.n < _ENOUGH or phase(hop.begin, hop.end) in ("work", "dependencies"):
            continue
        if hop.before > _DOUBTFUL * hop.n:
            continue
        if hop.beyond_s < _WORTH * found.wall_ns / 1e9 or hop.p95_s < _UNEVEN * hop.p50_s:
            continue
        slow = slowest[0]
        said.append(
            Finding(
                hop.beyond_s,
                f"{what or 'the way'}, from {hop.begin} to {hop.end}, took at most "
                f"{hop.p50_s:.3f} s for half of {hop.n} tries, but {hop.p95_s:.3f} s or "
                "more for one in twenty, and "
                f"{slow.seconds:.3f} s for task {slow.task}",
                f"dnpcsql hops {found.run.id[:8]}",
                (*slow.begins, *slow.ends),
            )
        )
    return said
