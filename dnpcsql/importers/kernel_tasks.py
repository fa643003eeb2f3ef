"""The tasks and tries of one DataFlowKernel, as the messages of its log tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dnpcsql.identity import WORK_QUEUE, Names
from dnpcsql.importers.context import Queues
from dnpcsql.importers.kernel_account import (
    MESSAGE_LIMIT,
    TRACEBACK_LIMIT,
    Account,
    of_executor,
    to_json,
)
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Link, Problem, Record, Span

STATES = frozenset(
    {
        "unsched", "pending", "running", "running_ended", "launched", "joining", "exec_done",
        "memo_done", "failed", "dep_fail", "fail_retryable",
    }
)  # fmt: skip
TERMINAL = frozenset({"exec_done", "memo_done", "failed", "dep_fail"})

# waiting on task 25, DataFuture from task 3
_TASK = re.compile(r"\btask (\d+)")


class Tasks(Account):
    """Turns messages into records. Keeps only what cannot be said yet: retries, open failures.

    Memory grows with the tasks that are waiting or retried, not with the log. A message with a
    number that no task or try can have raises ValueError.
    """

    def __init__(self, run_id: str, queues: Queues = ()) -> None:
        super().__init__(run_id, queues)
        self._states_logged = False
        self._unlaunched: set[int] = set()
        self._retries: dict[int, int] = {}
        self._failing: dict[int, tuple[At, str | None]] = {}
        self._reraised: dict[str, str] = {}

    def submitted(self, at: At, task_id: str, app: str, waiting: str) -> Sequence[Record]:
        """A task, its app and what it waits for."""
        uuid, run = self._names.task(_number(task_id)), self._names.workflow()
        records: list[Record] = [
            Span(
                uuid, "parsl.rundir.task", self._names.trace_high, parent_uuid=run, name=app,
                line=at.line,
            ),
            Containment(run, uuid),
            Event(uuid, at.time, "invoked", at.line),
        ]  # fmt: skip
        if not waiting.startswith("not "):
            numbers = _TASK.findall(waiting)
            records += [
                Link(uuid, self._names.task(_number(number)), "depends_on", place)
                for place, number in enumerate(dict.fromkeys(numbers))
            ]
        return records

    def initial(self, at: At, task_id: str, state: str) -> Sequence[Record]:
        """A task's first state: its try 0 begins."""
        number = _number(task_id)
        self._unlaunched.add(number)
        return (self._state(at, number, state),)

    def changed(self, at: At, task_id: str, before: str, state: str) -> Sequence[Record]:
        """Any later state, in the words of 2026."""
        self._states_logged = True
        number = _number(task_id)
        if before == "fail_retryable" and state == "pending":
            self._next_try(number)
        if state in TERMINAL:
            return self._ends(at, number, state)
        failure = self._failure(number) if state == "fail_retryable" else ()
        return (*failure, self._state(at, number, state))

    def launched(
        self, at: At, task_id: str, try_id: str, label: str, executor_id: str | None
    ) -> Sequence[Record]:
        """A try goes to its executor, under the executor's own number."""
        number, attempt = _number(task_id), _number(try_id)
        uuid = self._names.attempt(number, attempt)
        if attempt:
            self._retries[number] = attempt
        self._unlaunched.discard(number)
        records = [*self._executor_once(at, label), *self._attempt(at, number, attempt, label)]
        if not self._states_logged:
            records.append(Event(uuid, at.time, "launched", at.line))
        if executor_id is not None:
            inner = self._names.executor_task(label, int(executor_id))
            queue = self._queues.get(label)
            type_ = f"executors.{queue}.executor_task" if queue else "rundir.executor_task"
            records += [
                Span(
                    inner, f"parsl.{type_}", self._names.trace_high,
                    parent_uuid=uuid, name="executor task", line=at.line,
                ),
                Containment(uuid, inner),
                Event(inner, at.time, "launched", at.line),
            ]  # fmt: skip
        return records

    def queued(self, at: At, executor_id: str, number: str) -> Sequence[Record]:
        """A launch became a task of Work Queue or TaskVine, which number tasks themselves."""
        label = self._queue_label(at)
        if label is None:
            return (Problem(at.line, "executor unknown", f"executor task {executor_id} queued"),)
        inner = self._names.executor_task(label, int(executor_id))
        task = Names(self.run_id, WORK_QUEUE).queue_task(label, int(number))
        return (Event(inner, at.time, "executor_submitted", at.line), Containment(inner, task))

    def queue_completed(self, at: At, number: str, executor_id: str) -> Sequence[Record]:
        """Work Queue gave the result of a launch back."""
        label = self._queue_label(at)
        if label is None:
            return (Problem(at.line, "executor unknown", f"executor task {executor_id} completed"),)
        inner = self._names.executor_task(label, int(executor_id))
        return (Event(inner, at.time, "executor_completed", at.line),)

    def launched_then(self, at: At, task_id: str, label: str) -> Sequence[Record]:
        """The same in 1.2.0, which names neither try nor the executor's number."""
        return self.launched(at, task_id, str(self._retries.get(_number(task_id), 0)), label, None)

    def reraised(self, at: At, type_: str) -> Sequence[Record]:
        """The type of the exception that the same thread is about to tell of, before 2024."""
        self._reraised[at.thread] = type_.rpartition(".")[2]
        return ()

    def try_failed(self, at: At, task_id: str, try_id: str, type_: str | None) -> Sequence[Record]:
        """A try failed. What of, and its traceback, may follow."""
        self._failing[_number(task_id)] = (at, type_ or self._reraised.pop(at.thread, None))
        return ()

    def retried(self, at: At, task_id: str) -> Sequence[Record]:
        """A failed try is followed by another, in the words of before 2026-04."""
        number = _number(task_id)
        records = (*self._failure(number), self._state(at, number, "fail_retryable"))
        self._next_try(number)
        return records

    def gave_up(self, at: At, task_id: str, attempts: str) -> Sequence[Record]:
        """A task's last try failed; the traceback follows."""
        number = _number(task_id)
        records = self._failure(number, at)
        if self._states_logged:
            return records
        return (*records, *self._ends(at, number, "failed"))

    def dependency_failed(self, at: At, task_id: str) -> Sequence[Record]:
        """A task was not launched since one that it waits for failed."""
        if self._states_logged:
            return self._failure(_number(task_id))
        return self._ends(at, _number(task_id), "dep_fail")

    def completed(self, at: At, task_id: str, before: str, state: str) -> Sequence[Record]:
        """A task is done, in the words of before 2026-04."""
        return self._ends(at, _number(task_id), state)

    def _next_try(self, number: int) -> None:
        attempt = self._retries.get(number, 0) + 1
        self._names.attempt(number, attempt)
        self._retries[number] = attempt
        self._unlaunched.add(number)

    def _state(self, at: At, number: int, state: str) -> Record:
        if state not in STATES:
            return Problem(at.line, "state not known", f"task {number}: {state}")
        uuid = self._names.attempt(number, self._retries.get(number, 0))
        return Event(uuid, at.time, state, at.line)

    def _ends(self, at: At, number: int, state: str) -> Sequence[Record]:
        if state not in STATES:
            return (self._state(at, number, state),)
        records = [*self._failure(number), self._state(at, number, state)]
        if number in self._unlaunched:
            self._unlaunched.discard(number)
            records += self._attempt(at, number, self._retries.get(number, 0), None)
        self._retries.pop(number, None)
        records.append(Event(self._names.task(number), at.time, "returned", at.line))
        return records

    def _attempt(self, at: At, number: int, attempt: int, label: str | None) -> list[Record]:
        uuid, task = self._names.attempt(number, attempt), self._names.task(number)
        attributes = None if label is None else of_executor(label)
        return [
            Span(
                uuid, "parsl.rundir.try", self._names.trace_high, parent_uuid=task,
                attributes=attributes, line=at.line,
            ),
            Containment(task, uuid),
        ]  # fmt: skip

    def _failure(self, number: int, gave_up: At | None = None) -> Sequence[Record]:
        """The OpenTelemetry exception event of a try that failed, once all is known of it."""
        at, type_ = self._failing.pop(number, (gave_up, None))
        if at is None:
            return ()
        stack = "\n".join(gave_up.more) if gave_up else ""
        message = _message_of(stack)
        attributes = to_json(
            **{
                "exception.type": type_,
                "exception.message": message and message[:MESSAGE_LIMIT],
                "exception.stacktrace": stack[:TRACEBACK_LIMIT] or None,
            }
        )
        uuid = self._names.attempt(number, self._retries.get(number, 0))
        return (
            Span(
                uuid, "parsl.rundir.try", self._names.trace_high, status_code=2,
                status_message=(message or type_ or "")[:MESSAGE_LIMIT] or None,
            ),
            Event(uuid, at.time, "exception", at.line, attributes=attributes),
        )  # fmt: skip

    def _open_tasks(self, first: At) -> Iterator[Record]:
        """What never ended."""
        for number in sorted(self._failing):
            yield from self._failure(number)
        for number in sorted(self._unlaunched):
            yield from self._attempt(first, number, self._retries.get(number, 0), None)


def _message_of(stack: str) -> str | None:
    """The exception as a traceback ends with it, all its lines: `ValueError: multi-line`, ….

    It begins behind the last frame, at the first line that is not indented.
    """
    frames = stack.rfind('\n  File "')
    lines = stack[frames + 1 :].split("\n")
    if frames < 0:
        return next((line for line in reversed(lines) if line.strip()), None)
    begins = next((n for n, line in enumerate(lines) if line[:1].strip()), None)
    return None if begins is None else "\n".join(lines[begins:]).rstrip()


def _number(text: str) -> int:
    """A task's or a try's number; ValueError for what none can have."""
    if len(text) > 10:
        raise ValueError(f"no task has the number {text:.20}")
    return int(text)
