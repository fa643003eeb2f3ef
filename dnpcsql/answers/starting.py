"""What waiting for the first worker cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.ledger import Pieces
from dnpcsql.analyses.path import PHASES, PLACE, Paths
from dnpcsql.analyses.times import MISSING, exact_sum
from dnpcsql.answers.finding import Finding
from dnpcsql.answers.ledger import phase_of
from dnpcsql.answers.lines import Lines
from dnpcsql.identity import trace_id_of
from dnpcsql.lives import told_by

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_WORTH_S = 1.0

# When the executor's first block was asked for, and its first manager there.
_FIRST = """
SELECT event.time_unix_nano, source.path, source.importer, span.type, event.type, event.line
FROM span
JOIN event ON event.span_uuid = span.uuid AND event.type = :event
JOIN source ON source.id = event.source_id
WHERE span.uuid > :part || :account AND span.uuid < :part || :account || 'g'
  AND json_extract(span.attributes, '$."parsl.executor.label"') = :executor
ORDER BY event.time_unix_nano LIMIT 1
"""


class Start(NamedTuple):
    """How an executor's first worker came. Nanoseconds; MISSING where no file tells."""

    executor: str
    launched: int  # the first task was handed to it
    block: int  # its first block was asked for
    registered: int  # its first manager was there
    received: int  # its first task was on a worker
    queued_ns: int  # queueing of all its tasks until then
    tries: int  # how many of them queued
    task: int  # the first task on a worker
    try_id: int
    lines: tuple[str, ...]


def starts(store: Store, run: Run, paths: Paths, pieces: Pieces) -> list[Start]:
    """For each executor with managers, what passed until its first task was on a worker."""
    part = trace_id_of(run.id)[-12:]
    phases = phase_of(paths, pieces)
    labels = np.array([*paths.executors, "-"])
    found = []
    for executor in sorted(set(paths.executors) - {"-"}):
        mine = np.array([label == executor for label in paths.executors], dtype=np.bool_)
        launched = _least(paths, mine, "launched")
        block, block_line = _first(store, part, "25", "launched", executor)
        registered, registered_line = _first(store, part, "36", "registered", executor)
        on_worker = np.where(mine, _on_worker(paths), MISSING)
        known = on_worker != MISSING
        if registered == MISSING or launched == MISSING or not known.any():
            continue
        first = int(np.flatnonzero(known)[np.argmin(on_worker[known])])
        received = int(on_worker[first])
        queue = (phases == PHASES.index("queue")) & (labels[pieces.attempt] == executor)
        at, lasts = pieces.at[queue], pieces.lasts[queue]
        before = np.clip(np.minimum(at + lasts, received) - at, 0, None)
        task, try_id = int(paths.tasks[paths.owners[first]]), int(paths.tries[first])
        moment = (
            "worker_received"
            if paths.times[first, PLACE["worker_received"]] != MISSING
            else "running"
        )
        lines = Lines(store, run).of(task, try_id, moment)
        tries = int(np.unique(pieces.attempt[queue][before > 0]).size)
        found.append(
            Start(
                executor, launched, block, registered, received, exact_sum(before), tries, task,
                try_id, (*block_line, *registered_line, *lines[:1]),
            )
        )  # fmt: skip
    return found


def _on_worker(paths: Paths) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    received, running = (paths.times[:, PLACE[name]] for name in ("worker_received", "running"))
    return np.where(received != MISSING, received, running)


def _least(paths: Paths, mine: np.ndarray[tuple[int], np.dtype[np.bool_]], name: str) -> int:
    times = paths.times[mine, PLACE[name]]
    known = times[times != MISSING]
    return int(known.min()) if known.size else MISSING


def _first(
    store: Store, part: str, account: str, event: str, executor: str
) -> tuple[int, tuple[str, ...]]:
    rows = store.query(_FIRST, part=part, account=account, event=event, executor=executor).all()
    if not rows:
        return MISSING, ()
    time, path, importer, span_type, type_, line = rows[0]
    return int(time), (told_by(path, importer, span_type, type_, line),)


def findings(run: Run, found: list[Start]) -> list[Finding]:
    """Executors that had tasks, but nobody to run them."""
    said = []
    for start in found:
        waited = (start.received - start.launched) / 1e9
        if waited < _WORTH_S or not start.queued_ns:
            continue
        came = (start.registered - start.block) / 1e9
        how = f"its first manager came {came:.1f} s after its block was asked for, "
        took = (start.received - start.registered) / 1e9
        said.append(
            Finding(
                start.queued_ns / 1e9,
                f"executor {start.executor} had no worker at work for {waited:.1f} s after its "
                f"first launch: {how if start.block != MISSING else ''}the first task was on a "
                f"worker {took:.1f} s after {'that' if start.block != MISSING else 'it came'}; "
                f"{start.tries} tries queued {start.queued_ns / 1e9:.1f} s meanwhile",
                f"dnpcsql task {run.id[:8]} {start.task}",
                start.lines,
            )
        )
    return said
