"""Parsl's logs, whatever they are written as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dnpcsql.clock import Clock
from dnpcsql.importers.heads import TextLog
from dnpcsql.importers.json_log import JsonLog
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.importers.wordings import At, Message, Wordings
from dnpcsql.records import Event, Problem, Record

_TEXT_LIMIT = 4_000


def open_log(path: Path, clock: Clock, wordings: Wordings) -> TextLog | JsonLog:
    """The messages of a log: JSON begins with a brace, text with a time."""
    if first_line(path).lstrip("\ufeff ").startswith("{"):
        return JsonLog(path, wordings)
    return TextLog(path, clock, wordings)


def told(teller: object, message: Message) -> Sequence[Record]:
    """What a message tells: by the method of its name, which takes its parts."""
    at, name, match = message
    try:
        return tuple(getattr(teller, name)(at, *match.groups()))
    except ValueError as error:  # numbers of thousands of digits
        return (Problem(at.line, "record not understood", f"{error}: {match[0]}"),)


def failure(span_uuid: str, at: At, text: str) -> Event:
    """An error that a log tells of, as OpenTelemetry writes exceptions, on the log's own span."""
    said = {"exception.message": text[:_TEXT_LIMIT]}
    if at.more:
        said["exception.stacktrace"] = "\n".join(at.more)[:_TEXT_LIMIT]
    attributes = json.dumps(said, ensure_ascii=False)
    return Event(span_uuid, at.time, "error", at.line, attributes=attributes)


def first_line(path: Path) -> str:
    """A log's first line, which no other log has."""
    with path.open("rb") as file:
        return file.readline(LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")
