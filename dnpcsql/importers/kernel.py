"""One DataFlowKernel's tasks, tries and blocks, as the messages of a parsl.log tell of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Link, Problem, Record, Span

STATES = frozenset(
    "unsched pending running running_ended launched joining exec_done memo_done failed dep_fail "
    "fail_retryable".split()
)
TERMINAL = frozenset({"exec_done", "memo_done", "failed", "dep_fail"})
_TRACEBACK_LIMIT = 16_000

# waiting on task 25, DataFuture from task 3
_TASK = re.compile(r"\btask (\d+)")

# {'python_version': '3.11.7', 'workflow_name': 'full workflow', 'tasks_failed_count': 0, …}
_PAIR = re.compile(r"'(\w+)': (?:'((?:[^'\\]|\\.)*)'|(\d+))")


class Kernel:
    """Turns messages into records. Keeps only what cannot be said yet: retries, open failures.

    Memory grows with the tasks that are waiting or retried, not with the log.
    """

    def __init__(self, run_id: str, labels: tuple[str, ...] = ()) -> None:
        self.run_id = run_id
        self._names = Names(run_id, PARSL_LOG)
        self._labels = labels
        self._attributes: dict[str, object] = {}
        self._first: At | None = None
        self._ended: int | None = None
        self._name: str | None = None
        self._states_logged = False
        self._unlaunched: set[int] = set()
        self._retries: dict[int, int] = {}
        self._failing: dict[int, tuple[At, str | None]] = {}
        self._reraised: dict[str, str] = {}
        self._scaling: dict[str, str] = {}
        self._blocks: dict[str, list[str]] = {}
        self._executors: set[str] = set()
        self._announced: set[str] = set()

    # The run

    def run_id_is(self, at: At, run_id: str) -> Sequence[Record]:
        """The kernel's own announcement; a second one is another kernel's, whose records are not
        told apart."""
        self._saw(at)
        self._announced.add(run_id)
        if len(self._announced) == 1:
            return ()
        self._attributes["parsl.kernels.mixed"] = True
        return (Problem(at.line, "several kernels", f"records of run {run_id} are among these"),)

    def started(self, at: At) -> Sequence[Record]:
        """The first message of a kernel."""
        self._saw(at)
        return (Event(self._names.workflow(), at.time, "started", at.line),)

    def version(self, at: At, version: str) -> Sequence[Record]:
        """Which Parsl it is."""
        self._attributes["parsl.version"] = version
        return ()

    def workflow_information(self, at: At, which: str, text: str) -> Sequence[Record]:
        """What monitoring is sent, in the log since 2026-06."""
        said = {name: value or number for name, value, number in _PAIR.findall(text)}
        for key, attribute in (
            ("workflow_version", "parsl.workflow.version"),
            ("rundir", "parsl.rundir"),
            ("user", "user.name"),
            ("host", "host.name"),
            ("python_version", "process.runtime.version"),
        ):
            if key in said:
                self._attributes[attribute] = said[key]
        self._name = said.get("workflow_name", self._name)
        if which == "shutdown":
            for key in ("tasks_failed_count", "tasks_completed_count"):
                if key in said:
                    attribute = f"parsl.tasks.{key.split('_')[1]}"
                    self._attributes[attribute] = int(said[key])
            self._ended = at.time
        return ()

    def cleanup(self, at: At, stage: str) -> Sequence[Record]:
        """The kernel is told to end, and has ended."""
        if stage == "initiated":
            return (Event(self._names.workflow(), at.time, "cleanup_initiated", at.line),)
        self._ended = at.time
        return (Event(self._names.workflow(), at.time, "cleanup_complete", at.line),)

    def bad_state(self, at: At) -> Sequence[Record]:
        """An executor gave up; its traceback follows."""
        text = "\n".join(at.more)[:_TRACEBACK_LIMIT]
        attributes = _json(**{"exception.stacktrace": text})
        return (
            Event(
                self._names.workflow(), at.time, "executor_bad_state", at.line,
                attributes=attributes,
            ),
        )  # fmt: skip

    def executor(self, at: At, label: str, type_: str) -> Sequence[Record]:
        """An executor of the kernel's."""
        self._executors.add(label)
        return self._executor_records(at, label, type_)

    # Tasks and tries

    def submitted(self, at: At, task_id: str, app: str, waiting: str) -> Sequence[Record]:
        """A task, its app and what it waits for."""
        uuid, run = self._names.task(int(task_id)), self._names.workflow()
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
                Link(uuid, self._names.task(int(number)), "depends_on", place)
                for place, number in enumerate(dict.fromkeys(numbers))
            ]
        return records

    def initial(self, at: At, task_id: str, state: str) -> Sequence[Record]:
        """A task's first state: its try 0 begins."""
        number = int(task_id)
        self._unlaunched.add(number)
        return (self._state(at, number, state),)

    def changed(self, at: At, task_id: str, before: str, state: str) -> Sequence[Record]:
        """Any later state, in the words of 2026."""
        self._states_logged = True
        number = int(task_id)
        if before == "fail_retryable" and state == "pending":
            self._retries[number] = self._retries.get(number, 0) + 1
            self._unlaunched.add(number)
        if state in TERMINAL:
            return self._ends(at, number, state)
        failure = self._failure(number) if state == "fail_retryable" else ()
        return (*failure, self._state(at, number, state))

    def launched(
        self, at: At, task_id: str, try_id: str, label: str, executor_id: str | None
    ) -> Sequence[Record]:
        """A try goes to its executor, under the executor's own number."""
        number, attempt = int(task_id), int(try_id)
        if attempt:
            self._retries[number] = attempt
        uuid = self._names.attempt(number, attempt)
        self._unlaunched.discard(number)
        records = [*self._executor_once(at, label), *self._attempt(at, number, attempt, label)]
        if not self._states_logged:
            records.append(Event(uuid, at.time, "launched", at.line))
        if executor_id is not None:
            inner = self._names.executor_task(label, int(executor_id))
            records += [
                Span(
                    inner, "parsl.rundir.executor_task", self._names.trace_high,
                    parent_uuid=uuid, name="executor task", line=at.line,
                ),
                Containment(uuid, inner),
                Event(inner, at.time, "launched", at.line),
            ]  # fmt: skip
        return records

    def launched_then(self, at: At, task_id: str, label: str) -> Sequence[Record]:
        """The same in 1.2.0, which names neither try nor the executor's number."""
        return self.launched(at, task_id, str(self._retries.get(int(task_id), 0)), label, None)

    def reraised(self, at: At, type_: str) -> Sequence[Record]:
        """The type of the exception that the same thread is about to tell of, before 2024."""
        self._reraised[at.thread] = type_.rpartition(".")[2]
        return ()

    def try_failed(self, at: At, task_id: str, try_id: str, type_: str | None) -> Sequence[Record]:
        """A try failed. What of, and its traceback, may follow."""
        self._failing[int(task_id)] = (at, type_ or self._reraised.pop(at.thread, None))
        return ()

    def retried(self, at: At, task_id: str) -> Sequence[Record]:
        """A failed try is followed by another, in the words of before 2026-04."""
        number = int(task_id)
        records = (*self._failure(number), self._state(at, number, "fail_retryable"))
        self._retries[number] = self._retries.get(number, 0) + 1
        self._unlaunched.add(number)
        return records

    def gave_up(self, at: At, task_id: str, attempts: str) -> Sequence[Record]:
        """A task's last try failed; the traceback follows."""
        number = int(task_id)
        records = self._failure(number, at)
        if self._states_logged:
            return records
        return (*records, *self._ends(at, number, "failed"))

    def dependency_failed(self, at: At, task_id: str) -> Sequence[Record]:
        """A task was not launched since one that it waits for failed."""
        if self._states_logged:
            return self._failure(int(task_id))
        return self._ends(at, int(task_id), "dep_fail")

    def completed(self, at: At, task_id: str, before: str, state: str) -> Sequence[Record]:
        """A task is done, in the words of before 2026-04."""
        return self._ends(at, int(task_id), state)

    # Blocks

    def scaling(self, at: At, label: str) -> Sequence[Record]:
        """The executor that a thread is busy with: what it says of blocks next is of that one's."""
        self._scaling[at.thread] = label
        return ()

    def block_launched(self, at: At, block: str, label: str, job: str) -> Sequence[Record]:
        """A block was handed to the provider."""
        self._blocks.setdefault(block, []).append(label)
        uuid, run = self._names.block(label, block), self._names.workflow()
        attributes = _json(
            **{"parsl.executor.label": label, "parsl.block.id": block, "parsl.block.job_id": job}
        )
        return (
            *self._executor_once(at, label),
            Span(
                uuid, "parsl.rundir.block", self._names.trace_high, parent_uuid=run, name="block",
                attributes=attributes, line=at.line,
            ),
            Containment(run, uuid),
            Containment(self._names.executor(label), uuid),
            Event(uuid, at.time, "launched", at.line),
        )  # fmt: skip

    def block_launched_now(self, at: At, label: str, block: str, job: str) -> Sequence[Record]:
        """The same in the words of 2026."""
        return self.block_launched(at, block, label, job)

    def block_launched_then(self, at: At, block: str, job: str) -> Sequence[Record]:
        """The same in 1.2.0, which does not name the executor."""
        label = self._scaling.get(at.thread) or (self._labels[0] if len(self._labels) == 1 else "")
        records = self.block_launched(at, block, label, job)
        if label:
            return records
        return (*records, Problem(at.line, "executor unknown", f"block {block}"))

    def block_marked(self, at: At, block: str, status: str) -> Sequence[Record]:
        """The kernel's own change of a block's state."""
        labels = self._blocks.get(block, [])
        label = labels[0] if len(labels) == 1 else self._scaling.get(at.thread)
        if label is None:
            return (Problem(at.line, "executor unknown", f"block {block} marked {status}"),)
        return (Event(self._names.block(label, block), at.time, status, at.line),)

    # The end

    def finish(self) -> Iterator[Record]:
        """What can only be said at the end of the log: the run itself, and what never ended."""
        for number in sorted(self._failing):
            yield from self._failure(number)
        if self._first is None:
            return
        for number in sorted(self._unlaunched):
            yield from self._attempt(self._first, number, self._retries.get(number, 0), None)
        yield Span(
            self._names.workflow(), "parsl.rundir.workflow", self._names.trace_high,
            name=self._name, start_unix_nano=self._first.time, end_unix_nano=self._ended,
            attributes=_json(**self._attributes), line=self._first.line,
        )  # fmt: skip

    def _saw(self, at: At) -> None:
        if self._first is None:
            self._first = at

    def saw_first(self, at: At) -> None:
        """The first record of a log whose beginning is lost."""
        self._saw(at)

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
        attributes = None if label is None else _json(**{"parsl.executor.label": label})
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
        message = next((line for line in reversed(stack.split("\n")) if line.strip()), None)
        attributes = _json(
            **{
                "exception.type": type_,
                "exception.message": message,
                "exception.stacktrace": stack[:_TRACEBACK_LIMIT] or None,
            }
        )
        uuid = self._names.attempt(number, self._retries.get(number, 0))
        return (
            Span(
                uuid, "parsl.rundir.try", self._names.trace_high, status_code=2,
                status_message=type_,
            ),
            Event(uuid, at.time, "exception", at.line, attributes=attributes),
        )  # fmt: skip

    def _executor_once(self, at: At, label: str) -> Sequence[Record]:
        if label in self._executors:
            return ()
        self._executors.add(label)
        return self._executor_records(at, label, None)

    def _executor_records(self, at: At, label: str, type_: str | None) -> Sequence[Record]:
        uuid, run = self._names.executor(label), self._names.workflow()
        attributes = _json(**{"parsl.executor.label": label, "parsl.executor.type": type_})
        return (
            Span(
                uuid, "parsl.rundir.executor", self._names.trace_high, parent_uuid=run,
                name=label, attributes=attributes, line=at.line,
            ),
            Containment(run, uuid),
        )  # fmt: skip


def _json(**values: object) -> str | None:
    said = {name: value for name, value in values.items() if value is not None}
    return json.dumps(said, ensure_ascii=False) if said else None
