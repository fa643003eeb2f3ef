"""debug_log of Work Queue: which files were sent for which task, where workers are, no more.

Since 2025-03 Parsl runs Work Queue in a process without a log, so that nothing states which of
Work Queue's tasks is which of the executor's. But the executor puts what it wants executed into
function_data/<its own number>/, and here stands for which task these files went to the worker:

    … wq: vm (127.0.0.1:41548) needs file /…/function_data/0019/map (offset 0 length 88) as 'file-…
    … wq: tx to vm (127.0.0.1:41548): task 20

and for which task the result came back:

    … wq: Task 20 state change: RUNNING (2) to WAITING_RETRIEVAL (3)
    … wq: vm (127.0.0.1:41548) sending back file-80-… to /…/function_data/0019/result

That is inferred, and said to be. Its times are local, to 10 ms, and of no use beside the
transaction log's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dnpcsql.identity import DEBUG_LOG, PARSL_LOG, WORK_QUEUE, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, Lines
from dnpcsql.records import Containment, Problem, Record, Span, Tally

KEY = "debug_log"
SENT = "inferred: by the files that debug_log says were sent for it"
CAME = "inferred: by the result that debug_log says came back of it"

# 2026/11/22 07:14:27.86 work_queue_python[31784] wq: …
_HEAD = re.compile(rb"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d\d \S+\[\d+\] \w+: ", re.MULTILINE)
_WORK_QUEUE = re.compile(rb"\] wq: ")
# vm (127.0.0.1:41548) needs file /…/function_data/0019/function (offset 0 length 93) as 'file-78-…
_NEEDS = re.compile(
    r"\(([^\s(]{1,300})\) needs file \S.*/function_data/(\d{4,10})/(?:map|function) "
)
# tx to vm (127.0.0.1:41548): task 20
_TASK = re.compile(r"tx to .{0,300}\(([^\s(]{1,300})\): task (\d{1,12})$")
# Task 20 state change: RUNNING (2) to WAITING_RETRIEVAL (3)
_ENDS = re.compile(r"Task (\d{1,12}) state change: \w+ \(\d\) to (\w+)")
# vm (127.0.0.1:41548) sending back file-80-…-result to /…/function_data/0019/result
_BACK = re.compile(r"sending back \S+ to \S.*/function_data/(\d{4,10})/result$")

# rx from vm (127.0.0.1:41548): info worker-id worker-8c1b8878f8166519e1c1b745e1dac6f4
_HOST = re.compile(r"rx from (\S{1,255}) \((\S{1,255})\): info worker-id (\S{1,100})$")

_LONGEST = 10_000  # characters of a line that can be of use
_LATER = frozenset({"RETRIEVED", "DONE", "WAITING"})


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file is Work Queue's debug log, whatever it is called."""
    return (path.name == "debug_log" and not head) or (
        _HEAD.search(head) is not None and _WORK_QUEUE.search(head) is not None
    )


def debug_log(path: Path, context: Context) -> Iterator[Record]:
    """What ties the executor's tasks to Work Queue's, of one log."""
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    label = (context.label or "") if context.run_id is not None else ""
    names = Names(scope, DEBUG_LOG)
    yield Span(
        names.executor(label), "workqueue.debug_log", names.trace_high, name="debug log", line=1
    )
    ties = Ties(Names(scope, PARSL_LOG), Names(scope, WORK_QUEUE), label)
    lines = Lines(path)
    understood = 0
    for number, line in enumerate(lines, 1):
        found = ties.tell(line) if len(line) <= _LONGEST else None
        if found is None and "worker-id" in line and (host := _HOST.search(line[:_LONGEST])):
            found = _host(names, label, host, number)
        if found is not None:
            understood += 1
            yield from found
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    left_out = {"what ties no tasks": (lines.count - understood, True)}
    yield Tally(lines.count, lines.count, understood, left_out if lines.count else {})


def _host(names: Names, label: str, found: re.Match[str], line: int) -> list[Record]:
    """The host of a worker, by its own word."""
    said: dict[str, object] = {
        "host.name": found[1],
        "workqueue.worker.id": found[3],
        "workqueue.worker.address": found[2],
    }
    uuid = names.worker(f"{label} {found[3]}", 0)
    return [
        Span(
            uuid, "workqueue.debug_log.worker", names.trace_high, name="worker",
            attributes=to_json(said), line=line,
        )
    ]  # fmt: skip


class Ties:
    """Which of the executor's tasks is which of Work Queue's; keeps what is on its way."""

    def __init__(self, parsl: Names, queue: Names, label: str) -> None:
        self._parsl, self._queue, self._label = parsl, queue, label
        self._sent: dict[str, set[str]] = {}
        self._returning: str | None = None

    def tell(self, line: str) -> list[Record] | None:
        """The tie that a line makes known; None if the line is of no use."""
        if "needs file" in line and (found := _NEEDS.search(line)):
            self._sent.setdefault(found[1], set()).add(found[2])
        elif ": task " in line and (found := _TASK.search(line)):
            sent = self._sent.pop(found[1], set())
            return self._tie(sent.pop(), found[2], SENT) if len(sent) == 1 else []
        elif "state change" in line and (found := _ENDS.search(line)):
            if found[2] == "WAITING_RETRIEVAL":
                self._returning = found[1]
            elif found[2] in _LATER and found[1] == self._returning:
                self._returning = None
        elif "sending back" in line and (found := _BACK.search(line)):
            return self._tie(found[1], self._returning, CAME) if self._returning else []
        else:
            return None
        return []

    def _tie(self, executor_task: str, task: str, note: str) -> list[Record]:
        return [
            Containment(
                self._parsl.executor_task(self._label, int(executor_task)),
                self._queue.queue_task(self._label, int(task)),
                KEY,
                note,
            )
        ]
