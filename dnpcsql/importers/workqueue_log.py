"""transaction_log: the managers, workers and tasks of Work Queue; `transactions`: TaskVine's.

    1795331667867676 31784 TASK 20 RUNNING 127.0.0.1:41548  FIRST_RESOURCES {"memory":[2000,…

Microseconds since the epoch, the manager's process, the kind of line, what it says. Blanks may be
doubled. Lines with `#` document the others. Several managers may have written one file, one after
the other or at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.importers.context import Context
from dnpcsql.importers.taskvine import VineManager
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused
from dnpcsql.importers.workqueue import Manager
from dnpcsql.importers.workqueue_managers import EPOCHS
from dnpcsql.records import Problem, Record, Tally

_KINDS = frozenset({"TASK", "TRANSFER", "WORKER", "CATEGORY", "MANAGER"})
_VINE_KINDS = _KINDS - {"TRANSFER"} | {"LIBRARY", "APPLICATION"}
_LAST = 9_223_372_036_854_775  # microseconds: the last of which nanoseconds fit a column

_LINE = rb"^(?:# time|\d{16} \d+) "
_ANY = re.compile(
    _LINE + rb"(?:manager_pid )?(?:TASK|TRANSFER|WORKER|CATEGORY|MANAGER)\b", re.MULTILINE
)
# What TaskVine writes and Work Queue does not: its pid again, the address behind CONNECTION.
_VINE = re.compile(
    _LINE + rb"(?:manager_pid )?(?:MANAGER (?:manager_pid|\d+) START|WORKER \S+ CONNECTION )",
    re.MULTILINE,
)


def is_taskvine(path: Path, head: bytes) -> bool:
    """Whether a file is TaskVine's transactions log, whatever it is called."""
    if _ANY.search(head) is None:
        return path.name == "transactions" and path.parent.name == "vine-logs"
    return _VINE.search(head) is not None


def is_workqueue(path: Path, head: bytes) -> bool:
    """Whether a file is Work Queue's transaction log, whatever it is called."""
    return path.name == "transaction_log" or _ANY.search(head) is not None


def transaction_log(path: Path, context: Context) -> Iterator[Record]:
    """The managers of one log of Work Queue's."""
    return _read(path, context, Manager, _KINDS)


def transactions(path: Path, context: Context) -> Iterator[Record]:
    """The managers of one log of TaskVine's."""
    return _read(path, context, VineManager, _VINE_KINDS)


def _read(
    path: Path, context: Context, kind: type[Manager], kinds: frozenset[str]
) -> Iterator[Record]:
    lines = Lines(path)
    managers = Managers(context, kind)
    unused = Unused(())
    records = understood = 0
    for number, line in enumerate(lines, 1):
        if line[:1] in ("#", ""):
            continue
        records += 1
        words = line.split(None, 3)
        if len(words) < 4 or words[2] not in kinds:
            unused.add(words[2] if len(words) > 2 and words[2].isupper() else "", line)
            continue
        try:
            yield from managers.tell(number, *words)
        except (ValueError, RecursionError) as error:
            yield Problem(number, "record not understood", f"{error}: {line}")
            continue
        understood += 1
    yield from managers.finish()
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    yield Tally(lines.count, records, understood, unused.messages(), None, EPOCHS)


class Managers:
    """The managers that wrote one file, by process."""

    def __init__(self, context: Context, kind: type[Manager]) -> None:
        self._context, self._kind = context, kind
        self._now: dict[str, Manager] = {}
        self._any = False

    def tell(self, line: int, stamp: str, pid: str, kind: str, rest: str) -> Iterator[Record]:
        """What one line tells. ValueError if it is no such line."""
        if not (stamp.isdecimal() and pid.isdecimal() and len(stamp) + len(pid) < 40):
            raise ValueError("no time, or no process")
        if not 0 < (start := int(stamp)) <= _LAST:
            raise ValueError("no such time")
        manager = self._now.get(pid)
        begins = kind == "MANAGER" and "START" in rest.split()
        if manager is None or begins:
            if manager is not None:
                yield from manager.finish()
            manager = self._now[pid] = self._kind(
                self._context, start, int(pid), first=not self._any
            )
            self._any = True
            manager.saw(line)
            if not begins:
                yield Problem(line, "beginning lost", f"process {pid} did not say that it starts")
        told: Sequence[Record] = getattr(manager, kind.lower())(start * 1000, line, rest)
        yield from told

    def finish(self) -> Iterator[Record]:
        """What can only be said at the end."""
        for manager in self._now.values():
            yield from manager.finish()
