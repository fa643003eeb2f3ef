"""Records that a user's own program makes: their JSON is looked at before it is stored.

Importers write theirs with `otlp.attributes.to_text`, which makes nothing else. One object that
SQLite cannot read would make every view that looks into attributes fail, for all runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dnpcsql.records import Event, Link, Problem, Record, Resource, Sample, Scope, Span, Told

_DEEPEST = 500  # levels; SQLite reads 1,000, and Python's own limit is near


def checked(records: Iterable[Record]) -> Iterator[Record]:
    """The same records; in the place of one whose JSON is no JSON object, a problem."""
    for record in records:
        wrong = None
        for one in _parts(record):
            text = one.metrics if isinstance(one, Sample) else one.attributes
            # What is no text at all SQLite refuses.
            if isinstance(text, str) and (why := _wrong(text)):
                wrong = Problem(
                    getattr(one, "line", None), "record refused", f"{why}: {one!r:.200}"
                )
        yield record if wrong is None else wrong


def _parts(record: Record) -> list[Span | Event | Link | Sample | Resource | Scope]:
    if isinstance(record, Told):
        return [record.span, *record.events, *record.links]
    return [record] if isinstance(record, (Span, Event, Link, Sample, Resource, Scope)) else []


def _wrong(text: str) -> str | None:
    """Why a text is no JSON object as SQLite reads it."""
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        return f"no JSON, {error}"
    if not isinstance(value, dict):
        return "not a JSON object"
    if text.count("{") + text.count("[") > _DEEPEST and _depth(value) > _DEEPEST:
        return f"nested more than {_DEEPEST} deep"
    return None


def _refused(name: str) -> None:
    raise ValueError(f"which has no {name}")


def _depth(value: object) -> int:
    """How many levels, counted one by one, for recursion would end before they do."""
    inside: list[Any] = [value]
    levels = 0
    while inside:
        levels += 1
        lists = [item.values() if isinstance(item, dict) else item for item in inside]
        inside = [item for some in lists for item in some if isinstance(item, (dict, list))]
    return levels
