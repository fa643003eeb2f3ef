"""One manager of Work Queue, as its transaction log tells of its workers and tasks.

Every generation of cctools since version 7; one that writes no TRANSFER lines just has fewer
events. TaskVine's manager says the same in other words: taskvine.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from dnpcsql.identity import PARSL_LOG, WORK_QUEUE, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.workqueue_managers import scope_of
from dnpcsql.importers.workqueue_resources import resources
from dnpcsql.importers.workqueue_workers import Worker, Workers
from dnpcsql.records import Containment, Event, Record, Span

# TASK 1 WAITING work FIRST_RESOURCES {"memory":[500,"MB"],"disk":[500,"MB"],"cores":[1,"cores"]}
# TASK 1 WAITING default FIRST_RESOURCES 1 {"cores":[1,"cores"]}     (TaskVine: the attempt)
_ASKED = re.compile(r" (?:FIRST|MAX)_RESOURCES(?: +(?P<attempt>\d{1,9}))? *(?P<json>\{.*\})?$")
# TASK 20 RUNNING 127.0.0.1:41548  FIRST_RESOURCES {"memory":[2000,"MB"],…,"cores":[2,"cores"]}
_RUNNING = re.compile(r"(?P<worker>\S+) +(?:FIRST|MAX)_RESOURCES *(?P<json>\{.*\})?")
# TASK 1 RETRIEVED SUCCESS  0  {} {"wq_output_time":[0.000235,"s"],"wq_input_time":[0.000204,"s"]}
# TASK 1 DONE SUCCESS  0     (TaskVine)
_RESULT = re.compile(
    r"(?P<result>\w+)(?: +(?P<code>-?\d{1,9}))?(?: *(?P<limits>\{[^{}]*\}) *(?P<json>\{.*\})?)?"
)
# TRANSFER INPUT 50 1 0.009184 0.000053 exec_parsl_function.py     (version 7)
_TRANSFER = re.compile(
    r"(?P<way>INPUT|OUTPUT) +(?P<task>\d{1,12}) +(?P<cached>\d) +(?P<size>\d{1,18}(?:\.\d{1,18})?) "
    r"+(?P<time>\d{1,18}(?:\.\d{1,18})?) (?P<file>.*)"
)

_LIMITS = frozenset({"MAX", "MIN", "FIRST"})
_SUBMITTED = frozenset({"WAITING", "READY", "INITIAL"})
_ENDED = frozenset({"DONE", "CANCELED"})
_STATES = _SUBMITTED | _ENDED | {"RUNNING", "WAITING_RETRIEVAL", "RETRIEVED", "UNKNOWN"}
_DIGITS = 12  # no task has a longer number


class Manager:
    """Turns lines into records: a method a kind of line, named as the log names the kind.

    Keeps its workers, but not its tasks: they are numbered in the order in which they come, so
    that those told of are the numbers up to the last. A line that is not what it ought to be
    raises ValueError.
    """

    system: ClassVar[str] = "workqueue"

    def __init__(self, context: Context, start: int, pid: int, *, first: bool) -> None:
        """`start`: microseconds. The `first` of a log in a run goes by the executor's label."""
        alone = context.run_id is None
        self._names = Names(context.run_id or scope_of(start, pid), WORK_QUEUE)
        self._label = None if alone else context.label
        self._key = (self._label or "") if alone or first else f"{self._label} {start} {pid}"
        self._pid = pid
        self._uuid = self._names.manager(self._key)
        self._parsl = Names(context.run_id, PARSL_LOG) if context.run_id else None
        self._workers = Workers(self.system, self._names, self._key, self._uuid)
        self._start = start * 1000
        self._end: int | None = None
        self._line = 0
        self._told_from = self._told_to = 0

    # The manager

    def manager(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """It starts, and ends."""
        word = "END" if "END" in rest.split() else "START"
        if word not in rest.split():
            raise ValueError("neither START nor END")
        self._end = time if word == "END" else None
        return (Event(self._uuid, time, word, line),)

    def category(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """What the tasks of a category may use from now on.

        CATEGORY work FIRST FIXED {"cores":[1,"cores"]}
        """
        name, brace, text = rest.partition("{")
        words = name.split()
        mode = words.pop() if words and words[-1] not in _LIMITS else None
        if len(words) < 2 or words[-1] not in _LIMITS:
            raise ValueError("not of the documented form")
        limit = words.pop()
        said: dict[str, object] = {
            f"{self.system}.category": " ".join(words),
            f"{self.system}.allocation.mode": mode,
            **dict(resources(brace + text or "{}", f"{self.system}.limit")),
        }
        return (Event(self._uuid, time, f"CATEGORY_{limit}", line, attributes=to_json(said)),)

    def finish(self) -> Iterator[Record]:
        """The manager itself, and its workers."""
        said: dict[str, object] = {"parsl.executor.label": self._label, "process.pid": self._pid}
        parent = None if self._parsl is None else self._parsl.executor(self._label or "")
        yield Span(
            self._uuid, f"{self.system}.manager", self._names.trace_high, parent_uuid=parent,
            name="manager", start_unix_nano=self._start, end_unix_nano=self._end,
            attributes=to_json(said), line=self._line,
        )  # fmt: skip
        if parent is not None:
            yield Containment(parent, self._uuid)
        yield from self._workers.finish()

    def saw(self, line: int) -> None:
        """The first line of it."""
        self._line = self._line or line

    # Tasks

    def task(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """A task changes its state."""
        number, _, rest = rest.partition(" ")
        state, _, rest = rest.partition(" ")
        if state not in _STATES:
            raise ValueError(f"no state of a task: {state:.40}")
        task, rest = self._task(number), rest.strip()
        if state in _SUBMITTED:
            return self._submitted(time, line, task, state, rest, int(number))
        once = self._once(number, task, line)
        if state == "RUNNING" and rest:
            return (*once, *self._running(time, line, task, rest))
        if state == "RETRIEVED" or state in _ENDED:
            return (*once, *self._result(time, line, task, state, rest))
        return (*once, Event(task, time, state, line))

    def transfer(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """A file of a task went to its worker, or came back."""
        found = _matched(_TRANSFER, rest)
        task = self._task(found["task"])
        said: dict[str, object] = {
            "file.name": found["file"],
            f"{self.system}.transfer.size_mb": float(found["size"]),
            f"{self.system}.transfer.time_s": float(found["time"]),
            f"{self.system}.transfer.cached": found["cached"] != "0",
        }
        kind = f"TRANSFER_{found['way']}"
        event = Event(task, time, kind, line, attributes=to_json(said))
        return (*self._once(found["task"], task, line), event)

    def _task(self, number: str) -> str:
        if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS):
            raise ValueError(f"no number of a task: {number:.40}")
        return self._names.queue_task(self._key, int(number))

    def _submitted(
        self, time: int, line: int, task: str, state: str, rest: str, number: int
    ) -> Sequence[Record]:
        found = _ASKED.search(rest)
        if found is None:
            raise ValueError("not of the documented form")
        if self._told_from == self._told_to:
            self._told_from = self._told_to = number
        if number == self._told_to:
            self._told_to += 1
        said: dict[str, object] = {
            f"{self.system}.attempt": found["attempt"] and int(found["attempt"]),
            **dict(resources(found["json"] or "{}", f"{self.system}.requested")),
        }
        event = Event(task, time, state, line, attributes=to_json(said))
        return (*self._span(task, line, rest[: found.start()].strip()), event)

    def _once(self, number: str, task: str, line: int) -> Sequence[Record]:
        """The task itself, if its own beginning was lost."""
        told = self._told_from <= int(number) < self._told_to
        return () if told else self._span(task, line)

    def _span(self, task: str, line: int, name: str | None = None) -> Sequence[Record]:
        span = Span(
            task, f"{self.system}.task", self._names.trace_high, parent_uuid=self._uuid,
            name=name, line=line,
        )  # fmt: skip
        return (span, Containment(self._uuid, task))

    def _running(self, time: int, line: int, task: str, rest: str) -> Sequence[Record]:
        """It was sent to a worker: again, if the one before was lost."""
        found = _matched(_RUNNING, rest)
        worker = self._worker(found["worker"], line)
        said: dict[str, object] = {
            f"{self.system}.worker.id": worker.name,
            f"{self.system}.worker.address": worker.address,
            **dict(resources(found["json"] or "{}", f"{self.system}.allocated")),
        }
        event = Event(task, time, "RUNNING", line, attributes=to_json(said))
        return (Containment(worker.uuid, task), event)

    def _worker(self, named: str, line: int) -> Worker:
        """Work Queue names the worker by where it is connected from."""
        return self._workers.at(named, line)

    def _result(self, time: int, line: int, task: str, state: str, rest: str) -> Sequence[Record]:
        """The result says how the manager fared with the task, the exit code how the task did."""
        found = _matched(_RESULT, rest or ("UNKNOWN" if state == "RETRIEVED" else state))
        code = found["code"] and int(found["code"])
        said: dict[str, object] = {
            f"{self.system}.result": found["result"] if rest else None,
            "process.exit.code": code,
        }
        if state in _ENDED:
            good = found["result"] in ("SUCCESS", "DONE") and not code
            why = f"exit code {code}" if found["result"] == "SUCCESS" else found["result"]
            over = Span(
                task, f"{self.system}.task", self._names.trace_high, end_unix_nano=time,
                status_code=1 if good else 2, status_message=None if good else why,
                attributes=to_json(said),
            )  # fmt: skip
            return (over, Event(task, time, state, line, attributes=to_json(said)))
        measured = dict(resources(found["json"] or "{}", f"{self.system}.measured"))
        said |= resources(found["limits"] or "{}", f"{self.system}.exceeded")
        event = Event(task, time, state, line, attributes=to_json({**said, **measured}))
        return (event, *self._measured(task, line, measured))

    def _measured(self, task: str, line: int, found: dict[str, float]) -> Sequence[Record]:
        """Events that what was measured of a task tells of: none."""
        return ()

    # Workers

    def worker(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """A worker comes, tells what it has, and goes.

        WORKER worker-8c1b8878f8166519e1c1b745e1dac6f4 127.0.0.1:41548  CONNECTION
        WORKER worker-8c1b8878f8166519e1c1b745e1dac6f4 RESOURCES {"memory":[2000,"MB"],…}
        """
        name, *words = rest.split(None, 3)
        if len(words) > 1 and words[1] in ("CONNECTION", "DISCONNECTION"):
            return self._comes_or_goes(time, line, name, words[1], words[0], words[2:])
        if words and words[0] == "RESOURCES":
            return self._has(time, line, name, " ".join(words[1:]))
        raise ValueError("no such line of a worker")

    def _comes_or_goes(
        self, time: int, line: int, name: str, what: str, address: str | None, rest: list[str]
    ) -> Sequence[Record]:
        worker = self._workers.named(name, line)
        if what == "CONNECTION":
            self._workers.connected(worker, address)
        else:
            self._workers.disconnected(worker, time)
        said: dict[str, object] = {
            f"{self.system}.worker.address": address or worker.address,
            f"{self.system}.reason": " ".join(rest) or None,
        }
        return self._workers.happened(time, line, worker, what, said)

    def _has(self, time: int, line: int, name: str, text: str) -> Sequence[Record]:
        worker = self._workers.named(name, line)
        worker.resources |= resources(text or "{}", f"{self.system}.worker")
        return self._workers.happened(time, line, worker, "RESOURCES", worker.resources)


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError("not of the documented form")
    return found
