"""Spans of instrumented apps in a run's own trace, where each task has a trace of its own.

A program that was started with a try as its parent tells its spans in the run's trace: they go
along with the task that they lie in.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from dnpcsql.exporters.traces import Traces
from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.attributes import from_text, to_text
from dnpcsql.otlp.incoming import FOREIGN, Group
from dnpcsql.records import Link, Told

_PARENT = f"SELECT parent_uuid FROM span WHERE uuid = ? AND type IN {FOREIGN!r}"


def placed(groups: Iterable[Group], runs: Mapping[str, Instrumented]) -> Iterator[Group]:
    """The same groups, the spans in the traces of some runs placed."""
    for told, scope, spans in groups:
        yield Group(told, scope, (_placed(span, runs) for span in spans))


def _placed(told: Told, runs: Mapping[str, Instrumented]) -> Told:
    run = runs.get(told.span.trace_high + told.span.uuid[:RUN_DIGITS])
    return told if run is None else run.placed(told)


class Instrumented:
    """Places the foreign spans of one run, whose own spans `traces` places."""

    def __init__(self, connection: sqlite3.Connection, traces: Traces) -> None:
        self._connection = connection
        self._traces = traces
        self._trace_of = functools.lru_cache(100_000)(self._of_first_of_ours)

    def placed(self, told: Told) -> Told:
        """One span, in its task's trace if it lies in a task, which it then says."""
        span, run = told.span, self._traces.trace_id
        links = [self._linked(link) if link.trace_id == run else link for link in told.links]
        trace_id = self._trace_of(span.uuid)
        if trace_id == run:
            return Told(span, told.events, links)
        attributes = from_text(span.attributes)
        words = [*attributes.get("dnpc.repaired", []), "trace of its task"]
        span = span._replace(
            uuid=trace_id[-RUN_DIGITS:] + span.uuid[RUN_DIGITS:],
            trace_high=trace_id[:-RUN_DIGITS],
            attributes=to_text({**attributes, "dnpc.repaired": words}),
        )
        return Told(span, told.events, links)

    def _linked(self, link: Link) -> Link:
        target = self._traces.trace_id[-RUN_DIGITS:] + (link.span_id or "")
        return link._replace(trace_id=self._trace_of(target))

    def _of_first_of_ours(self, uuid: str) -> str:
        """The trace of the nearest span above that is no other program's; the run's if none is."""
        seen: set[str] = set()
        at: str | None = uuid
        while at is not None and at not in seen:
            seen.add(at)
            row = self._connection.execute(_PARENT, (at,)).fetchone()
            if row is None:
                return self._traces.trace_of(at)
            at = row[0]
        return self._traces.trace_id
