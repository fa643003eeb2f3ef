"""manager.log of a funcX endpoint of 2021 to 2024: what it got and which worker it gave it to.

Tasks are told of at DEBUG level only. Today's Globus Compute has Parsl's managers instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_log import FuncxLog
from dnpcsql.importers.funcx_names import CLIENT, MANAGER, UUID
from dnpcsql.importers.logs import failure, first_line, told
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # Manager started
    ("start", r"Manager started"),
    # Sending registration message: b'{"parsl_v": "1.1.0", …, "block_id": "1", …, "hname": "amber"
    ("registration", r"Sending registration message: b'(\{.*\})'"),
    # Got tasks: ['36a48120-2c9f-4ab4-8dd1-54d51128122d'] of 1
    ("got", r"Got tasks: \[([^\]]*)\] of \d+"),
    # Sending task 36a48120-2c9f-4ab4-8dd1-54d51128122d to b'3'
    ("sending", rf"Sending task ({UUID}) to b'(\d+)'"),
    # Received TASK_CANCEL request for task: 36a48120-2c9f-4ab4-8dd1-54d51128122d
    ("cancelled", rf"Received TASK_CANCEL request for task: ({UUID})"),
    # Missing contact with interchange beyond heartbeat_threshold
    ("contact", r"Missing contact with interchange .*"),
    # Received stop request
    ("stop", r"Received stop request"),
)

# What is kept of its configuration, a record each.
_CONFIGURED = {
    "Python version": "process.runtime.version",
    "Manager ID": "parsl.manager.id",
    "Block ID": "parsl.block.id",
    "Debug logging": "parsl.manager.debug",
    "cores_per_worker": "parsl.manager.cores_per_worker",
    "max_workers": "parsl.manager.max_workers",
    "worker_mode": "funcx.manager.worker_mode",
    "scheduler_mode": "funcx.manager.scheduler_mode",
    "worker_type": "funcx.manager.worker_type",
}

KNOWN = (
    "Adding ", "Clearing task", "Command string", "Container uri", "Container cmd", "Exiting",
    "Got heartbeat", "Got task: ", "In register", "Initial workers", "Killing all", "Log dir",
    "Manager connected", "Manager listening", "Manager status", "Mode:", "Popping worker",
    "Ready worker", "Registration received", "Removing worker", "Result received",
    "Sending complete",
    "Sending process", "Sending status", "Set task", "Spinning", "Starting thread", "Start",
    "Task ", "To-Die", "Total worker", "Worker ", "[MANAGER]", "[WORKER_REMOVE]", "available_acc",
    "container_cmd", "debug logging", "hb_", "pending_worker", "poll_period", "push poll",
    "result_url", "starting", "task_url", "total_worker", "... and available", "Requesting",
)  # fmt: skip

WORDINGS = by_first_word(
    (
        *_MESSAGES,
        # Manager ID: 768ccb871eb2
        *(("configured", rf"{name}: ?.*") for name in _CONFIGURED),
    ),
    KNOWN,
    anchors=(anchor("", "start"), anchor("sending", "got")),
    loud=True,
)
_EVENTS = {"contact": "interchange_lost", "stop": "stop_received"}
_HOST = re.compile(r'"(?:hname|hostname)": "([^"]*)"')


def funcx_manager_log(path: Path, context: Context) -> Iterator[Record]:
    """The manager of one log."""
    log = FuncxLog(path, context.clock, WORDINGS)
    manager = Manager("log " + first_line(path))
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        manager.line = manager.line or message.at.line
        if message.name in _EVENTS:
            yield manager.event(message.at, _EVENTS[message.name])
        elif message.name == "configured":
            manager.configured(message.match[0])
        else:
            yield from told(manager, message)
    yield from manager.finish(log.first(), log.last())
    yield log.tally()


class Manager:
    """Turns messages into records; keeps nothing but the configuration."""

    def __init__(self, alone: str) -> None:
        """`alone`: what stands for a manager whose log does not tell its uid."""
        self.line = 0
        self._alone = alone
        self._attributes: dict[str, object] = {}
        self._waiting: set[str] = set()  # tasks that no worker has yet

    def configured(self, line: str) -> None:
        """A line of the manager's configuration, `name: value`."""
        name, _, text = line.partition(":")
        self._attributes[_CONFIGURED[name]] = text.strip() or None

    def registration(self, at: At, text: str) -> Sequence[Record]:
        """What it tells the interchange of itself."""
        host = _HOST.search(text)
        self._attributes["host.name"] = host and host[1]
        return ()

    def start(self, at: At) -> Sequence[Record]:
        """The manager begins."""
        return (self.event(at, "started"),)

    def got(self, at: At, tasks: str) -> Iterator[Record]:
        """Tasks arrived, and wait for a worker."""
        for task_id in re.findall(UUID, tasks):
            self._waiting.add(task_id)
            yield from self._mention(at, task_id)
            yield Event(names.task(MANAGER, task_id), at.time, "manager.received", at.line)

    def sending(self, at: At, task_id: str, worker: str) -> Iterator[Record]:
        """A task goes to a worker."""
        if task_id in self._waiting:
            self._waiting.remove(task_id)
        else:  # the line that told of its arrival is missing
            yield from self._mention(at, task_id)
        said = to_json({"parsl.worker.id": int(worker)})
        yield Event(names.task(MANAGER, task_id), at.time, "manager.sent", at.line, attributes=said)

    def cancelled(self, at: At, task_id: str) -> Iterator[Record]:
        """A task is to be cancelled: its worker is killed."""
        yield from self._mention(at, task_id)
        yield Event(names.task(MANAGER, task_id), at.time, "manager.cancelled", at.line)

    def _mention(self, at: At, task_id: str) -> Iterator[Record]:
        uuid, whole = names.task(MANAGER, task_id), names.task(CLIENT, task_id)
        yield Span(
            uuid, "funcx.manager.task", names.trace_of_task(task_id), parent_uuid=whole,
            name="manager task", attributes=to_json({"funcx.task.id": task_id}), line=at.line,
        )  # fmt: skip
        yield Containment(whole, uuid)
        yield Containment(self._uuid(), uuid)

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong."""
        return (failure(self._uuid(), at, text),)

    def event(self, at: At, what: str) -> Event:
        """Something in the manager's own life."""
        return Event(self._uuid(), at.time, what, at.line)

    def finish(self, first: int | None, last: int | None) -> Iterator[Record]:
        """The manager itself."""
        if first is None:
            return
        uid = self._attributes.get("parsl.manager.id")
        yield Span(
            self._uuid(), "funcx.manager", names.trace_of("manager", str(uid or self._alone)),
            name="manager", start_unix_nano=first, end_unix_nano=last,
            attributes=to_json(self._attributes), line=self.line or 1,
        )  # fmt: skip

    def _uuid(self) -> str:
        return names.manager(MANAGER, str(self._attributes.get("parsl.manager.id") or self._alone))
