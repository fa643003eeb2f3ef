"""endpoint.log of a funcX or Globus Compute endpoint: when tasks came, went to a manager, and when
their results were passed on.

funcX of 2021 to 2023 tells of each task at INFO level. Today's endpoint does not: at DEBUG level it
shows what it received, and nothing of the way back. An endpoint that is started again goes on in
the same file. It serves many clients: which task is whose is told by the clients' own logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.funcx_endpoint import Endpoint
from dnpcsql.importers.funcx_log import FuncxLog
from dnpcsql.importers.funcx_names import UUID
from dnpcsql.importers.logs import first_line, told
from dnpcsql.importers.text import lines_with
from dnpcsql.importers.wordings import anchor, by_first_word
from dnpcsql.records import Problem, Record

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

_STARTED = b" Initializing EndpointInterchange process with Endpoint ID: "

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
    starts = sum(1 for _ in lines_with(path, _STARTED))
    if context.scopes and starts != len(context.scopes):
        yield Problem(
            None,
            "executor unknown",
            f"{starts} starts in this log, {len(context.scopes)} of the executor beside it: which "
            "of its tasks is which is not known",
        )
        context = replace(context, scopes=())
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
