"""endpoint.log of a funcX or Globus Compute endpoint: when tasks came, went to a manager, and when
their results were passed on.

funcX of 2021 to 2023 tells of each task at INFO level. Today's endpoint does not: at DEBUG level it
shows what it received, and nothing of the way back. An endpoint that is started again goes on in
the same file. It serves many clients: which task is whose is told by the clients' own logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers import funcx_names as names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_log import FuncxLog
from dnpcsql.importers.funcx_names import CLIENT, ENDPOINT, UUID
from dnpcsql.importers.interchange_managers import pairs
from dnpcsql.importers.logs import failure, first_line, told
from dnpcsql.importers.wordings import At, anchor, by_first_word
from dnpcsql.records import Containment, Event, Problem, Record, Span

_MESSAGES = (
    # Initializing EndpointInterchange process with Endpoint ID: ee4737d1-cb0e-4048-93e7-…
    ("start", rf"Initializing EndpointInterchange process with Endpoint ID: ({UUID}|None)"),
    # Platform info: {'parsl_v': '1.1.0', …, 'hname': 'amber', …, 'funcx_endpoint_version': '0.4.0'
    ("platform", r"Platform info: (\{.*\})"),
    # Received task: 36a48120-2c9f-4ab4-8dd1-54d51128122d
    # [TASK_PULL_THREAD] Received task:36a48120-2c9f-4ab4-8dd1-54d51128122d     (2021)
    ("received", rf"Received task: ?({UUID})"),
    # Received message from 1: None, b'\x01{"message_type":"task","data":{"task_id":"88ac2b34-…
    ("message", rf"Received message from \d+: .{{0,500}}?\"task_id\": ?\"({UUID})\".*"),
    # Sent task 36a48120-2c9f-4ab4-8dd1-54d51128122d to manager b'dae0f12efb78'
    ("sent", rf"Sent task ({UUID}) to manager b'([^']*)'"),
    # Passing result to forwarder for task 36a48120-2c9f-4ab4-8dd1-54d51128122d
    ("forwarded", rf"Passing result to forwarder for task ({UUID})"),
    # Forwarding result for task 36a48120-2c9f-4ab4-8dd1-54d51128122d     (2023, at DEBUG level)
    ("forwarded", rf"Forwarding result for task ({UUID})"),
    # Storing result for later: 36a48120-2c9f-4ab4-8dd1-54d51128122d
    ("stored", rf"Storing result for later: ({UUID})"),
    # Retrieved stored result (36a48120-2c9f-4ab4-8dd1-54d51128122d)
    ("retrieved", rf"Retrieved stored result \(({UUID})\)"),
    # Failed to process task 36a48120-2c9f-4ab4-8dd1-54d51128122d
    ("failed", rf"Failed to process (?:task )?({UUID})"),
    # Registration info for manager b'dae0f12efb78': {'parsl_v': '1.1.0', …, 'block_id': '2', …
    ("registered", r"Registration info for manager b'([^']*)': (\{.*\})"),
    # Too many heartbeats missed for manager b'dae0f12efb78'
    ("lost", r"Too many heartbeats missed for manager b'([^']*)'.*"),
    # Function fcc8bc2b-8322-4088-88d0-7513f6c4e679 not permitted on endpoint bfe7a441-7fe9-…
    ("refused", rf"Function {UUID} not permitted on endpoint .*"),
    # EndpointInterchange shutdown complete.
    ("exiting", r"EndpointInterchange shutdown complete\."),
)

KNOWN = (
    "Acknowledged", "Adding manager", "AMQP", "Attempting", "Awaiting messages", "Bound to",
    "Channel ", "Closing", "Command _channel", "Connected to", "Connecting to", "Connection ",
    "Connection stable", "Creating a new channel", "Endpoint id", "Ensuring", "Exchange declared",
    "Exit process", "Got N result", "Got config", "Got container switch", "Heartbeat", "In idle",
    "Idle heartbeats", "Incoming ports", "Init done", "Initializing", "Interchange ", "Issuing",
    "Launch command", "Loading endpoint", "Moved to", "Opening connection", "Possibly idle",
    "Ready to send", "Reconnection count", "Resending", "Results outgoing", "Scaling", "Sending",
    "Sent failure", "Setting working_dir", "Shutdown", "Shutting down", "Started local", "Starting",
    "Task incoming", "Thread exit", "Thread start", "Unacked count", "[MAIN]", "_main_loop",
    "debug logging", "marking channel", "stopping", "waiting until", "Stopping", "joining",
    "set status",
    "closing", "shutdown done", "Quiesce", "Waiting for", "Endpoint directory", "thread ", "No ",
)  # fmt: skip

WORDINGS = by_first_word(
    _MESSAGES,
    KNOWN,
    anchors=(
        anchor("", "start received message"),
        anchor("sent", "received"),
        anchor("forwarded", "received"),
    ),
    loud=True,
)


def funcx_endpoint_log(path: Path, context: Context) -> Iterator[Record]:
    """The endpoint of one log; one a start."""
    log = FuncxLog(path, context.clock, WORDINGS)
    endpoint = Endpoint("log " + first_line(path), context)
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        if message.name == "start":
            yield from endpoint.finish()
            endpoint = Endpoint(f"{message.match[1]} {message.at.time}", context, endpoint.starts)
        endpoint.saw(message.at)
        yield from told(endpoint, message)
    yield from endpoint.finish(log.last())
    yield log.tally()


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
