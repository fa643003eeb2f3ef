"""Several DataFlowKernels in one process write every record into each other's parsl.log.

Text records name no kernel. They are told apart, in this order: by an executor's label that only
one kernel has; by the thread, once a record of that thread was told apart; by the task that is
being submitted, whose number is the kernel's next; by the one kernel that has such a task in
flight; else not at all, and that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from dnpcsql.importers.context import Context
from dnpcsql.importers.kernel import Kernel
from dnpcsql.importers.separator import Separator
from dnpcsql.importers.wordings import Message
from dnpcsql.records import Problem, Record, Tally

# Messages that only help to tell kernels apart.
_HELPING = frozenset({"chosen", "result_thread", "shutting_down"})

_Tell: TypeAlias = Callable[..., Sequence[Record]]


class Kernels:
    """The kernels of one log, and whose each record is."""

    def __init__(self, run_id: str, context: Context, mixed: bool) -> None:
        self._own = Kernel(run_id, context.labels, mixed, context.queues)
        self._kernels = {run_id: self._own}
        self._separator = Separator(run_id, context) if mixed else None
        self._context = context
        self._submitted: dict[tuple[str, str], Message] = {}
        self._others = 0

    def learn(self, message: Message) -> None:
        """A first pass over a log of overlapping kernels: which thread is whose."""
        if self._separator is not None:
            self._separator.owner(message)

    def learned(self) -> None:
        """The first pass is done."""
        if self._separator is not None:
            self._separator.second_pass()

    def tell(self, message: Message) -> Sequence[Record]:
        """The records of a message, if it is of a run that this log is to tell of.

        JSON does not name the kernel that a task is submitted to, but the next record of the same
        task and thread does: it is waited for.
        """
        at, name, match = message
        if self._separator is None or not self._separator.names_kernels:
            return self._tell(message)
        if name == "submitted":
            self._submitted[at.thread, match[1]] = message
            return ()
        before = self._submitted.pop((at.thread, match[1]), None) if name == "initial" else None
        if before is None:
            return self._tell(message)
        before = before._replace(at=before.at._replace(kernel=at.kernel))
        return (*self._tell(before), *self._tell(message))

    def _tell(self, message: Message) -> Sequence[Record]:
        at, name, match = message
        kernel = self._own
        if self._separator is not None:
            run_id = self._separator.owner(message)
            if run_id is None and name in _HELPING:
                return ()
            if run_id is None:
                return (Problem(at.line, "kernel unknown", f"of which run: {match[0]}"),)
            if run_id in self._context.other_logs:
                self._others += 1
                return ()
            if run_id not in self._kernels:
                self._kernels[run_id] = Kernel(run_id, mixed=True)
            kernel = self._kernels[run_id]
        kernel.saw_first(at)
        if name in _HELPING:
            return ()
        tell: _Tell = kernel.run_id_is if name == "run_id" else getattr(kernel, name)
        try:
            return tell(at, *match.groups())
        except ValueError as error:
            return (Problem(at.line, "record not understood", f"{error}: {match[0]}"),)

    def finish(self, last: int | None) -> Iterator[Record]:
        """What can only be said at the end; `last`: when the log's last record was written."""
        for message in self._submitted.values():
            yield from self._tell(message)
        for kernel in self._kernels.values():
            yield from kernel.finish(last)

    def counted(self, tally: Tally) -> Tally:
        """A log's tally, in which the records of runs that have a log of their own stand apart."""
        if not self._others:
            return tally
        others = {"other_run: records of a kernel whose own log is there": (self._others, True)}
        return tally._replace(
            understood=tally.understood - self._others, messages={**tally.messages, **others}
        )
