"""The record heads of Parsl's logs, in all shapes since 2021, and the messages behind them.

A record is a head and all lines up to the next head. In shape A (parsl.log since 2022-06, the
other logs since 2026-01) the head tells an instant:

    1795331212.928108 2026-11-22 07:06:52 MainProcess-16615 Task-Launch_0-140622933522112
    parsl.dataflow.dflow:734 launch_task INFO: Parsl task 0 try 0 launched on executor htex …

In the older ones there is nothing but local time, to the millisecond: shape B (interchange.log),
C (manager.log, worker logs), D (all logs of 1.2.0) and E (database_manager.log):

    2026-11-22 07:06:48.129 interchange:478 HTEX-Interchange(16636) MainThread get_tasks [DEBUG]  …
    2026-11-22 07:06:48.125 parsl:281 16651 Task-Puller [DEBUG]  Got executor tasks: [1, 2], …
    2026-11-22 07:14:20.434 parsl:274 Rank:0 [DEBUG]  …
    2026-11-22 07:06:47.808 parsl.monitoring.db_manager:306 [INFO] [MainThread 140420021816192] …

Most lines of a log are of no use here. So a line costs two comparisons, one split and one look-up
of its message's first word; its time is worked out only if it is wanted, its thread if asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from dnpcsql.clock import LATEST, Clock
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused, shape
from dnpcsql.importers.wordings import At, Found, Message, Wordings, drifted, error
from dnpcsql.records import Problem, Tally

_MORE_LINES = 200
_MORE_LENGTH = 10_000
# Where the name of the logger and the line in its source begin, after 2026-11-22 07:06:48.129
_OLD_SITE = 24
# What stands between the instant and the local time of shape A, 1795331212.928108 2026-11-22
_CENTURY = " 20"
_ERRORS = ("ERROR", "CRITICAL")
_LEVELS = ("[DEBUG", "[INFO", "[WARNING", "[ERROR", "[CRITICAL")


class TextLog:
    """The messages of one text log, and the problems met on the way, in file order."""

    def __init__(self, path: Path, clock: Clock, wordings: Wordings) -> None:
        self.records = 0
        self.understood = 0
        self.zoneless = False
        self._lines = Lines(path)
        self._wordings = wordings
        self._unused = Unused(wordings.known)
        self._read_local = clock.reader()
        self._zone_known = not clock.how.startswith("nothing known")
        self._first: int | None = None
        self._last_head = ""
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[Message | Problem]:
        find, with_more = self._wordings.find, self._wordings.with_more
        words, sites, unused = self._wordings.words, self._unused.sites, self._unused.add
        loud = self._wordings.loud
        waiting: tuple[int, str, Found] | None = None
        more: list[str] = []
        head, records = "", 0
        for number, line in enumerate(chain.from_iterable(self._lines.blocks()), 1):
            if line[10:11] == "." and line[17:20] == _CENTURY:
                head, _, message = line.partition(": ")
                old = False
            elif line[4:5] == "-" and line[13:14] == ":" and (record := _old_head(line)):
                head, message = record
                old = True
            elif line[:1] == "\0" and (record := _behind_hole(line)):
                yield Problem(number, "binary junk", "NUL bytes before a record")
                head, message = record
                old = head[10:11] != "."
            else:
                if waiting is not None:
                    _add(line, more)
                elif "\0" in line:
                    yield Problem(number, "binary junk", shape(line))
                continue
            if not records:
                self._first = self._time(head)
            records += 1
            if waiting is not None:
                yield self._message(*waiting, tuple(more))
                waiting, more = None, []
            # A message that is not wanted costs no call: most are of a site that was met before.
            word = message.partition(" ")[0]
            found = find(word, message) if word in words else None
            if found is None:
                site = head[_OLD_SITE:] if old else head[head.rfind(":") :]
                if site in sites:
                    sites[site] += 1
                elif loud and head.endswith(_ERRORS):
                    waiting = (number, head, error(message))
                else:
                    unused(site.lstrip("0123456789.,: ") if old else site, message)
            elif found[0] in with_more:
                waiting = (number, head, found)
            else:
                yield self._message(number, head, found)
        self._last_head, self.records = head, records
        if waiting is not None:
            yield self._message(*waiting, tuple(more))
        yield from self._odd_lines()
        yield from drifted(self._wordings, self._seen, self.tally())

    def first(self) -> int | None:
        """When the first record was written."""
        return self._first

    def last(self) -> int | None:
        """When the last record was written, once all were read."""
        return self._time(self._last_head)

    def tally(self) -> Tally:
        """How much was read and understood."""
        return Tally(self._lines.count, self.records, self.understood, self._unused.messages())

    def _time(self, head: str) -> int | None:
        try:
            return self._at(0, head).time
        except (ValueError, IndexError):
            return None

    def _message(
        self, line: int, head: str, found: Found, more: tuple[str, ...] = ()
    ) -> Message | Problem:
        try:
            at = self._at(line, head, more)
        except (ValueError, IndexError):
            return Problem(line, "torn record", head)
        self.understood += 1
        self._seen.add(found[0])
        return Message(at, *found)

    def _at(self, line: int, head: str, more: tuple[str, ...] = ()) -> At:
        if head[10] == ".":
            if head.count(" ") < 4:
                raise ValueError("no process, no thread")
            time = int(head[:10] + head[11:17]) * 1000
            if time > LATEST:
                raise ValueError("no time that 64 bits hold")
            return At(line, time, head, more)
        self.zoneless = True
        day, time_of_day, _ = head.split(" ", 2)
        return At(line, self._read_local(f"{day} {time_of_day}"), head, more)

    def _odd_lines(self) -> Iterator[Problem]:
        for number in self._lines.cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        if self._lines.torn is not None:
            yield Problem(self._lines.count, "torn record", f"no end of line: {self._lines.torn}")
        if self.zoneless and not self._zone_known:
            yield Problem(
                1,
                "no zone",
                "no record shows its zone, UTC is taken; import again with --timezone TZ",
            )


def _add(line: str, more: list[str]) -> None:
    """One more line of a record; of very many the first ones, and the last, which says most."""
    if len(more) < _MORE_LINES:
        more.append(line[:_MORE_LENGTH])
    elif line:
        more[-1] = line[:_MORE_LENGTH]


def _behind_hole(line: str) -> tuple[str, str] | None:
    """A record behind the NUL bytes that a crashed file system leaves where a line was cut off."""
    line = line.lstrip("\0")
    if line[10:11] == "." and line[:10].isdigit():
        head, _, message = line.partition(": ")
        return head, message
    return _old_head(line)


def _old_head(line: str) -> tuple[str, str] | None:
    """Head and message of shapes B to E; one blank or two stand between them."""
    head, bracket, message = line.partition("] ")
    if not bracket:
        head = line.rstrip().removesuffix("]")
    whole = len(head) > _OLD_SITE and head.endswith(_LEVELS)
    return (head, message.lstrip(" ")) if whole else None
