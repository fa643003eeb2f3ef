"""worker_<N>.log: one HTEX worker, the processes that served under its number, and their tasks.

All wordings since 2021, text or JSON; at INFO level as well. A worker that was killed is followed
by another process that goes on in the same file: `Worker 0 started` again, and another pid. What
the killed one had received is never completed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.identity import MANAGER_LOG, PARSL_LOG, WORKER_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import failure, first_line, open_log, told
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # Worker 0 started
    ("start", r"Worker (\d+) started"),
    # Received executor task 1
    # Received task 1     (1.2.0)
    ("received", r"Received (?:executor )?task (\d+)"),
    # Completed executor task 1
    # Completed task 1     (1.2.0)
    ("completed", r"Completed (?:executor )?task (\d+)"),
    # All processing finished for executor task 1     (since 2022-08)
    ("finished", r"All processing finished for executor task (\d+)"),
    # Manager (27470) died; worker 0 shutting down
    ("manager_died", r"Manager \(\d+\) died; worker \d+ shutting down"),
)

KNOWN = (
    "Caught an exception", "Debug logging", "Initialized", "Launching task", "Normal ending",
    "Pinned worker", "Set worker", "Starting", "Worker ID:",
)  # fmt: skip

WORDINGS = by_first_word(
    _MESSAGES,
    KNOWN,
    anchors=(
        anchor("", "start"),
        anchor("completed", "received"),
        anchor("finished", "completed"),
    ),
    loud=True,
)

# worker_12.log, worker_12.jsonlog
_NAME = re.compile(r"worker_(\d+)\.")


def worker_log(path: Path, context: Context) -> Iterator[Record]:
    """The worker of one log."""
    log = open_log(path, context.clock, WORDINGS)
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    named = _NAME.match(path.name)
    worker = Worker(scope, context, int(named[1]) if named else None)
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        worker.line = worker.line or message.at.line
        yield from told(worker, message)
    yield from worker.finish(log.first(), log.last())
    yield log.tally()


class Worker:
    """Turns messages into records; keeps nothing but the worker's name."""

    def __init__(self, scope: str, context: Context, rank: int | None) -> None:
        """`rank`: the worker's number, where the file's name tells it."""
        self.line = 0
        self._names = Names(scope, WORKER_LOG)
        self._managers = Names(scope, MANAGER_LOG)
        self._parsl = Names(scope, PARSL_LOG)
        self._label = context.label or ""
        self._context = context
        self._uid = context.manager_uid or ""
        self._rank = rank
        self._pid: int | None = None
        self._task_known: str | None = None

    def start(self, at: At, rank: str) -> Sequence[Record]:
        """A process begins to serve under the worker's number."""
        if self._rank is None:
            self._rank = int(rank)
        pid = at.process_id()
        self._pid = self._pid or pid
        attributes = None if pid is None else json.dumps({"process.pid": pid})
        return (Event(self._uuid(), at.time, "worker_started", at.line, attributes=attributes),)

    def received(self, at: At, task: str) -> Sequence[Record]:
        """A task arrived, and is unpacked and run."""
        self._pid = self._pid or at.process_id()
        return self._happened(at, task, "worker_received_task")

    def completed(self, at: At, task: str) -> Sequence[Record]:
        """A task ended, well or not: that is not told."""
        return self._happened(at, task, "worker_completed_task")

    def finished(self, at: At, task: str) -> Sequence[Record]:
        """A task's result was handed to the manager; the worker is free."""
        return self._happened(at, task, "worker_all_finished_task")

    def manager_died(self, at: At) -> Sequence[Record]:
        """The worker noticed that its manager is gone, and ends."""
        return (Event(self._uuid(), at.time, "manager_died", at.line),)

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong, outside of any task."""
        return (failure(self._uuid(), at, text),)

    def finish(self, first: int | None, last: int | None) -> Iterator[Record]:
        """The worker itself."""
        if first is None:
            return
        manager = self._managers.manager(self._uid)
        said = {
            "parsl.worker.id": self._rank,
            "parsl.manager.id": self._uid or None,
            "parsl.block.id": self._context.block_id,
            "parsl.executor.label": self._label or None,
            "process.pid": self._pid,
        }
        attributes = {name: value for name, value in said.items() if value is not None}
        yield Span(
            self._uuid(), "parsl.executor.htex.worker", self._names.trace_high,
            parent_uuid=manager, name="worker", start_unix_nano=first, end_unix_nano=last,
            attributes=json.dumps(attributes, ensure_ascii=False), line=self.line or 1,
        )  # fmt: skip
        yield Containment(manager, self._uuid())

    def _happened(self, at: At, task: str, what: str) -> Sequence[Record]:
        """An event of a task, and the task itself where it is another than the last one: of a log
        that was cut the line that told of its arrival may be missing."""
        executor_task, uuid = self._task(task)
        event = Event(uuid, at.time, what, at.line)
        if task == self._task_known:
            return (event,)
        self._task_known = task
        return (
            Span(
                uuid, "parsl.executor.htex.worker.task", self._names.trace_high,
                parent_uuid=executor_task, name="worker task", line=at.line,
            ),
            Containment(executor_task, uuid),
            Containment(self._uuid(), uuid),
            event,
        )  # fmt: skip

    def _uuid(self) -> str:
        return self._names.worker(self._uid, self._rank or 0)

    def _task(self, task: str) -> tuple[str, str]:
        """The executor's task, and what this worker tells of it."""
        number = int(task)
        return (
            self._parsl.executor_task(self._label, number),
            self._names.executor_task(self._label, number),
        )
