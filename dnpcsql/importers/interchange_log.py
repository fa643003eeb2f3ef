"""interchange.log: the tasks and managers of one HighThroughputExecutor, as its hub sees them.

All wordings since 2021, text or JSON. At INFO level, with monitoring (since 2025-09), the numbers
of the tasks on a manager stand in what is sent to the MonitoringHub at each change of its load:
which appear and which go tells when they were sent and when their results came, within 5 ms. That
is used for the tasks for which nothing better is logged, and said in the event's note.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.interchange import Interchange
from dnpcsql.importers.logs import first_line, open_log, told
from dnpcsql.importers.wordings import anchor, by_first_word
from dnpcsql.records import Problem, Record

_MESSAGES = (
    # Starting main interchange method
    ("start", r"Starting main interchange method"),
    # Incoming ports bound     (to 2024)
    ("start", r"Incoming ports bound"),
    # Platform info: {'parsl_v': '2026.10.26', 'python_v': '3.11.7', 'os': 'Linux', 'hostname': …}
    ("platform", r"Platform info: (\{.*\})"),
    # Put task 1 onto pending_task_queue
    ("received", r"Put task (\d+) onto pending_task_queue"),
    # Fetched 1 tasks so far     (to 2025-10)
    ("fetched", r"Fetched (\d+) tasks so far"),
    # [TASK_PULL_THREAD] Fetched task:1     (1.2.0)
    ("fetched", r"Fetched task:(\d+)"),
    # Sent tasks: [1, 2] to manager b'91365d3eae4d'
    ("sent", r"Sent tasks: \[([\d, ]*)\] to manager b'([^']*)'"),
    # Removing task 1 from manager
    # Removing task 1 from manager record b'3a1992fa7068'     (2022-08 to 2025-06)
    ("removed", r"Removing task (\d+) from manager(?: record b'[^']*')?"),
    # Registration info for manager b'91365d3eae4d': {'type': 'registration', 'parsl_v': …}
    ("registered", r"Registration info for manager b'([^']*)': (\{.*\})"),
    # Sending message {'block_id': '0', 'tasks': [2, 3], …, 'uid': '91ad98baa4ba'} to MonitoringHub
    ("load", r"Sending message (\{.*\}) to MonitoringHub"),
    # Received HOLD_MANAGER for b'91365d3eae4d'
    # Received HOLD_WORKER for b'3a1992fa7068'     (to 2026-07)
    ("held", r"Received HOLD_(?:MANAGER|WORKER) for b'([^']*)'"),
    # Too many heartbeats missed for manager b'91365d3eae4d' - removing manager
    # [MAIN] Too many heartbeats missed for manager b'0d98e4edca4f'     (1.2.0)
    ("lost", r"Too many heartbeats missed for manager b'([^']*)'(?: - removing manager)?"),
    # Cancelling htex tasks [13] on removed manager
    ("cancelled", r"Cancelling htex tasks \[([\d, ]*)\] on removed manager"),
    # Manager b'91365d3eae4d' has reached its drain time - draining
    # Manager b'0d98e4edca4f' requested drain     (to 2025)
    # Manager b'91365d3eae4d' is drained - telling manager to shutdown
    # Manager b'0d98e4edca4f' is drained - sending drained message to manager     (to 2026-03)
    (
        "drained",
        r"Manager b'([^']*)' (?:has reached its (drain) time.*|requested (drain)|is (drained) .*)",
    ),
    # Exiting
    ("exiting", r"Exiting"),
)

KNOWN = (
    "N tasks in internal queue", "is alive", "Command thread", "Received a result",
    "Received heartbeat", "Received SHUTDOWN", "Suppressing", "Message", "Setting kill",
    "Worker to hold", "Ignoring message", "Failed to read", "Raw message",
    "Adding manager", "Attempting connection", "Bound to port", "Command Server", "Connect",
    "Created monitoring", "Creating monitoring", "Current tasks", "either no interesting",
    "entering ", "Got ", "Initialized", "Initializing", "Last: ", "launching ", "leaving ",
    "Manager b'", "Managers count", "Monitoring enabled", "Number of results", "Platform info",
    "Processed ", "Processing message", "Putting task", "putting message", "Received command",
    "Registered manager", "Reply: ", "Sending ", "Sent ", "Starting", "start", "zmq.Again",
    "Normal ending",
)  # fmt: skip

WORDINGS = by_first_word(
    _MESSAGES,
    KNOWN,
    anchors=(
        anchor("", "start"),
        anchor("sent", "registered"),
        anchor("sent", "received fetched"),
        anchor("removed", "sent"),
    ),
    loud=True,
)


def interchange_log(path: Path, context: Context) -> Iterator[Record]:
    """The executor of one log; several, if it was started several times without a run around it."""
    log = open_log(path, context.clock, WORDINGS)
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    later = iter(context.scopes[1:])
    interchange = Interchange(scope, context.label)
    alone = True
    for message in log:
        if isinstance(message, Problem):
            yield message
            continue
        again = next(later, None) if message.name == "start" and interchange.started else None
        if again is not None:
            yield from interchange.finish(log.first() if alone else None, None)
            interchange, alone = Interchange(again, context.label), False
        interchange.saw(message.at)
        yield from told(interchange, message)
    yield from interchange.finish(log.first() if alone else None, log.last())
    yield log.tally()
