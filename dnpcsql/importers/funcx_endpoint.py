"""One start of a funcX or Globus Compute endpoint, as the messages of its log tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_names import CLIENT, ENDPOINT
from dnpcsql.importers.interchange_managers import pairs
from dnpcsql.importers.logs import failure
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Record, Span


class Endpoint:
    """Turns messages into records; keeps the UUIDs of the tasks that a log of DEBUG level shows.

    Today's endpoint has Parsl's HighThroughputExecutor, which counts tasks from 1, and no log tells
    which is which. One thread hands them on as they come: the order of receipt gives the number,
    until a function is refused, for it is not said of which task.
    """

    def __init__(self, start: str, context: Context, starts: int = 0) -> None:
        """`start`: what stands for this start of the endpoint, the `starts`-th of its log."""
        self.starts = starts
        self._uuid = names.endpoint(start)
        self._trace = names.trace_of("endpoint", start)
        self._attributes: dict[str, object] = {}
        self._first: At | None = None
        self._last: At | None = None
        self._context = context
        self._received: dict[str, None] = {}
        self._counted = True

    def saw(self, at: At) -> None:
        """A record of the endpoint's."""
        self._first = self._first or at
        self._last = at

    def start(self, at: At, endpoint_id: str) -> Sequence[Record]:
        """The endpoint is up."""
        self.starts += 1
        self._attributes["funcx.endpoint.id"] = endpoint_id
        self._attributes["process.pid"] = at.process_id()
        return (Event(self._uuid, at.time, "started", at.line),)

    def platform(self, at: At, text: str) -> Sequence[Record]:
        """Where it runs, and of which version it is."""
        said = pairs(text)
        for key, name in (
            ("hname", "host.name"),
            ("parsl_v", "parsl.version"),
            ("funcx_endpoint_version", "funcx.endpoint.version"),
        ):
            self._attributes.setdefault(name, said.get(key))
        return ()

    def received(self, at: At, task_id: str) -> Iterator[Record]:
        """A task arrived: at the endpoint, or one process further, at its interchange."""
        within = "interchange" if at.process.startswith("Executor-Interchange") else "endpoint"
        yield from self._task(at, task_id, f"{within}.received")

    def message(self, at: At, task_id: str) -> Iterator[Record]:
        """A task arrived, and is handed to the executor."""
        yield from self._task(at, task_id, "endpoint.received")
        if self._counted:
            self._received[task_id] = None

    def sent(self, at: At, task_id: str, uid: str) -> Iterator[Record]:
        """A task was sent to a manager."""
        said = to_json({"parsl.manager.id": uid})
        yield from self._task(at, task_id, "interchange.sent", said)
        yield Containment(names.manager(ENDPOINT, uid), names.task(ENDPOINT, task_id))

    def forwarded(self, at: At, task_id: str) -> Iterator[Record]:
        """A task's result came back, and is passed on."""
        yield from self._task(at, task_id, "endpoint.forwarded")

    def stored(self, at: At, task_id: str) -> Iterator[Record]:
        """A task's result could not be passed on, and is kept."""
        yield from self._task(at, task_id, "endpoint.stored")

    def retrieved(self, at: At, task_id: str) -> Iterator[Record]:
        """A task's result that was kept is passed on."""
        yield from self._task(at, task_id, "endpoint.forwarded")

    def failed(self, at: At, task_id: str) -> Iterator[Record]:
        """A task could not be handed to the executor."""
        self._received.pop(task_id, None)
        yield from self._task(at, task_id, "endpoint.failed")
        yield failure(names.task(ENDPOINT, task_id), at, "Failed to process task")

    def refused(self, at: At) -> Sequence[Record]:
        """A function that may not be run here was asked for."""
        self._received, self._counted = {}, False
        return (Event(self._uuid, at.time, "function_refused", at.line),)

    def registered(self, at: At, uid: str, text: str) -> Iterator[Record]:
        """A manager came up."""
        said = pairs(text)
        uuid = names.manager(ENDPOINT, uid)
        attributes = {
            "parsl.manager.id": uid,
            "parsl.block.id": said.get("block_id"),
            "host.name": said.get("hname") or said.get("hostname"),
        }
        yield Span(
            uuid, "funcx.endpoint.manager", self._trace, parent_uuid=self._uuid, name="manager",
            attributes=to_json(attributes), line=at.line,
        )  # fmt: skip
        yield Containment(self._uuid, uuid)
        yield Event(uuid, at.time, "registered", at.line)

    def lost(self, at: At, uid: str) -> Sequence[Record]:
        """A manager was not heard of any more."""
        return (Event(names.manager(ENDPOINT, uid), at.time, "lost", at.line),)

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong, with no task that is named."""
        return (failure(self._uuid, at, text),)

    def exiting(self, at: At) -> Sequence[Record]:
        """The endpoint ended."""
        return (Event(self._uuid, at.time, "exiting", at.line),)

    def finish(self, last: int | None = None) -> Iterator[Record]:
        """The endpoint itself. `last`: when its log ends, if it is the last in it."""
        if self._first is None or self._last is None:
            return
        yield Span(
            self._uuid, "funcx.endpoint", self._trace, name="endpoint",
            start_unix_nano=self._first.time,
            end_unix_nano=self._last.time if last is None else last,
            attributes=to_json(self._attributes), line=self._first.line,
        )  # fmt: skip
        yield from self._executor_tasks()

    def _task(
        self, at: At, task_id: str, what: str, attributes: str | None = None
    ) -> Iterator[Record]:
        uuid, whole = names.task(ENDPOINT, task_id), names.task(CLIENT, task_id)
        yield Span(
            uuid, "funcx.endpoint.task", names.trace_of_task(task_id), parent_uuid=whole,
            name="endpoint task", attributes=to_json({"funcx.task.id": task_id}),
            line=at.line if what.endswith("received") else None,
        )  # fmt: skip
        yield Containment(whole, uuid)
        yield Containment(self._uuid, uuid)
        yield Event(uuid, at.time, what, at.line, attributes=attributes)

    def _executor_tasks(self) -> Iterator[Record]:
        """What the endpoint's executor calls the tasks, if there is but one executor here."""
        label, scopes = self._context.label, self._context.scopes
        if label is None or not 0 < self.starts <= len(scopes):
            return
        parsl = Names(scopes[self.starts - 1], PARSL_LOG)
        for number, task_id in enumerate(self._received, 1):
            yield Containment(
                names.task(ENDPOINT, task_id), parsl.executor_task(label, number),
                note="inferred: by order of receipt",
            )  # fmt: skip
