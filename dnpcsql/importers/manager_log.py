"""manager.log: one HTEX manager, what it was told to be and which tasks it got.

All wordings since 2021, text or JSON. There are no task numbers on the way back: the worker's own
log has them. At INFO level nothing is left but the configuration and the start.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from dnpcsql.identity import MANAGER_LOG, PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import failure, first_line, open_log, told
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # Manager will spawn 2 workers
    ("workers", r"Manager will spawn (\d+) workers"),
    # Manager initializing
    # Manager started     (to 2025-03)
    ("start", r"Manager (?:initializing|started)"),
    # Got executor tasks: [1, 2], cumulative count of tasks: 2
    ("got", r"Got executor tasks: \[([\d, ]*)\], cumulative count of tasks: \d+"),
    # [TASK_PULL_THREAD] Got tasks: [1] of 1     (1.2.0)
    ("got", r"Got tasks: \[([\d, ]*)\] of \d+"),
    # Worker 1 has died
    # Worker 1 has been restarted
    ("worker", r"Worker (\d+) has (?:been )?(died|restarted)"),
    # Putting exception for executor task 7 in the pending result queue
    # [WORKER_WATCHDOG_THREAD] Putting exception for task 7 in the pending result queue     (1.2.0)
    ("task_lost", r"Putting exception for (?:executor )?task (\d+) in the pending result queue"),
    # Requesting drain
    ("event", r"Requesting (drain)"),
    # Missing contact with interchange beyond heartbeat_threshold
    ("event", r"Missing (contact) with interchange beyond heartbeat_threshold"),
    # Received stop request
    ("event", r"Received (stop) request"),
    # Got shutdown message from interchange - setting kill flag
    ("event", r"Got (shutdown) message from interchange - setting kill flag"),
    # Got fully drained message from interchange - setting kill flag     (2024 to 2026-03)
    ("event", r"Got full\w* (drained) message from interchange - setting kill flag"),
    # Process worker pool exiting normally
    # Process worker pool exiting with an exception
    ("event", r"Process worker pool (exiting) .*"),
)
_EVENTS = {
    "drain": "drain_requested", "contact": "interchange_lost", "stop": "stop_received",
    "shutdown": "stop_received", "drained": "stop_received", "exiting": "exiting",
}  # fmt: skip

KNOWN = (
    "Begin", "Connect", "Exiting", "Failed to connect", "Got a ", "Got heartbeat", "Initialized",
    "Loop start", "Manager ", "monitoring_queue", "No incoming", "Normal ending", "pending_result",
    "Process worker pool", "process_worker_pool", "Probe discovered", "push poll", "Put monitoring",
    "ready workers", "Received kill", "Requesting tasks", "Result", "Return from heartbeat",
    "Sending heartbeat", "Sending registration", "Sent ", "Signaling worker", "Starting",
    "starting", "Stop event", "Successfully connected", "Task url", "Terminating", "Testing ZMQ",
    "Trying to connect", "Will request drain", "Worker", "Set worker", "Launching task",
    "Certificates dir", "address_probe_timeout", "addresses", "mpi_launcher", "result_port",
    "task_port", "Start method", "Log config", "Not enough resources", "Requesting :",
)  # fmt: skip

# What a manager's configuration is called here; the rest of it says nothing of its work.
_CONFIGURED = {
    "Python version": "process.runtime.version",
    "Manager ID": "parsl.manager.id",
    "Block ID": "parsl.block.id",
    "Debug logging": "parsl.manager.debug",
    "cores_per_worker": "parsl.manager.cores_per_worker",
    "mem_per_worker": "parsl.manager.mem_per_worker",
    "max_workers": "parsl.manager.max_workers",
    "max_workers_per_node": "parsl.manager.max_workers",
    "Prefetch capacity": "parsl.manager.prefetch_capacity",
    "poll_period": "parsl.manager.poll_period_ms",
    "Heartbeat threshold": "parsl.manager.heartbeat_threshold_s",
    "Heartbeat period": "parsl.manager.heartbeat_period_s",
    "Drain period": "parsl.manager.drain_period_s",
    "CPU affinity": "parsl.manager.cpu_affinity",
    "Accelerators": "parsl.manager.accelerators",
    "enable_mpi_mode": "parsl.manager.mpi",
    "Log dir": "parsl.manager.log_dir",
}
_NOTHING = frozenset({"", "None", "none", "False"})

WORDINGS = by_first_word(
    (
        *_MESSAGES,
        # Since 2025-03 the configuration is one record of many lines; the first one is empty.
        ("configuration", r""),
        # Manager ID: 3a1992fa7068     (to 2025-03 a record each)
        *(("configured", rf"{name}: ?(.*)") for name in _CONFIGURED),
    ),
    KNOWN,
    with_more={"configuration"},
    anchors=(anchor("", "configuration configured"), anchor("", "start")),
    loud=True,
)


def manager_log(path: Path, context: Context) -> Iterator[Record]:
    """The manager of one log."""
    log = open_log(path, context.clock, WORDINGS)
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    manager = Manager(scope, context)
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        manager.line = manager.line or message.at.line
        if message.name.startswith("configur"):
            manager.configured((message.match[0], *message.at.more))
        else:
            yield from told(manager, message)
    yield from manager.finish(log.first(), log.last())
    yield log.tally()


class Manager:
    """Turns messages into records; keeps nothing but the configuration."""

    def __init__(self, scope: str, context: Context) -> None:
        """The names that a file's place gives; those that it lacks, the configuration tells."""
        self.line = 0
        self._names = Names(scope, MANAGER_LOG)
        self._parsl = Names(scope, PARSL_LOG)
        self._label = context.label
        self._block = context.block_id
        self._uid = context.manager_uid
        self._attributes: dict[str, object] = {}

    def configured(self, lines: Sequence[str]) -> None:
        """Lines of the manager's configuration, `name: value`."""
        for line in lines:
            key, _, text = line.strip().partition(":")
            name, value = _CONFIGURED.get(key), text.strip()
            if name is not None and value not in _NOTHING:
                self._attributes[name] = _value(value)
        self._uid = self._uid or self._said("parsl.manager.id")
        self._block = self._block or self._said("parsl.block.id")
        log_dir = self._said("parsl.manager.log_dir")
        self._label = self._label or (PurePosixPath(log_dir).name if log_dir else None)

    def start(self, at: At) -> Sequence[Record]:
        """The manager begins."""
        return (Event(self._uuid(), at.time, "started", at.line),)

    def workers(self, at: At, count: str) -> Sequence[Record]:
        """How many workers it will have."""
        self._attributes["parsl.manager.worker_count"] = int(count)
        return ()

    def got(self, at: At, tasks: str) -> Iterator[Record]:
        """Tasks arrived, and wait for a worker."""
        for number in tasks.split(",") if tasks else ():
            task, uuid = self._task(int(number))
            yield Span(
                uuid, "parsl.executor.htex.manager.task", self._names.trace_high,
                parent_uuid=task, name="manager task", line=at.line,
            )  # fmt: skip
            yield Containment(task, uuid)
            yield Containment(self._uuid(), uuid)
            yield Event(uuid, at.time, "manager_got_task", at.line)

    def worker(self, at: At, rank: str, what: str) -> Sequence[Record]:
        """One of its workers died, or was started again under the same number."""
        attributes = json.dumps({"parsl.worker.id": int(rank)})
        return (Event(self._uuid(), at.time, f"worker_{what}", at.line, attributes=attributes),)

    def task_lost(self, at: At, task: str) -> Sequence[Record]:
        """A task's worker died with it: WorkerLost is sent in place of a result."""
        _, uuid = self._task(int(task))
        return (Event(uuid, at.time, "manager_lost_worker", at.line),)

    def event(self, at: At, what: str) -> Sequence[Record]:
        """Something in the manager's own life."""
        return (Event(self._uuid(), at.time, _EVENTS[what], at.line),)

    def error(self, at: At, text: str) -> Sequence[Record]:
        """Something went wrong."""
        return (failure(self._uuid(), at, text),)

    def finish(self, first: int | None, last: int | None) -> Iterator[Record]:
        """The manager itself."""
        if first is None:
            return
        parent = self._parsl.executor(self._label or "")
        if self._block is not None:
            parent = self._parsl.block(self._label or "", self._block)
        said = {
            "parsl.manager.id": self._uid,
            "parsl.block.id": self._block,
            "parsl.executor.label": self._label,
        }
        attributes = {**self._attributes, **{name: text for name, text in said.items() if text}}
        yield Span(
            self._uuid(), "parsl.executor.htex.manager", self._names.trace_high,
            parent_uuid=parent, name="manager", start_unix_nano=first, end_unix_nano=last,
            attributes=json.dumps(attributes, ensure_ascii=False), line=self.line or 1,
        )  # fmt: skip
        yield Containment(parent, self._uuid())

    def _said(self, name: str) -> str | None:
        value = self._attributes.get(name)
        return None if value is None else str(value)

    def _uuid(self) -> str:
        return self._names.manager(self._uid or "")

    def _task(self, number: int) -> tuple[str, str]:
        """The executor's task, and what this manager tells of it."""
        label = self._label or ""
        return self._parsl.executor_task(label, number), self._names.executor_task(label, number)


def _value(text: str) -> str | int | float | bool:
    """What a text says: JSON has no infinity, of which `max_workers_per_node` is made."""
    try:
        number = int(text) if text.isdecimal() else float(text)
        return number if math.isfinite(number) else text
    except (ValueError, OverflowError):
        return text == "True" or text
