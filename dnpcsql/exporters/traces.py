"""Which trace a span goes into: one for the run, or one for each task.

A span of another trace cannot be a parent, so there a link says what the parent was. No span links
into another trace to a span id that its own trace has: Jaeger would draw it as that one's child.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dnpcsql.identity import RUN_DIGITS, possible_accounts, task_trace_id
from dnpcsql.otlp.attributes import from_text, to_text
from dnpcsql.otlp.incoming import FOREIGN
from dnpcsql.records import Link, Span

if TYPE_CHECKING:
    from dnpcsql.exporters.outgoing import Row

TracePer: TypeAlias = Literal["run", "task", "auto"]

# Above so many spans one trace is too much for Jaeger's page.
AUTO_LIMIT = 20_000

_TASKS = ("02", "03")
_PARTS = ("08", "38", "48", "58")

_TRACE = f"SELECT trace_id FROM span WHERE uuid IN ({', '.join('?' * 8)}) LIMIT 1"

Linked: TypeAlias = Sequence[Any]
"""A row of otlp_link: account_uuid, linked_uuid, type, ordinal, trace_state, flags, attributes,
dropped_attributes_count."""


class Traces:
    """Places the spans of one run, whose trace id is `trace_id`.

    `many`: what has its run part lies in several traces already (each of funcX's tasks is one):
    there they stay.
    """

    def __init__(self, connection: sqlite3.Connection, trace_id: str, *, per_task: bool) -> None:
        self.trace_id = trace_id
        self._connection = connection
        self.many = self._has_many()
        self.per_task = per_task and not self.many
        self._attempt = functools.lru_cache(10_000)(self._task_of_part)
        self._own = functools.lru_cache(10_000)(self._trace_in_span)

    def placed(self, row: Row, links: Iterable[Linked]) -> tuple[Span, list[Link]]:
        """A row of otlp_span as a span of its trace, and its links."""
        trace_id = self.trace_of_task(row.task_id) if self.per_task else row.trace_id
        parent = row.parent_uuid
        made: list[Link] = []
        if parent is not None and self.per_task and self.trace_of(parent) != trace_id:
            made.append(self._link(row.uuid, parent, "parent", len(made)))
            parent = None
        aside: dict[str, list[str]] = {}
        for link in sorted(links, key=_order):
            target = link[1]
            if target == row.parent_uuid or target == row.uuid:
                continue
            told = self._link(row.uuid, target, link[2], len(made), link)
            # Of a root Jaeger takes a link into its own trace for its parent.
            if parent is None and told.trace_id == trace_id:
                aside.setdefault(f"dnpc.link.{link[2]}", []).append(told.span_id or "")
            else:
                made.append(told)
        span = Span(
            uuid=trace_id[-RUN_DIGITS:] + row.uuid[RUN_DIGITS:],
            type=row.type,
            trace_high=trace_id[:-RUN_DIGITS],
            parent_uuid=parent,
            name=row.name,
            kind=row.kind,
            start_unix_nano=row.start_unix_nano,
            end_unix_nano=row.end_unix_nano,
            status_code=row.status_code,
            status_message=row.status_message,
            attributes=to_text({**from_text(row.attributes), **aside}) if aside else row.attributes,
        )
        return span, made

    def trace_of_task(self, task_id: int | None) -> str:
        """The trace of a task's spans; of what is no task's, the run's."""
        if task_id is None or not self.per_task:
            return self.trace_id
        return task_trace_id(self.trace_id, task_id)

    def trace_of(self, uuid: str) -> str:
        """The trace of a row of otlp_span."""
        if self.many or uuid[:RUN_DIGITS] != self.trace_id[-RUN_DIGITS:]:
            return self._own(uuid)
        if not self.per_task:
            return self.trace_id
        what = uuid[RUN_DIGITS : RUN_DIGITS + 2]
        if what in _TASKS:
            return self.trace_of_task(int(uuid[RUN_DIGITS + 2 : RUN_DIGITS + 12]))
        return self.trace_of_task(self._attempt(uuid) if what in _PARTS else None)

    def _link(
        self, uuid: str, target: str, what: str, ordinal: int, told: Linked | None = None
    ) -> Link:
        _, _, _, _, state, flags, attributes, dropped = told or (None,) * 8
        return Link(
            uuid,
            target,
            what,
            ordinal,
            self.trace_of(target),
            target[RUN_DIGITS:],
            state,
            flags,
            to_text({"parsl.link": what, **from_text(attributes)}),
            dropped,
        )

    def _trace_in_span(self, uuid: str) -> str:
        """The trace that a span's own row names."""
        row = self._connection.execute(_TRACE, possible_accounts(uuid)).fetchone()
        return str(row[0]) if row else "0" * (32 - RUN_DIGITS) + uuid[:RUN_DIGITS]

    def _has_many(self) -> bool:
        """Whether spans of the run part are in another trace too."""
        run = self.trace_id[-RUN_DIGITS:]
        row = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM span WHERE uuid BETWEEN ? AND ? AND trace_high <> ? "
            f"AND type NOT IN {FOREIGN!r})",
            (run, run + "g", self.trace_id[:-RUN_DIGITS]),
        ).fetchone()
        return bool(row[0])

    def _task_of_part(self, uuid: str) -> int | None:
        """The task that an executor's task belongs to, or what is done for it."""
        account = f"{uuid[:RUN_DIGITS]}28{uuid[RUN_DIGITS + 2 :]}"
        row = self._connection.execute(
            "SELECT CAST(substr(parent_uuid, 15, 10) AS INTEGER) FROM span WHERE uuid = ?",
            (account,),
        ).fetchone()
        return None if row is None else row[0]


def _order(link: Linked) -> tuple[str, int, str]:
    return link[2], link[3], link[1]
