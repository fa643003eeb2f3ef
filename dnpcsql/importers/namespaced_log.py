"""Logs that say in JSON what they are about, in fields with a namespace: Academy's, and others'.

    {"formatted": "Invoking action echo with tag id 7c30…", "name": "academy.handle",
     "msg": "Invoking action %s with tag id %s", "levelname": "DEBUG", "created": "1795331245.93",
     "academy.action": "echo", "academy.action_tag": "7c30…", "academy.action_state": "start",
     "academy.agent_id": "AgentId<worker@1b2c3d4e>"}

Such are the records of Python's logging as one JSON object a line, with what the program adds by
`extra={"academy.agent_id": …}`; Parsl's JSONLogging writes the same, and is read by json_log.py.
What a field names is taken from how it is called:

    ns.THING_id, _tag, _uid, _uuid   which THING: a span of type ns.THING, to which this happened
    ns.THING                         beside that: its name
    ns.THING_state                   beside that: its event; else the message is
    all others                       attributes of the event

Things whose ids no other program has (a UUID, or a part of one) are the same in all files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import ENTITY, NAMED, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.logs import first_line
from dnpcsql.importers.text import LINE_LIMIT, Lines, shape
from dnpcsql.records import Event, Link, Problem, Record, Span, Tally

_NEEDED = frozenset({"formatted", "created", "name"})

# academy.agent_id     academy.action_tag     myapp.stage.id
_FIELD = re.compile(r"([A-Za-z_]\w*)\.([\w.]+)", re.ASCII)
_THING = re.compile(r"(.+)[_.](?:id|tag|uid|uuid)", re.ASCII)
_GLOBAL = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}", re.IGNORECASE | re.ASCII)

_PARSL = "parsl"
_LONGEST = 4_000
_LONGEST_EVENT = 120
_REMEMBERED = 10_000
_LOGGERS = 5_000
_LOUD = frozenset({"WARNING", "ERROR", "CRITICAL"})

# Floats as they are written: no digit of a time may be lost.
_decode = json.JSONDecoder(parse_float=str).decode


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file begins with a record of Python's logging in JSON."""
    if head[:1] != b"{":
        return False
    line, end, _ = head.partition(b"\n")
    if not end and len(line) < len(head):
        return False
    if end:
        try:
            record = _decode(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return False
        return isinstance(record, dict) and record.keys() >= _NEEDED
    return all(f'"{name}"'.encode() in line for name in _NEEDED)


def namespaced_log(path: Path, context: Context) -> Iterator[Record]:
    """The things that one log tells of, and what happened to them."""
    teller = _Teller(path, context)
    lines = Lines(path)
    records = understood = 0
    others: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        try:
            record = _decode(line.encode("utf-8", "replace").decode())
            fields = _fields(record)
            time = epoch_ns(str(record["created"]))
            message, logger = _clean(record["formatted"]), _clean(record["name"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield Problem(number, "torn record", shape(line))
            continue
        records += 1
        told = list(teller.tell(number, time, message, record, fields))
        if told:
            understood += 1
            yield from told
        else:
            others[logger if logger in others or len(others) < _LOGGERS else "others"] += 1
    for number in lines.cut:
        yield Problem(number, "long line", f"cut after {LINE_LIMIT} bytes")
    if lines.torn is not None:
        yield Problem(lines.count, "torn record", f"no end of line: {lines.torn}")
    yield from teller.problems()
    messages = {
        f"logger {name}: names nothing by a namespaced id": (count, True)
        for name, count in others.items()
    }
    yield Tally(lines.count, records, understood, messages, utc_offset_how="times are epochs")


class _Teller:
    """Turns one file's records into ours."""

    def __init__(self, path: Path, context: Context) -> None:
        self._path = path
        self._context = context
        self._names: dict[str, Names] = {}
        self._local: Names | None = None
        self._alone: list[Problem] = []
        self._told: dict[str, str | None] = {}

    def tell(
        self, line: int, time: int, message: str, record: Mapping[str, Any], fields: dict[str, str]
    ) -> Iterator[Record]:
        """A record: an event of each thing that it names."""
        for field, value in fields.items():
            space, name = field.split(".", 1)
            thing = _THING.fullmatch(name)
            if thing is None or space == _PARSL:
                continue
            base = f"{space}.{thing[1]}"
            names = self._names_of(space, value)
            uuid = names.named(base, value)
            called = fields.get(base)
            if self._told.get(uuid, "") != (called or self._told.get(uuid)):
                yield Span(
                    uuid, base, names.trace_high, name=called or thing[1], line=line,
                    attributes=to_json({field: value}, _LONGEST),
                )  # fmt: skip
                yield from self._parsl(uuid, fields)
            if len(self._told) > _REMEMBERED:
                self._told.clear()
            self._told[uuid] = called or self._told.get(uuid)
            state = fields.get(f"{base}_state")
            said = {key: text for key, text in fields.items() if key not in (field, base)}
            if str(record.get("levelname")) in _LOUD:
                said["log.level"] = record["levelname"]
            yield Event(
                uuid, time, (state or _template(record, message))[:_LONGEST_EVENT], line,
                note=message[:_LONGEST], attributes=to_json({**said}, _LONGEST),
            )  # fmt: skip

    def problems(self) -> list[Problem]:
        """That a thing's id says nothing outside of its file, and no file around it names a run."""
        return self._alone

    def _names_of(self, space: str, value: str) -> Names:
        if _GLOBAL.search(value):
            names = self._names.get(space)
            if names is None:
                names = self._names[space] = Names(space, NAMED)
            return names
        if self._local is None:
            scope, self._alone = self._context.run_or_scope(first_line(self._path))
            self._local = Names(scope, NAMED)
        return self._local

    def _parsl(self, uuid: str, fields: Mapping[str, str]) -> Iterator[Link]:
        """The task or try of Parsl's that a record says it belongs to."""
        run = fields.get("parsl.dfk") or fields.get("parsl.run_id") or self._context.run_id
        task, attempt = fields.get("parsl.task", ""), fields.get("parsl.try", "")
        if run and task.isdecimal() and len(task) <= 10:
            things = Names(run, ENTITY)
            tried = attempt.isdecimal() and len(attempt) <= 4
            thing = things.attempt(int(task), int(attempt)) if tried else things.task(int(task))
            yield Link(uuid, thing, "parsl")


def _fields(record: Mapping[str, Any]) -> dict[str, str]:
    """The namespaced fields of a record that say something, as texts."""
    found = {}
    for name, value in record.items():
        if _FIELD.fullmatch(name) and value not in (None, "", "None"):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            found[name] = _clean(text)
    return found


def _template(record: Mapping[str, Any], message: str) -> str:
    """What all such messages are: the text before its values are filled in, numbers masked."""
    template = record.get("msg")
    return shape(_clean(template) if isinstance(template, str) and template else message)


def _clean(text: str) -> str:
    """Without the halves of surrogate pairs, which no database takes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
