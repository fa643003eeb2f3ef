"""One DataFlowKernel's run, blocks and tasks, as the messages of a parsl.log tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dnpcsql.importers.context import Queues
from dnpcsql.importers.kernel_account import TRACEBACK_LIMIT, to_json
from dnpcsql.importers.kernel_tasks import Tasks
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Problem, Record, Span

# {'python_version': '3.11.7', 'workflow_name': 'full workflow', 'tasks_failed_count': 0, …}
_PAIR = re.compile(r"'(\w+)': (?:'((?:[^'\\]|\\.)*)'|(\d+))")


class Kernel(Tasks):
    """Turns messages into records: a method each, named as parsl_messages names them."""

    def __init__(
        self,
        run_id: str,
        labels: tuple[str, ...] = (),
        mixed: bool = False,
        queues: Queues = (),
    ) -> None:
        """`labels`: of the executors that have a directory. `mixed`: its records stand among
        those of other kernels, and some may be missing. `queues`: of Work Queue and TaskVine."""
        super().__init__(run_id, queues)
        self._labels = labels
        self._attributes: dict[str, object] = {"parsl.kernels.mixed": True} if mixed else {}
        self._first: At | None = None
        self._ended: int | None = None
        self._name: str | None = None
        self._scaling: dict[str, str] = {}
        self._blocks: dict[str, list[str]] = {}

    # The run

    def run_id_is(self, at: At, run_id: str) -> Sequence[Record]:
        """The kernel's own announcement."""
        self._saw(at)
        return ()

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
        text = "\n".join(at.more)[:TRACEBACK_LIMIT]
        attributes = to_json(**{"exception.stacktrace": text})
        return (
            Event(
                self._names.workflow(), at.time, "executor_bad_state", at.line,
                attributes=attributes,
            ),
        )  # fmt: skip

    # Blocks

    def scaling(self, at: At, label: str) -> Sequence[Record]:
        """The executor that a thread is busy with: what it says of blocks next is of that one's."""
        self._scaling[at.thread] = label
        return ()

    def block_launched(self, at: At, block: str, label: str, job: str) -> Sequence[Record]:
        """A block was handed to the provider."""
        self._blocks.setdefault(block, []).append(label)
        uuid, run = self._names.block(label, block), self._names.workflow()
        attributes = to_json(
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

    def finish(self, last: int | None) -> Iterator[Record]:
        """What can only be said at the end of the log: the run itself, and what never ended.

        Of a kernel that never ended the log's last record tells until when it lived.
        """
        if self._first is None:
            return
        if self._ended is None and last is not None:
            self._attributes["parsl.log.last_unix_nano"] = last
        yield from self._open_tasks(self._first)
        yield Span(
            self._names.workflow(), "parsl.rundir.workflow", self._names.trace_high,
            name=self._name, start_unix_nano=self._first.time, end_unix_nano=self._ended,
            attributes=to_json(**self._attributes), line=self._first.line,
        )  # fmt: skip

    def saw_first(self, at: At) -> None:
        """The first record of a log whose beginning is lost."""
        self._saw(at)

    def _saw(self, at: At) -> None:
        if self._first is None:
            self._first = at
