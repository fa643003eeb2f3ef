"""The log of a funcX client that names its tasks: FUNC, FUNCREMOTE and FUNCBIND lines.

It numbers its tasks, and says which UUID each has once its result is there:

    … synthetic_client:57 <module> INFO: FUNC 3000 submit
    … synthetic_client:76 <module> INFO: FUNC 3000 result_retrieved
    … synthetic_client:77 <module> INFO: FUNCREMOTE 3000 start 1659518799.2180448
    … synthetic_client:82 <module> INFO: FUNCBIND 3000 fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24

What the task itself saw of its worker's clock comes back with its result: FUNCREMOTE. The UUIDs
are looked up first, so that each task's events stand where the endpoint's and workers' are found.
A task whose result never came has no UUID, and stands alone under its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.clock import epoch_ns
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_log import by_its_own
from dnpcsql.importers.funcx_names import CLIENT, UUID
from dnpcsql.importers.heads import TextLog
from dnpcsql.importers.logs import failure, first_line, told
from dnpcsql.importers.text import lines_with
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # SYNTHETIC init_client
    ("begun", r"SYNTHETIC init_client"),
    # SYNTHETIC submit_start
    ("stage", r"SYNTHETIC (\w+)"),
    # SYNTHETICBIND 99340f18-7a58-4f85-bea5-915ba16a3ea9
    ("group", rf"SYNTHETICBIND ({UUID})"),
    # FUNC 3000 submit
    # FUNC 3000 submitted
    # FUNC 3000 result_start
    # FUNC 3000 result_retrieved
    ("moment", r"FUNC (\d+) (\w+)"),
    # FUNCREMOTE 3000 start 1659518799.2180448
    ("remote", r"FUNCREMOTE (\d+) (start|end) (\d{9,10}(?:\.\d+)?)"),
    # FUNCDURATION 3000 0
    ("duration", r"FUNCDURATION (\d+) (\d+(?:\.\d+)?)"),
    # FUNCBIND 3000 fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24
    ("bound", rf"FUNCBIND (\d+) ({UUID})"),
)
_TASK = "funcx.client.task"
_TYPES = {"result_retrieved": "retrieved"}
# No `: ` stands in a record's head.
_BEGUN = re.compile(rb"(?:(?!: ).)*: SYNTHETIC init_client\s*")
_BOUND = re.compile(rf"(?:(?!: ).)*: FUNCBIND (\d{{1,18}}) ({UUID})\s*".encode())

WORDINGS = by_first_word(
    _MESSAGES,
    ("",),  # what the client's libraries log tells nothing of a task that these lines do not
    anchors=(anchor("", "moment"), anchor("bound", "moment")),
    loud=True,
)


def funcx_client_log(path: Path, context: Context) -> Iterator[Record]:
    """The client of one log; one a start."""
    log = TextLog(path, context.clock, WORDINGS)
    ids = iter(_ids(path))
    client = Client("log " + first_line(path), next(ids))
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        if message.name == "begun":
            yield from client.finish(None)
            client = Client(f"start {message.at.time} {message.at.process}", next(ids, {}))
        client.saw(message.at)
        yield from told(client, message)
    yield from client.finish(log.last())
    yield by_its_own(log.tally(), context.clock)


def _ids(path: Path) -> list[dict[int, str]]:
    """The UUIDs of the tasks, by their numbers, of each start: what stands before the first, and
    each start's own."""
    starts: list[dict[int, str]] = [{}]
    for line in lines_with(path, b": FUNCBIND ", b": SYNTHETIC init_client"):
        if _BEGUN.fullmatch(line):
            starts.append({})
        elif found := _BOUND.fullmatch(line):
            starts[-1][int(found[1])] = found[2].decode()
    return starts


class Client:
    """Turns messages into records; keeps the tasks' UUIDs."""

    def __init__(self, start: str, ids: dict[int, str]) -> None:
        """`start`: what stands for this start of the client."""
        self._scope = start
        self._ids = ids
        self._uuid = names.client(start)
        self._trace = names.trace_of("client", start)
        self._attributes: dict[str, object] = {}
        self._first: At | None = None
        self._last: At | None = None
        self._tasks = 0

    def saw(self, at: At) -> None:
        """A record of the client's."""
        self._first = self._first or at
        self._last = at

    def begun(self, at: At) -> Sequence[Record]:
        """The client begins."""
        self._attributes["process.pid"] = at.process_id()
        return (Event(self._uuid, at.time, "init_client", at.line),)

    def stage(self, at: At, what: str) -> Sequence[Record]:
        """What the client is about to do."""
        return (Event(self._uuid, at.time, what, at.line),)

    def group(self, at: At, group: str) -> Sequence[Record]:
        """The tasks' group, as the service calls it."""
        self._attributes["funcx.task_group.id"] = group
        return ()

    def moment(self, at: At, number: str, what: str) -> Iterator[Record]:
        """Something that the client did with a task."""
        task = self._task(number)
        if what == "submit":
            self._tasks += 1
            yield from self._begun(at, number)
        yield Event(task, at.time, _TYPES.get(what, what), at.line)

    def remote(self, at: At, number: str, what: str, epoch: str) -> Sequence[Record]:
        """What the task saw of its worker's clock."""
        return (Event(self._task(number), epoch_ns(epoch), f"remote.{what}", at.line),)

    def duration(self, at: At, number: str, seconds: str) -> Sequence[Record]:
        """How long the task was asked to take."""
        said = self._said(number) | {"funcx.task.asked_s": float(seconds)}
        return (Span(self._task(number), _TASK, self._trace_of(number), attributes=to_json(said)),)

    def bound(self, at: At, number: str, task_id: str) -> Sequence[Record]:
        """The task's UUID, which was looked up before. It may have more than one: the last."""
        if self._ids.get(int(number)) != task_id:
            return (Problem(at.line, "bound twice", f"task {number} has another UUID as well"),)
        return ()

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong in the client."""
        return (failure(self._uuid, at, text),)

    def finish(self, last: int | None) -> Iterator[Record]:
        """The client itself. `last`: when its log ends, if it is the last in it."""
        if self._first is None or self._last is None:
            return
        unbound = self._tasks - len(self._ids)
        if unbound > 0:
            yield Problem(
                None,
                "task without UUID",
                f"of {self._tasks} tasks {unbound} were never bound to a UUID: what others tell of "
                "them is not found",
            )
        yield Span(
            self._uuid, "funcx.client", self._trace, name="client",
            start_unix_nano=self._first.time,
            end_unix_nano=self._last.time if last is None else last,
            attributes=to_json(self._attributes), line=self._first.line,
        )  # fmt: skip

    def _begun(self, at: At, number: str) -> Iterator[Record]:
        task = self._task(number)
        yield Span(
            task, _TASK, self._trace_of(number), name="task", start_unix_nano=at.time,
            attributes=to_json(self._said(number)), line=at.line,
        )  # fmt: skip
        yield Containment(self._uuid, task)

    def _said(self, number: str) -> dict[str, object]:
        key = int(number)
        return {"funcx.task.id": self._ids.get(key), "funcx.task.number": key}

    def _task(self, number: str) -> str:
        key = int(number)
        task_id = self._ids.get(key)
        if task_id is None:
            return names.numbered_task(self._scope, key)
        return names.task(CLIENT, task_id)

    def _trace_of(self, number: str) -> str:
        task_id = self._ids.get(int(number))
        return self._trace if task_id is None else names.trace_of_task(task_id)
