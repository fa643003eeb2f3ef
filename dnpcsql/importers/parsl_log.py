"""parsl.log: what the submitting process tells of its run, in all wordings since 2021.

A record is a head and all lines up to the next head. Since 2022-06 (shape A):

    1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 Task-Launch_0-140622933522112
    parsl.dataflow.dflow:734 launch_task INFO: Parsl task 0 try 0 launched on executor htex …

and before, without any zone (shape D):

    2026-11-22 07:14:14.160 parsl.dataflow.dflow:610 [INFO]  Task 0 launched on executor htex_Local
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dnpcsql.clock import SECOND
from dnpcsql.importers.context import Context
from dnpcsql.importers.kernel import At
from dnpcsql.importers.kernels import Kernels
from dnpcsql.importers.parsl_messages import KNOWN, WITH_TRACEBACK, Match, find
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused, shape
from dnpcsql.records import Problem, Record, Tally

_TRACEBACK_LINES = 200

_HEAD_D = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+ \S+ \[[A-Z]+\])\s+(.*)")


class Message(NamedTuple):
    """A record that is understood: where it stands, its name in parsl_messages, its parts."""

    at: At
    name: str
    match: Match


def parsl_log(path: Path, context: Context) -> Iterator[Record]:
    """The runs that one parsl.log tells of: its own, and others whose own logs are not there."""
    log = ParslLog(path, context)
    scope, problems = context.run_or_scope(_first_line(path))
    yield from problems
    kernels = Kernels(scope, context)
    if context.overlapping:
        for message in ParslLog(path, context):
            if isinstance(message, Message):
                kernels.learn(message)
        kernels.learned()
    for message in log:
        if isinstance(message, Problem):
            yield message
        else:
            yield from kernels.tell(message)
    yield from kernels.finish()
    if log.zoneless and context.clock.how.startswith("nothing known"):
        yield Problem(
            1, "no zone", "no record shows its zone, UTC is taken; import again with --timezone TZ"
        )
    yield Tally(log.lines.count, log.heads, log.understood - kernels.others, log.messages(kernels))


class ParslLog:
    """The messages of one parsl.log, and the problems met on the way, in file order."""

    def __init__(self, path: Path, context: Context) -> None:
        self.lines = Lines(path)
        self.heads = 0
        self.understood = 0
        self.zoneless = False
        self._unused = Unused(KNOWN)
        self._read_local = context.clock.reader()

    def __iter__(self) -> Iterator[Message | Problem]:
        waiting: tuple[int, str, str, Match] | None = None
        more: list[str] = []
        for number, line in enumerate(self.lines, 1):
            if line[10:11] == "." and line[:10].isdigit():
                head, _, message = line.partition(": ")
            elif line[4:5] == "-" and (old := _HEAD_D.match(line)):
                head, message = old[1], old[2]
            else:
                if waiting is not None and len(more) < _TRACEBACK_LINES:
                    more.append(line[:LINE_LIMIT])
                elif "\0" in line:
                    yield Problem(number, "binary junk", shape(line))
                continue
            self.heads += 1
            if waiting is not None:
                yield self._message(waiting, more)
                waiting, more = None, []
            found = find(message)
            if found is None:
                self._unused.add(_site(head), message)
            elif found[0] in WITH_TRACEBACK:
                waiting = (number, head, *found)
            else:
                yield self._message((number, head, *found), more)
        if waiting is not None:
            yield self._message(waiting, more)
        yield from self._odd_lines()

    def messages(self, kernels: Kernels) -> dict[str, tuple[int, bool]]:
        """What was read and not used, by shape."""
        found = self._unused.messages()
        if kernels.others:
            found["other_run: records of a kernel whose own log is there"] = (kernels.others, True)
        return found

    def _message(self, found: tuple[int, str, str, Match], more: list[str]) -> Message | Problem:
        line, head, name, match = found
        try:
            at = self._at(line, head, tuple(more))
        except ValueError:
            return Problem(line, "torn record", head)
        self.understood += 1
        return Message(at, name, match)

    def _at(self, line: int, head: str, more: tuple[str, ...]) -> At:
        if head[10] == ".":
            time = int(head[:10]) * SECOND + int(head[11:17]) * 1000
            return At(line, time, head.split(" ", 4)[-1].rsplit(" ", 3)[0], more)
        self.zoneless = True
        return At(line, self._read_local(head.split(" [")[0].rsplit(" ", 1)[0]), "", more)

    def _odd_lines(self) -> Iterator[Problem]:
        for number in self.lines.cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        if self.lines.torn is not None:
            yield Problem(self.lines.count, "torn record", f"no end of line: {self.lines.torn}")


def _site(head: str) -> str:
    """Where in Parsl's source a record was made: `parsl.dataflow.dflow:734`."""
    return head.rsplit(" ", 3)[1] if head[10] == "." else head


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.readline(LINE_LIMIT).decode("utf-8", "replace")
