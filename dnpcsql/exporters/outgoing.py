"""A run's rows of otlp_span, with their events and links, as spans to be sent."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from dnpcsql import __version__
from dnpcsql.exporters.ancestors import Ancestors
from dnpcsql.exporters.choosing import Choice
from dnpcsql.exporters.summaries import Summaries
from dnpcsql.exporters.traces import Traces
from dnpcsql.identity import RUN_DIGITS, possible_accounts
from dnpcsql.otlp.attributes import from_text, to_text
from dnpcsql.otlp.incoming import FOREIGN, Group, resource, scope
from dnpcsql.records import Event, Resource, Scope, Told

_AT_ONCE = 400


class Row(NamedTuple):
    """A row of otlp_span."""

    uuid: str
    trace_id: str
    type: str
    parent_uuid: str | None
    name: str
    kind: int
    start_unix_nano: int | None
    end_unix_nano: int | None
    status_code: int | None
    status_message: str | None
    service: str
    instance: str
    host: str
    pid: int | None
    attributes: str
    task_id: int | None
    accounts: str


_ROWS = (
    f"SELECT {', '.join(Row._fields)} FROM otlp_span "
    f"WHERE account_uuid BETWEEN :run AND :run || 'g' AND type NOT IN {FOREIGN!r}"
)
# A list of so many, for SQLite pushes no sub-query down into a view of several parts, and before
# 3.32 takes no more than 999 values.
_VALUES = 900
_OF_THESE = f"WHERE account_uuid IN ({', '.join('?' * _VALUES)})"
_EVENTS = (
    "SELECT account_uuid, time_unix_nano, name, attributes, note, source, line "
    f"FROM otlp_event {_OF_THESE}"
)
_LINKS = (
    "SELECT account_uuid, linked_uuid, type, ordinal, trace_state, flags, attributes, "
    f"dropped_attributes_count FROM otlp_link {_OF_THESE} AND type <> 'otel'"
)
_PARENT = f"SELECT parent_uuid FROM otlp_span WHERE account_uuid IN ({', '.join('?' * 8)})"

# Whose parents are told by their ids: run, task, try.
_FIXED = ("01", "02", "03")
_HOPS = ("38", "48", "58")


class Outgoing:
    """Reads one database. `untimed` counts what is left out since nothing tells when it was, `cut`
    the spans that lost their parent, since it was below them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[tuple[str, str, str, int | None], Resource] = {}
        self._paths: dict[str | None, str] = {}
        self._scope = _scope()
        self.untimed = 0
        self.cut = 0

    def groups(
        self, traces: Traces, choice: Choice | None = None, only: str | None = None
    ) -> Iterator[Group]:
        """The spans of a run by resource, some hundred at a time.

        `choice`: only these; `only`: those of this one of its traces.
        """
        run = traces.trace_id[-RUN_DIGITS:]
        sql = _ROWS + (" AND trace_id = :only" if only is not None else "")
        rows = self._connection.execute(sql, {"run": run, "only": only})
        summaries = Summaries(traces.trace_id) if traces.per_task else None
        ancestors = Ancestors(self._parent if choice is None else choice.parent)
        while some := rows.fetchmany(_AT_ONCE):
            chosen = [Row(*row) for row in some]
            if choice is not None:
                chosen = [
                    row._replace(parent_uuid=choice.parent(row.uuid))
                    for row in chosen
                    if row.uuid in choice
                ]
            chosen = [self._with_parent(row, ancestors) for row in chosen]
            if summaries is not None:
                for row in chosen:
                    summaries.add(row)
            yield from self._told(chosen, traces)
        if summaries is not None:
            for row, links in summaries.rows():
                span, linked = traces.placed(row, links)
                yield Group(self._resource(row), self._scope, [Told(span, (), linked)])

    def _with_parent(self, row: Row, ancestors: Ancestors) -> Row:
        """A span of a log of one's own may say that it lies in what lies in it."""
        parent = row.parent_uuid
        if parent is None or not _is_free(row.uuid, parent):
            return row
        why = ancestors.cut(row.uuid)
        if why is None:
            return row
        self.cut += 1
        attributes = from_text(row.attributes)
        attributes |= {"dnpc.parent_span_id": parent[RUN_DIGITS:], "dnpc.repaired": [why]}
        return row._replace(parent_uuid=None, attributes=to_text(attributes) or "{}")

    def _parent(self, uuid: str) -> str | None:
        """Of any row of otlp_span."""
        if uuid[RUN_DIGITS : RUN_DIGITS + 2] in _FIXED:
            return None
        row = self._connection.execute(_PARENT, possible_accounts(uuid)).fetchone()
        return None if row is None else row[0]

    def _told(self, rows: list[Row], traces: Traces) -> Iterator[Group]:
        thing_of = {account: row.uuid for row in rows for account in row.accounts.split()}
        events = self._events(thing_of)
        links = defaultdict(list)
        for link in self._of_these(_LINKS, thing_of):
            links[thing_of[link[0]]].append(link)
        groups: dict[Resource, list[Told]] = defaultdict(list)
        for row in rows:
            if row.start_unix_nano is None:
                self.untimed += 1
                continue
            span, linked = traces.placed(row, links.get(row.uuid, ()))
            told = sorted(events.get(row.uuid, ()), key=_when)
            groups[self._resource(row)].append(Told(span, told, linked))
        for told_by, spans in groups.items():
            yield Group(told_by, self._scope, spans)

    def _of_these(self, sql: str, accounts: Iterable[str]) -> Iterator[Any]:
        """The rows of a view that some accounts have."""
        remaining = iter(accounts)
        while some := list(islice(remaining, _VALUES)):
            yield from self._connection.execute(sql, some + [""] * (_VALUES - len(some)))

    def _events(self, thing_of: dict[str, str]) -> dict[str, list[Event]]:
        events = defaultdict(list)
        for account, time, name, attributes, note, path, line in self._of_these(_EVENTS, thing_of):
            told = f'{{"dnpc.source":{self._path(path)},"dnpc.line":{line}'
            if note is not None:
                told += f',"dnpc.note":{json.dumps(note)}'
            told += "}" if attributes is None or attributes == "{}" else f",{attributes[1:]}"
            events[thing_of[account]].append(Event(account, time, name, line, None, told))
        return events

    def _path(self, path: str | None) -> str:
        if path not in self._paths:
            self._paths[path] = json.dumps(path or "")
        return self._paths[path]

    def _resource(self, row: Row) -> Resource:
        key = (row.service, row.instance, row.host, row.pid)
        found = self._resources.get(key)
        if found is None:
            named: dict[str, Any] = {
                "service.name": row.service,
                "service.instance.id": row.instance,
                "host.name": row.host,
            }
            if row.pid is not None:
                named["process.pid"] = row.pid
            found = self._resources[key] = resource(to_text(named), "", 0)
        return found


def _is_free(uuid: str, parent: str) -> bool:
    """Whether a span's parent may be anything: not of an earlier kind, as of what is Parsl's."""
    what = uuid[RUN_DIGITS : RUN_DIGITS + 2]
    if what in _HOPS:
        return parent[RUN_DIGITS : RUN_DIGITS + 2] != "08"
    return what == "00" or what[0] not in "01234567"


def _scope() -> Scope:
    return scope("dnpcsql", __version__, None, "", 0)


def _when(event: Event) -> tuple[int, str, int]:
    return event.time_unix_nano, event.span_uuid, event.line
