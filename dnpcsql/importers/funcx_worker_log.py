"""funcx_worker_<N>.log: one worker of a funcX endpoint of 2021 to 2024, and its tasks.

All that it tells of tasks is logged at DEBUG level. It runs one task at a time, so that messages
without a task's UUID are about the one that it received last. Today's Globus Compute has Parsl's
workers and their logs instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_log import FuncxLog
from dnpcsql.importers.funcx_names import CLIENT, MANAGER, UUID, WORKER
from dnpcsql.importers.logs import failure, first_line, told
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # Initializing worker 3
    ("start", r"Initializing worker (\d+)"),
    # Received task with task_id='37a77735-599c-4f8d-90af-37ad6b085884' and msg='b'\x05TID=37a7
    # Received task_id:37a77735-599c-4f8d-90af-37ad6b085884 with task:b'…     (2021)
    ("received", rf"Received task(?: with task_id='|_id: ?)({UUID})\b.*"),
    # executing task task_id='37a77735-599c-4f8d-90af-37ad6b085884'
    ("executing", rf"executing task task_id='({UUID})'"),
    # Execution completed without exception
    ("executed", r"Execution completed without exception"),
    # task 37a77735-599c-4f8d-90af-37ad6b085884 completed
    # task 37a77735-599c-4f8d-90af-37ad6b085884 completed in 845123 ns     (since 2022-09)
    ("completed", rf"task ({UUID}) completed(?: in (\d+) ns)?"),
    # Sending result
    ("sending", r"Sending result"),
    # Caught an exception while executing user function
    ("raised", r"Caught (an exception while executing user function)"),
    # Failed to execute task     (since 2023-08)
    ("raised", r"Failed (to execute task)"),
    # Signal handler called with signal 15
    ("signalled", r"Signal handler called with signal (\d+)"),
    # [KILL] -- Worker KILL message received!
    ("killed", r"-- Worker KILL message received! ?"),
)

KNOWN = (
    "Broke out", "Sending registration", "Starting worker", "Trying to connect", "Unpacking",
    "Waiting for task", "Worker is of type", "*** WORKER", "debug logging", "Message unpacked",
    "Setting task timeout",
)  # fmt: skip

WORDINGS = by_first_word(
    _MESSAGES,
    KNOWN,
    with_more={"raised"},
    anchors=(
        anchor("", "start"),
        anchor("completed", "received executing"),
        anchor("sending", "received executing completed"),
    ),
    loud=True,
)

# funcx_worker_12.log
_NAME = re.compile(r"funcx_worker_(\d+)\.")
# ValueError: no good
_RAISED = re.compile(r"([A-Za-z_][\w.]{0,200})(?:: (.*))?")


def funcx_worker_log(path: Path, context: Context) -> Iterator[Record]:
    """The worker of one log."""
    log = FuncxLog(path, context.clock, WORDINGS)
    uid = context.manager_uid
    if uid is None:
        yield Problem(
            1, "manager unknown", "its directory is not named as a manager's: it stands alone"
        )
    named = _NAME.match(path.name)
    worker = Worker(uid, "log " + first_line(path), int(named[1]) if named else None)
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        worker.line = worker.line or message.at.line
        yield from told(worker, message)
    yield from worker.finish(log.first(), log.last())
    yield log.tally()


class Worker:
    """Turns messages into records; keeps the task at hand."""

    def __init__(self, uid: str | None, alone: str, number: int | None) -> None:
        """`uid`: the manager's; `alone` stands for it where it is not known. `number`: the
        worker's, where the file's name tells it."""
        self.line = 0
        self._uid = uid
        self._manager = uid or alone
        self._number = number
        self._pid: int | None = None
        self._task: str | None = None
        self._trace = names.trace_of("manager", self._manager)

    def start(self, at: At, number: str) -> Sequence[Record]:
        """A process begins to serve under the worker's number."""
        if self._number is None:
            self._number = int(number)
        pid = at.process_id()
        self._pid, self._task = self._pid or pid, None
        said = to_json({"process.pid": pid})
        return (Event(self._uuid(), at.time, "worker_started", at.line, attributes=said),)

    def received(self, at: At, task_id: str) -> Iterator[Record]:
        """A task arrived."""
        self._task = task_id
        yield from self._begun(at, task_id)
        yield self._event(at, task_id, "worker.received")

    def executing(self, at: At, task_id: str) -> Iterator[Record]:
        """A task is unpacked and run."""
        if self._task != task_id:
            self._task = task_id
            yield from self._begun(at, task_id)
        yield self._event(at, task_id, "worker.executing")

    def executed(self, at: At) -> Iterator[Record]:
        """The task at hand ended well."""
        if self._task is not None:
            yield self._event(at, self._task, "worker.executed")

    def completed(self, at: At, task_id: str, took: str | None) -> Sequence[Record]:
        """A task ended, well or not."""
        said = to_json({"duration_ns": None if took is None else int(took)})
        return (self._event(at, task_id, "worker.completed", said),)

    def sending(self, at: At) -> Iterator[Record]:
        """The task at hand's result goes to the manager."""
        if self._task is not None:
            yield self._event(at, self._task, "worker.sending")
        self._task = None

    def raised(self, at: At, what: str) -> Iterator[Record]:
        """The task at hand failed; the traceback ends with the exception."""
        last = next((line for line in reversed(at.more) if line and line[0] != " "), what)
        found = _RAISED.fullmatch(last)
        said = {
            "exception.type": found[1] if found else None,
            "exception.message": (found[2] if found else last) or last,
            "exception.stacktrace": "\n".join(at.more) or None,
        }
        uuid, trace = self._uuid(), self._trace
        if self._task is not None:
            uuid, trace = names.task(WORKER, self._task), names.trace_of_task(self._task)
            yield Span(
                uuid, "funcx.worker.task", trace, status_code=2, status_message=last[:500]
            )  # fmt: skip
        yield Event(uuid, at.time, "exception", at.line, attributes=to_json(said, 4_000))

    def signalled(self, at: At, signal: str) -> Sequence[Record]:
        """The worker is told to end. The task that it had is never completed."""
        said = to_json({"signal": int(signal)})
        return (Event(self._uuid(), at.time, "signalled", at.line, attributes=said),)

    def killed(self, at: At) -> Sequence[Record]:
        """The manager needs it no more."""
        return (Event(self._uuid(), at.time, "killed", at.line),)

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong, outside of any task."""
        return (failure(self._uuid(), at, text),)

    def finish(self, first: int | None, last: int | None) -> Iterator[Record]:
        """The worker itself."""
        if first is None:
            return
        manager = names.manager(MANAGER, self._manager)
        said = {
            "parsl.worker.id": self._number,
            "parsl.manager.id": self._uid,
            "process.pid": self._pid,
        }
        yield Span(
            self._uuid(), "funcx.worker", self._trace, parent_uuid=manager, name="worker",
            start_unix_nano=first, end_unix_nano=last, attributes=to_json(said),
            line=self.line or 1,
        )  # fmt: skip
        yield Containment(manager, self._uuid())

    def _begun(self, at: At, task_id: str) -> Iterator[Record]:
        uuid, whole = names.task(WORKER, task_id), names.task(CLIENT, task_id)
        yield Span(
            uuid, "funcx.worker.task", names.trace_of_task(task_id), parent_uuid=whole,
            name="worker task", attributes=to_json({"funcx.task.id": task_id}), line=at.line,
        )  # fmt: skip
        yield Containment(whole, uuid)
        yield Containment(self._uuid(), uuid)

    def _event(self, at: At, task_id: str, what: str, attributes: str | None = None) -> Event:
        uuid = names.task(WORKER, task_id)
        return Event(uuid, at.time, what, at.line, attributes=attributes)

    def _uuid(self) -> str:
        return names.worker(self._manager, self._number or 0)
