"""Parsl's logs, whatever they are written as."""

from __future__ import annotations

from pathlib import Path

from dnpcsql.clock import Clock
from dnpcsql.importers.heads import TextLog
from dnpcsql.importers.json_log import JsonLog
from dnpcsql.importers.text import LINE_LIMIT
from dnpcsql.importers.wordings import Wordings


def open_log(path: Path, clock: Clock, wordings: Wordings) -> TextLog | JsonLog:
    """The messages of a log: JSON begins with a brace, text with a time."""
    if first_line(path).lstrip("\ufeff ").startswith("{"):
        return JsonLog(path, wordings)
    return TextLog(path, clock, wordings)


def first_line(path: Path) -> str:
    """A log's first line, which no other log has."""
    with path.open("rb") as file:
        return file.readline(LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")
