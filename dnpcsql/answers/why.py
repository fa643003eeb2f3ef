"""Where did my time go? All that the answers say of a run, worst first.

To have an answer of another kind said here, add a function `Asked -> findings` to ANSWERS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.ledger import Pieces, attribute, walls
from dnpcsql.analyses.path import MOMENTS, Paths
from dnpcsql.analyses.slowness import slow_workers
from dnpcsql.analyses.times import exact_sum
from dnpcsql.answers import bottleneck, clocks, critical, failures, hops, idle, ledger, starting
from dnpcsql.answers.executor_tasks import ExecutorTasks, read_executor_tasks
from dnpcsql.answers.finding import Finding, worst_first
from dnpcsql.answers.lines import Lines
from dnpcsql.answers.paths import read_paths
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store


class Asked(NamedTuple):
    """A run, and what all answers need of it, read once."""

    store: Store
    run: Run
    paths: Paths
    pieces: Pieces
    ledger: ledger.Ledger
    tasks: ExecutorTasks
    clocks: clocks.Clocks


class Why(NamedTuple):
    """What is to be said of a run, the worst first."""

    run: Run
    ledger: ledger.Ledger
    findings: list[Finding]
    caveats: list[str]  # what it rests on, and what cannot be known


def _ledger(asked: Asked) -> list[Finding]:
    return ledger.findings(asked.ledger)


def _hops(asked: Asked) -> list[Finding]:
    return hops.findings(hops.hops_of(asked.store, asked.run, asked.paths, asked.pieces))


def _starts(asked: Asked) -> list[Finding]:
    found = starting.starts(asked.store, asked.run, asked.paths, asked.pieces)
    return starting.findings(asked.run, found)


def _failures(asked: Asked) -> list[Finding]:
    return failures.findings(failures.failures_of(asked.store, asked.run, asked.paths))


# How far a task came that never returned, by the last that is told of it.
_STAYED = {
    "invoked": "submitted", "pending": "waiting", "ready": "waiting to be launched",
    "launched": "launched", "submitted": "with the executor",
    "interchange_received": "queued in the interchange", "interchange_sent": "sent to a manager",
    "manager_got": "queued in a manager", "worker_received": "on a worker", "running": "running",
    "joining": "waiting for the tasks inside",
}  # fmt: skip


def _unfinished(asked: Asked) -> list[Finding]:
    """Tasks that never returned: all their time led to nothing."""
    last = np.flatnonzero(asked.pieces.end == MOMENTS.index("last_heard"))
    if not last.size:
        return []
    begins, ends, _ = walls(asked.paths)
    tasks = asked.pieces.task[last]
    lost = exact_sum((ends - begins)[tasks]) / 1e9
    stayed = Counter(MOMENTS[place] for place in asked.pieces.begin[last].tolist())
    how = ", ".join(
        f"{count} {_STAYED.get(name, f'after {name}')}"
        for name, count in sorted(stayed.items(), key=lambda item: (-item[1], item[0]))
    )
    some = int(last[0])
    attempt = int(asked.pieces.attempt[some])
    task = int(asked.paths.tasks[asked.pieces.task[some]])
    lines = Lines(asked.store, asked.run).of(
        task,
        int(asked.paths.tries[attempt]) if attempt >= 0 else 0,
        MOMENTS[int(asked.pieces.begin[some])],
    )
    return [
        Finding(
            lost,
            f"{last.size} of {asked.paths.tasks.size} tasks never returned ({how}); their "
            f"{lost:.1f} s led to nothing",
            f"dnpcsql task {asked.run.id[:8]} {task}",
            lines,
        )
    ]


def _workers(asked: Asked) -> list[Finding]:
    """Workers that are slower than others for the same apps."""
    lines = Lines(asked.store, asked.run)
    return [
        Finding(
            slow.excess_s,
            f"{slow.worker} (block {slow.block}, {slow.host}) is slow: "
            f"{slow.tries} tries took {slow.ratio:.1f} times as long as on other workers, "
            f"{slow.excess_s:.1f} s more in all",
            f"dnpcsql task {asked.run.id[:8]} {_task(asked.paths, slow.slowest)}",
            lines.of(
                _task(asked.paths, slow.slowest), int(asked.paths.tries[slow.slowest]),
                "worker_completed",
            ),
        )
        for slow in slow_workers(asked.paths)[:3]
    ]  # fmt: skip


def _idle(asked: Asked) -> list[Finding]:
    """Why workers had nothing to do; nothing where no file tells of workers."""
    try:
        found = idle.idle_of(asked.store, asked.run, asked.paths, asked.tasks, asked.clocks)
    except NotFoundError:
        return []
    return idle.findings(found)


def _clocks(asked: Asked) -> list[Finding]:
    return clocks.findings(asked.clocks)


def _critical(asked: Asked) -> list[Finding]:
    found = critical.critical_of(asked.store, asked.run, asked.paths, asked.clocks, None)
    return critical.findings(found)


def _bottleneck(asked: Asked) -> list[Finding]:
    return bottleneck.findings(bottleneck.bottleneck_of(asked.run, asked.paths, asked.clocks))


def _task(paths: Paths, attempt: int) -> int:
    return int(paths.tasks[paths.owners[attempt]])


ANSWERS: tuple[Callable[[Asked], Iterable[Finding]], ...] = (
    _unfinished,
    _ledger,
    _starts,
    _workers,
    _failures,
    _hops,
    _idle,
    _clocks,
    _critical,
    _bottleneck,
)
"""What is asked of a run, each for its findings."""


def why(store: Store, run: Run) -> Why:
    """All findings of a run, worst first. Raises NotFoundError if no file tells of its tasks."""
    paths = read_paths(store, run)
    pieces = attribute(paths)
    whole = ledger.ledger_of(run, paths, pieces)
    tasks = read_executor_tasks(store, run)
    known = clocks.clocks_of(store, run, tasks)
    asked = Asked(store, run, paths, pieces, whole, tasks, known)
    said = worst_first(one for answer in ANSWERS for one in answer(asked))
    return Why(run, whole, said, ledger.caveats(whole))
