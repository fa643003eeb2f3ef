"""taskgraph of TaskVine: which task reads and writes which file, as Graphviz draws it.

    digraph "taskvine" {
    "file-temp-rnd-iafotdjgttvrklt" [shape=rect,color=blue,label=""];
    "file-temp-rnd-iafotdjgttvrklt" -> "task-5";
    "task-5" -> "file-temp-rnd-lsntamgyqhotrto";

A task that reads what another wrote depends on it: relate/taskvine.sql finds these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dnpcsql.identity import WORK_QUEUE, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, Lines, Unused
from dnpcsql.records import Containment, Link, Problem, Record, Span, Tally

_NODE = re.compile(r'"(file|task)-((?:[^"\\]|\\.)*)" \[(?:[^]"]|"(?:[^"\\]|\\.)*")*\];')
_LABEL = re.compile(r'label="((?:[^"\\]|\\.)*)"')
_READS = re.compile(r'"file-((?:[^"\\]|\\.)*)" -> "task-(\d{1,12})";')
_WRITES = re.compile(r'"task-(\d{1,12})" -> "file-((?:[^"\\]|\\.)*)";')
_SYNTAX = ('digraph "taskvine" {', "node [", "}")


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file is TaskVine's graph, whatever it is called."""
    if path.name == "taskgraph" and path.parent.name == "vine-logs":
        return True
    return head.lstrip().startswith(b'digraph "taskvine"')


def taskgraph(path: Path, context: Context) -> Iterator[Record]:
    """The tasks' files, and which task reads and writes which."""
    scope, problems = context.run_or_scope(first_line(path))
    yield from problems
    graph = Graph(Names(scope, WORK_QUEUE), context.label if context.run_id is not None else None)
    lines = Lines(path)
    unused = Unused(())
    records = understood = 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(_SYNTAX):
            continue
        records += 1
        found = graph.tell(number, line)
        if found is None:
            unused.add("", line)
        else:
            understood += 1
            yield from found
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn not in (None, "}"):
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    yield Tally(lines.count, records, understood, unused.messages())


class Graph:
    """Turns lines into records; keeps nothing."""

    def __init__(self, names: Names, label: str | None) -> None:
        self._names, self._label = names, label or ""
        self._manager = names.manager(self._label)

    def tell(self, line: int, text: str) -> Sequence[Record] | None:
        """What a line tells; None if it is no such line."""
        if found := _READS.fullmatch(text):
            return (self._link(found[2], found[1], "reads"),)
        if found := _WRITES.fullmatch(text):
            return (self._link(found[1], found[2], "writes"),)
        if found := _NODE.fullmatch(text):
            return self._node(line, found[1], found[2], text)
        return None

    def _link(self, task: str, file: str, type_: str) -> Link:
        return Link(self._names.queue_task(self._label, int(task)), self._file(file), type_)

    def _file(self, name: str) -> str:
        return self._names.named("file", self._label, name)

    def _node(self, line: int, kind: str, name: str, text: str) -> Sequence[Record]:
        """A task's own node says nothing that its transactions do not."""
        if kind == "task":
            return ()
        label = _LABEL.search(text)
        said = {"file.name": (label[1] if label else "") or None, "taskvine.file.cached_name": name}
        uuid = self._file(name)
        span = Span(
            uuid, "taskvine.file", self._names.trace_high, parent_uuid=self._manager, name="file",
            attributes=to_json(said), line=line,
        )  # fmt: skip
        return (span, Containment(self._manager, uuid))
