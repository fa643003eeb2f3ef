"""Records of the logs of funcX's and Globus Compute's endpoints, managers and workers.

Since 2021 they show an instant, local time and the level before the process:

    1659517943.119456 2022-08-03 11:12:23 INFO Executor-Interchange-220177
    TASK_PULL_THREAD-140192063985408 funcx_endpoint.executors.high_throughput.interchange:442
    migrate_tasks_to_internal Received task: 36a48120-2c9f-4ab4-8dd1-54d51128122d

Today's have local time to the microsecond, and nothing that tells the zone:

    2026-11-23 15:40:11,891999 INFO MainProcess-20990 MainThread-140389340167040
    globus_compute_endpoint.endpoint.interchange:88 __init__ Initializing EndpointInterchange …

A record is a head and all lines up to the next head. What other libraries log there is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dnpcsql.clock import Clock, epoch_ns
from dnpcsql.importers.recognising_funcx import OWN
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused, shape, without_secrets
from dnpcsql.importers.wordings import At, Message, Wordings, drifted, error, first_word
from dnpcsql.records import Problem, Tally

_HEAD = re.compile(
    r"(?:(?P<epoch>\d{9,10}\.\d{1,9}) )?"
    r"(?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d{1,9})?) "
    r"(?P<level>[A-Z]{3,10}) (?P<process>\S{1,200}) (?P<thread>.{1,200}?) "
    r"(?P<site>(?P<logger>[\w.]{1,200}):\d+ \S{1,200})(?: (?P<message>.*))?"
)
# <TaskQueueSubscriber(TQS, started daemon 140351788533440)> Received message from 1: None, b'…
# ResultPublisher<✓; o:0; t:12> Ready to send results to exchange: results
_SELF = re.compile(r"\A\w*<[^<>]{1,200}> ")
_ERRORS = ("ERROR", "CRITICAL")
_MORE_LINES = 200
_MORE_LENGTH = 10_000


def by_its_own(tally: Tally, clock: Clock) -> Tally:
    """For a log whose records all show an instant: no other file was needed to know the zone."""
    return tally._replace(
        utc_offset=clock.describe() or None, utc_offset_how="from its own records"
    )


class _Raw(NamedTuple):
    """A record as it stands."""

    line: int
    head: re.Match[str]
    more: list[str]


class FuncxLog:
    """The messages of one such log, and the problems met on the way, in file order."""

    def __init__(self, path: Path, clock: Clock, wordings: Wordings) -> None:
        self.records = 0
        self.understood = 0
        self._lines = Lines(path)
        self._wordings = wordings
        self._unused = Unused(wordings.known)
        self._others = Unused(("",))
        self._clock = clock
        self._read_local = clock.reader()
        self._zone_known = not clock.how.startswith("nothing known")
        self._zoneless = False
        self._first: int | None = None
        self._last: int | None = None
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[Message | Problem]:
        for found in self._raw():
            if isinstance(found, Problem):
                yield found
                continue
            self.records += 1
            try:
                time = self._time(found.head)
            except ValueError:
                text = without_secrets(found.head[0])
                yield Problem(found.line, "torn record", text)
                continue
            self._first = time if self._first is None else self._first
            self._last = time
            message = self._message(found, time)
            if message is not None:
                yield message
        yield from self._odd_lines()
        yield from drifted(self._wordings, self._seen, self.tally())

    def first(self) -> int | None:
        """When the first record was written."""
        return self._first

    def last(self) -> int | None:
        """When the last record was written, once all were read."""
        return self._last

    def tally(self) -> Tally:
        """How much was read and understood."""
        messages = {**self._others.messages(), **self._unused.messages()}
        tally = Tally(self._lines.count, self.records, self.understood, messages)
        return tally if self._zoneless else by_its_own(tally, self._clock)

    def _raw(self) -> Iterator[_Raw | Problem]:
        waiting: _Raw | None = None
        for number, line in enumerate(self._lines, 1):
            head = _HEAD.match(line) if line[:1].isdecimal() else None
            if head is None and line[:1] == "\0":
                head = _HEAD.match(line.lstrip("\0"))
                yield Problem(number, "binary junk", "NUL bytes where a record should begin")
            if head is not None:
                if waiting is not None:
                    yield waiting
                waiting = _Raw(number, head, [])
            elif waiting is not None and len(waiting.more) < _MORE_LINES:
                waiting.more.append(line[:_MORE_LENGTH])
            elif waiting is not None and line:
                waiting.more[-1] = line[:_MORE_LENGTH]
            elif "\0" in line:
                yield Problem(number, "binary junk", shape(line))
        if waiting is not None:
            yield waiting

    def _message(self, found: _Raw, time: int) -> Message | None:
        """What a record says, if it is wanted."""
        line, head, more = found
        text = _SELF.sub("", head["message"] or "", count=1)
        said = self._wordings.find(first_word(text), text)
        if said is None and not head["logger"].startswith(OWN):
            self._others.add(head["site"], text)
            return None
        if said is None and head["level"] in _ERRORS and self._wordings.loud:
            said = error(without_secrets(text))
        if said is None:
            self._unused.add(head["site"], text)
            return None
        self.understood += 1
        self._seen.add(said[0])
        # As Parsl's own logs have it.
        written = f"epoch date time {head['process']} {head['thread']} site function level"
        at = At(line, time, written, tuple(map(without_secrets, more)))
        return Message(at, *said)

    def _time(self, head: re.Match[str]) -> int:
        if head["epoch"] is not None:
            return epoch_ns(head["epoch"])
        self._zoneless = True
        return self._read_local(head["local"].replace(",", "."))

    def _odd_lines(self) -> Iterator[Problem]:
        for number in self._lines.cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        if self._lines.torn is not None:
            text = without_secrets(self._lines.torn)
            yield Problem(self._lines.count, "torn record", f"no end of line: {text}")
        if self._zoneless and not self._zone_known:
            yield Problem(
                1,
                "no zone",
                "no record shows its zone, UTC is taken; import again with --timezone TZ",
            )
