"""What stands in monitoring.db's columns → records and attributes."""

from __future__ import annotations

import re
from typing import Any

from dnpcsql.identity import Names
from dnpcsql.importers.attributes import to_json as of_any_length
from dnpcsql.records import Event, Link, Problem, Record

TEXT_LIMIT = 4_000
_SAID_NOTHING = ("", "None", "[]")

# ValueError('multi-line\n  message: one')
_EXCEPTION = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)$", re.DOTALL)


def to_json(values: dict[str, object]) -> str | None:
    """A JSON object of the attributes that say something, long texts cut."""
    return of_any_length(values, TEXT_LIMIT)


def said(value: Any) -> Any:
    """None for the ways in which Parsl's columns say that there is nothing."""
    return None if value in _SAID_NOTHING else value


def needed(value: Any, column: str) -> str:
    """The text of a column without which a row means nothing."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {column}")
    return value


def moments(uuid: str, line: int, **times: int | None) -> list[Event]:
    """An event for each time that is known, of the type that its keyword says."""
    return [Event(uuid, time, type_, line) for type_, time in times.items() if time is not None]


def links(uuid: str, type_: str, ids: str | None, names: Names) -> list[Link]:
    """Parsl writes task ids as '3,17', one as often as it was given; '' or NULL for none."""
    numbers = dict.fromkeys(int(number) for number in str(ids).split(",")) if ids else ()
    return [Link(uuid, names.task(number), type_, place) for place, number in enumerate(numbers)]


def exception(uuid: str, line: int, history: str, moment: int | None) -> Record:
    """What made a try fail, as OpenTelemetry writes exceptions."""
    if moment is None:
        return Problem(line, "no time", f"a failure without any time: {history[:100]}")
    found = _EXCEPTION.match(history)
    attributes = to_json(
        {
            "exception.type": found[1] if found else None,
            "exception.message": found[2] if found else history,
        }
    )
    return Event(uuid, moment, "exception", line, attributes=attributes)
