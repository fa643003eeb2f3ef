"""One HTEX interchange: its tasks and managers, as the messages of its log tell of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from dnpcsql.importers.interchange_managers import Managers, numbers, pairs
from dnpcsql.importers.logs import failure
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Problem, Record, Span

_FETCHED = "inferred: the Nth that was fetched"
_LOAD = "from what was sent to the MonitoringHub"

# {'block_id': '0', 'start_time': …, 'tasks': [2, 3], …, 'active': True, …, 'uid': '91ad98baa4ba'}
_TASKS = re.compile(r"'tasks': \[([\d, ]*)\]")
_UID = re.compile(r"'uid': '([^']*)'")


class Interchange(Managers):
    """Turns messages into records.

    What is kept is what is on its way: the tasks that managers have. Which numbers came in is
    kept as bounds, since they rise.
    """

    def __init__(self, scope: str, label: str | None) -> None:
        """`scope`: the run's id, or what stands for it. `label`: the executor's."""
        super().__init__(scope, label)
        self.started = False
        self._uuid = self._names.executor(self._label)
        self._first: At | None = None
        self._last: At | None = None
        self._attributes: dict[str, object] = {"parsl.executor.label": label} if label else {}
        self._received: tuple[int, int] | None = None
        self._sent: set[int] = set()
        self._loads: dict[str, frozenset[int]] = {}
        self._loaded: set[int] = set()
        self._returned: set[int] = set()

    # The executor

    def saw(self, at: At) -> None:
        """A record of the executor's."""
        self._first = self._first or at
        self._last = at

    def start(self, at: At) -> Sequence[Record]:
        """The interchange is up."""
        self.started = True
        return (Event(self._uuid, at.time, "started", at.line),)

    def platform(self, at: At, text: str) -> Sequence[Record]:
        """Where it runs."""
        said = pairs(text)
        for key, name in (("hostname", "host.name"), ("parsl_v", "parsl.version")):
            if key in said:
                self._attributes[name] = said[key]
        return ()

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong."""
        return (failure(self._uuid, at, text),)

    def exiting(self, at: At) -> Sequence[Record]:
        """The interchange was told to end."""
        return (Event(self._uuid, at.time, "exiting", at.line),)

    def finish(self, first: int | None, last: int | None) -> Iterator[Record]:
        """The executor itself, once all was read. `first`, `last`: when its log begins and ends,
        if that is known better than by the messages that were told here."""
        if self._first is None or self._last is None:
            return
        executor = self._parsl.executor(self._label)
        yield Span(
            self._uuid, "parsl.executor.htex.interchange", self._names.trace_high,
            parent_uuid=executor, name="interchange",
            start_unix_nano=self._first.time if first is None else first,
            end_unix_nano=self._last.time if last is None else last,
            attributes=json.dumps(self._attributes, ensure_ascii=False), line=self._first.line,
        )  # fmt: skip
        yield Containment(executor, self._uuid)

    # Tasks

    def received(self, at: At, task: str, note: str | None = None) -> Sequence[Record]:
        """A task came in and waits for a manager."""
        number = int(task)
        first, last = self._received or (number, number)
        self._received = (min(first, number), max(last, number))
        uuid = self._names.executor_task(self._label, number)
        return (
            *self._task(at, number, uuid),
            Event(uuid, at.time, "interchange_received_task", at.line, note),
        )

    def fetched(self, at: At, count: str) -> Sequence[Record]:
        """A task came in. Its number is not told, but numbers rise by one, through one socket."""
        return self.received(at, count, _FETCHED)

    def sent(self, at: At, tasks: str, uid: str) -> Sequence[Record]:
        """Tasks went to a manager."""
        given = numbers(tasks)
        self._sent.update(given)
        return tuple(self._to_manager(at, given, uid, None))

    def removed(self, at: At, task: str) -> Sequence[Record]:
        """A task's result passes."""
        number = int(task)
        uuid = self._names.executor_task(self._label, number)
        known = self._came(number) or number in self._sent
        self._sent.discard(number)
        if number in self._loaded:
            self._returned.add(number)
        return (
            *(() if known else self._task(at, number, uuid)),
            Event(uuid, at.time, "interchange_removing_task", at.line),
        )

    def load(self, at: At, text: str) -> Sequence[Record]:
        """All tasks that are on a manager: some may be new there, some gone."""
        tasks, uid = _TASKS.search(text), _UID.search(text)
        if tasks is None or uid is None:
            return (Problem(at.line, "message not understood", text),)
        now = frozenset(numbers(tasks[1]))
        before = self._loads.get(uid[1], frozenset())
        if "'active': False" in text:
            # Nothing is sent to a held manager, but to 2025-03 this is the first that is told.
            now &= before
        self._loads[uid[1]] = now
        new = sorted(now - before - self._sent)
        gone = before - now
        unexplained = sorted(gone - self._returned)
        self._loaded |= now
        for known in (self._loaded, self._returned, self._sent):
            known.difference_update(gone)
        return (
            *self._to_manager(at, new, uid[1], _LOAD),
            *(
                Event(
                    self._names.executor_task(self._label, number),
                    at.time,
                    "interchange_removing_task",
                    at.line,
                    _LOAD,
                )
                for number in unexplained
            ),
        )

    def _task(self, at: At, number: int, uuid: str) -> Sequence[Record]:
        executor_task = self._parsl.executor_task(self._label, number)
        return (
            Span(
                uuid, "parsl.executor.htex.interchange.task", self._names.trace_high,
                parent_uuid=executor_task, name="interchange task", line=at.line,
            ),
            Containment(executor_task, uuid),
        )  # fmt: skip

    def _to_manager(
        self, at: At, numbers: Sequence[int], uid: str, note: str | None
    ) -> Iterator[Record]:
        manager = self._names.manager(uid)
        for number in numbers:
            uuid = self._names.executor_task(self._label, number)
            if not self._came(number):
                yield from self._task(at, number, uuid)
            yield Containment(manager, uuid)
            yield Event(uuid, at.time, "interchange_to_manager", at.line, note)

    def _came(self, number: int) -> bool:
        """Whether a task's coming in was told of, and with it its span."""
        return self._received is not None and self._received[0] <= number <= self._received[1]

    def lost(self, at: At, uid: str) -> Sequence[Record]:
        """Nothing was heard of a manager for too long: what it had does not come back."""
        self._loads.pop(uid, None)
        return super().lost(at, uid)

    def cancelled(self, at: At, tasks: str) -> Iterator[Record]:
        """The tasks of the manager that was just lost are given up."""
        for known in (self._loaded, self._returned, self._sent):
            known.difference_update(numbers(tasks))
        return super().cancelled(at, tasks)
