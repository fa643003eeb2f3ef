"""Logs written by Parsl's JSONLogging (since 2026-05): one JSON object a line.

    {"created": 1795331245.9384077, "process": 18293, "processName": "MainProcess",
     "threadName": "Task-Launch_0", "thread": 140123173811904, "name": "parsl.dataflow.dflow",
     "lineno": 565, "funcname": "_update_task_state", "levelname": "INFO", "msg": "…",
     "formatted": "Task 0 changing state from pending to launched",
     "parsl.dfk": "598af58f-…", "parsl.task": "0", "parsl.task_state": "launched"}

`formatted` is what the text logs say, and is read by the same wordings. The handler hangs on the
root logger, so records of other libraries stand among Parsl's: they are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql.clock import epoch_ns
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused, shape
from dnpcsql.importers.wordings import ERROR, At, Message, Wordings, drifted, error, first_word
from dnpcsql.records import Problem, Tally

_ERRORS = frozenset({"ERROR", "CRITICAL"})

# Floats as they are written: no digit of a time may be lost.
_decode = json.JSONDecoder(parse_float=str).decode


class JsonLog:
    """The messages of one JSON log, and the problems met on the way, in file order."""

    def __init__(self, path: Path, wordings: Wordings) -> None:
        self.records = 0
        self.understood = 0
        self._lines = Lines(path)
        self._wordings = wordings
        self._unused = Unused(wordings.known)
        self._foreign: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._first: Any = None
        self._last: Any = None

    def __iter__(self) -> Iterator[Message | Problem]:
        for number, line in enumerate(self._lines, 1):
            if not line or line.isspace():
                continue
            try:
                record = _decode(line)
                read = self._read(number, record)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                yield Problem(number, "torn record", shape(line))
                continue
            if read is not None:
                self.understood += 1
                self._seen.add(read.name)
                yield read
        for number in self._lines.cut:
            yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
        if self._lines.torn is not None:
            yield Problem(self._lines.count, "torn record", f"no end of line: {self._lines.torn}")
        yield from drifted(self._wordings, self._seen, self.tally())

    def first(self) -> int | None:
        """When the first record was written."""
        return None if self._first is None else epoch_ns(str(self._first))

    def last(self) -> int | None:
        """When the last record was written, once all were read."""
        return None if self._last is None else epoch_ns(str(self._last))

    def tally(self) -> Tally:
        """How much was read and understood."""
        messages = self._unused.messages()
        for name, count in self._foreign.items():
            messages[f"logger {name}: not Parsl's"] = (count, True)
        return Tally(self._lines.count, self.records, self.understood, messages)

    def _read(self, number: int, record: Any) -> Message | None:
        """A message that is wanted; raises for what is not a log record."""
        logger, created = record["name"], record["created"]
        # A file name that was no UTF-8 stands there as lone surrogates, which no database takes.
        formatted = record["formatted"].encode("utf-8", "backslashreplace").decode("utf-8")
        message, newline, more = formatted.partition("\n")
        self.records += 1
        if not (logger == "parsl" or logger.startswith("parsl.")):
            self._foreign[logger] += 1
            return None
        epoch_ns(str(created))
        if self._first is None:
            self._first = created
        self._last = created
        found = self._wordings.find(first_word(message), message)
        if found is None and self._wordings.loud and record.get("levelname") in _ERRORS:
            found = error(message)
        if found is None:
            self._unused.add(f"{logger}:{record.get('lineno')}", message)
            return None
        with_more = self._wordings.with_more | {ERROR}
        at = At(
            number,
            epoch_ns(str(created)),
            _head(record),
            tuple(more.split("\n")) if newline and found[0] in with_more else (),
            record.get("parsl.dfk"),
        )
        return Message(at, *found)


def _head(record: dict[str, Any]) -> str:
    """A head as the text logs have it, but for the local time, which JSON does not tell."""
    process = f"{record.get('processName')}-{record.get('process')}".replace(" ", "_")
    thread = f"{record.get('threadName')}-{record.get('thread')}"
    return f"{record['created']} ? ? {process} {thread} {record['name']}:? ? ?"
