"""One kernel's account of itself in its log: what its parts share."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers.attributes import to_json as of_values
from dnpcsql.importers.context import Queues
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Record, Span

TRACEBACK_LIMIT = 16_000
MESSAGE_LIMIT = 4_000


@functools.lru_cache(maxsize=1_000)
def of_executor(label: str) -> str | None:
    """The attributes of what is known to be an executor's: a million tries may have the same."""
    return of_values({"parsl.executor.label": label})


def to_json(**values: object) -> str | None:
    """A JSON object of the values that are not None."""
    return of_values(values)


# What has a manager of its own below Parsl's executor, by a part of the executor's type.
_QUEUES = ("workqueue", "taskvine")


class Account:
    """The names of one run's things, and its executors."""

    def __init__(self, run_id: str, queues: Queues = ()) -> None:
        """`queues`: the managers of Work Queue and TaskVine below the run's directory."""
        self.run_id = run_id
        self._names = Names(run_id, PARSL_LOG)
        self._executors: set[str] = set()
        self._queue_of_process = {queue.pid: queue.label for queue in queues}
        self._queues = {queue.label: queue.system for queue in queues}

    def executor(self, at: At, label: str, type_: str) -> Sequence[Record]:
        """An executor of the kernel's."""
        self._executors.add(label)
        for system in _QUEUES:
            if f".{system}." in type_:
                self._queues[label] = system
        return self._executor_records(at, label, type_)

    def _executor_once(self, at: At, label: str) -> Sequence[Record]:
        if label in self._executors:
            return ()
        self._executors.add(label)
        return self._executor_records(at, label, None)

    def _executor_records(self, at: At, label: str, type_: str | None) -> Sequence[Record]:
        uuid, run = self._names.executor(label), self._names.workflow()
        attributes = to_json(**{"parsl.executor.label": label, "parsl.executor.type": type_})
        return (
            Span(
                uuid, "parsl.rundir.executor", self._names.trace_high, parent_uuid=run,
                name=label, attributes=attributes, line=at.line,
            ),
            Containment(run, uuid),
        )  # fmt: skip

    def _queue_label(self, at: At) -> str | None:
        """The executor of which a record of Work Queue's or TaskVine's process tells: by the
        process, or because there is but one. None if that cannot be told."""
        label = self._queue_of_process.get(at.process_id() or -1)
        return next(iter(self._queues)) if label is None and len(self._queues) == 1 else label
