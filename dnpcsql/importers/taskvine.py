"""One manager of TaskVine, as its transactions log tells of it: Work Queue's successor.

By its documentation (cctools manual, "TaskVine Log File Formats") and what its source writes: the
state READY where the documentation says WAITING, sizes in bytes where it says megabytes, an exit
code behind the result that it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.workqueue import Manager
from dnpcsql.importers.workqueue_workers import Worker
from dnpcsql.records import Containment, Event, Record, Span

_FILES = ("TRANSFER INPUT", "TRANSFER OUTPUT", "CACHE_UPDATE")
_NUMBER = re.compile(r"\d{1,18}(?:\.\d{1,18})?")
_LIBRARY = re.compile(r"(\d{1,12}) +([A-Z_]+)(?: +(\S+))?")
_APPLICATION_LIMIT = 1_000

# By the clock of the worker's host, in seconds: when the task itself ran.
_RAN = ("time_worker_start", "time_worker_end")


class VineManager(Manager):
    """Turns lines into records, as Work Queue's does."""

    system: ClassVar[str] = "taskvine"

    def library(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """A library, in which functions are called, goes to a worker, starts, or fails.

        LIBRARY 1 SENT worker-b42d6a1496bee752c41ce5dfd73045dc
        """
        found = _LIBRARY.fullmatch(rest.strip())
        if found is None:
            raise ValueError("no such line of a library")
        uuid = self._names.named("library", self._key, found[1])
        records: list[Record] = [
            Span(
                uuid, "taskvine.library", self._names.trace_high, parent_uuid=self._uuid,
                name="library", attributes=to_json({"taskvine.library.id": int(found[1])}),
                line=line,
            ),
            Containment(self._uuid, uuid),
        ]  # fmt: skip
        if found[3]:
            records.append(Containment(self._workers.named(found[3], line).uuid, uuid))
        return (*records, Event(uuid, time, found[2], line))

    def application(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """What the program that has the manager wrote into its log."""
        said = to_json({"message": rest[:_APPLICATION_LIMIT]})
        return (Event(self._uuid, time, "APPLICATION", line, attributes=said),)

    def worker(self, time: int, line: int, rest: str) -> Sequence[Record]:
        """A worker comes, tells what it has, gets, sends and keeps files, and goes.

        WORKER worker-b42d6a1496bee752c41ce5dfd73045dc CONNECTION 127.0.0.1:53798
        WORKER worker-b42d6a1496bee752c41ce5dfd73045dc DISCONNECTION EXPLICIT
        """
        name, what, *words = rest.split(None, 2)
        if what == "CONNECTION":
            return self._comes_or_goes(time, line, name, what, words[0] if words else None, [])
        if what == "DISCONNECTION":
            return self._comes_or_goes(time, line, name, what, None, words)
        if what == "RESOURCES":
            return self._has(time, line, name, " ".join(words))
        return self._file(time, line, name, rest.partition(" ")[2].strip())

    def _file(self, time: int, line: int, name: str, rest: str) -> Sequence[Record]:
        """A transfer names the worker, not the task that it was for.

        WORKER worker-b42d TRANSFER INPUT a_01918d3a 36000775 16464 1721323716084851
        WORKER worker-b42d CACHE_UPDATE temp-rnd-iafotdjgttvrklt 18000139 367246 1721323716107334
        """
        what = next((what for what in _FILES if rest.startswith(f"{what} ")), None)
        if what is None:
            raise ValueError("no such line of a worker")
        name_of_file, size, took, start = _numbers_behind(rest.removeprefix(what).strip())
        said: dict[str, object] = {
            "file.name": name_of_file,
            f"taskvine.transfer.size_{'mb' if '.' in size else 'bytes'}": _number(size),
            f"taskvine.transfer.time_{'s' if '.' in took else 'us'}": _number(took),
            "taskvine.transfer.start_us": None if start is None else int(start),
        }
        kind = what.replace(" ", "_")
        return self._workers.happened(time, line, self._workers.named(name, line), kind, said)

    def _worker(self, named: str, line: int) -> Worker:
        """TaskVine names a worker by its name; its documentation has an example with addresses."""
        if ":" in named and not self._workers.known(named):
            return self._workers.at(named, line)
        return self._workers.named(named, line)

    def _measured(self, task: str, line: int, found: dict[str, float]) -> Sequence[Record]:
        times = ((name, found.get(f"taskvine.measured.{name}_s")) for name in _RAN)
        note = "by the clock of the worker's host"
        return [
            Event(task, round(seconds * 1e6) * 1000, name, line, note)
            for name, seconds in times
            if seconds is not None and 0 < seconds < 9e9
        ]


def _numbers_behind(text: str) -> tuple[str, str, str, str | None]:
    """A file's name, which may hold blanks; its size, the time it took, when it began (not in
    version 7.5). ValueError if these are not there."""
    for count in (3, 2):
        name, *numbers = text.rsplit(None, count)
        if len(numbers) == count and all(map(_NUMBER.fullmatch, numbers)):
            return name, numbers[0], numbers[1], numbers[2] if count == 3 else None
    raise ValueError("no such line of a worker")


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
