"""Parsl's logs, whatever they are written as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dnpcsql.clock import Clock
from dnpcsql.importers.heads import TextLog
from dnpcsql.importers.json_log import JsonLog
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.importers.wordings import Message, Wordings
from dnpcsql.records import Problem, Record


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


def first_line(path: Path) -> str:
    """A log's first line, which no other log has."""
    with path.open("rb") as file:
        return file.readline(LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")
