"""A span for all tasks of one app that came to one end, where each task has a trace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dnpcsql.identity import ENTITY, RUN_DIGITS, Names, run_id_of
from dnpcsql.otlp.attributes import from_text, to_text

if TYPE_CHECKING:
    from dnpcsql.exporters.outgoing import Row
    from dnpcsql.exporters.traces import Linked

EXEMPLARS = 20


class Summary:
    """Of some tasks: how many, from when to when, and the first of them."""

    def __init__(self, like: Row) -> None:
        self.like = like
        self.tasks = 0
        self.start = like.start_unix_nano or 0
        self.end = like.end_unix_nano or 0
        self.exemplars: list[str] = []

    def add(self, task: Row) -> None:
        """One more."""
        self.tasks += 1
        self.start = min(self.start, task.start_unix_nano or self.start)
        self.end = max(self.end, task.end_unix_nano or 0)
        if len(self.exemplars) < EXEMPLARS:
            self.exemplars.append(task.uuid)


class Summaries:
    """Collects the tasks of one run as they go by."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        self._names = Names(run_id_of(trace_id), ENTITY)
        self._found: dict[tuple[str, str], Summary] = {}

    def add(self, row: Row) -> None:
        """Look at a row of otlp_span; only tasks count."""
        if row.uuid[RUN_DIGITS : RUN_DIGITS + 2] != "02" or row.start_unix_nano is None:
            return
        state = str(from_text(row.attributes).get("parsl.task.status", "unknown"))
        key = (row.name, state)
        if key not in self._found:
            self._found[key] = Summary(row)
        self._found[key].add(row)

    def rows(self) -> Iterator[tuple[Row, list[Linked]]]:
        """A row like those of otlp_span for each app and state, and its links to exemplars."""
        for (app, state), summary in sorted(self._found.items()):
            attributes = {
                "parsl.run.id": run_id_of(self.trace_id),
                "parsl.task.status": state,
                "parsl.task.count": summary.tasks,
            }
            row = summary.like._replace(
                uuid=self._names.summary("tasks", app, state),
                trace_id=self.trace_id,
                type="dnpc.summary",
                parent_uuid=self._names.workflow(),
                name=f"tasks {app}",
                start_unix_nano=summary.start,
                end_unix_nano=max(summary.start, summary.end),
                status_message=None,
                attributes=to_text(attributes) or "{}",
                task_id=None,
                accounts="",
            )
            links: list[Linked] = [
                (row.uuid, uuid, "exemplar", place, None, None, None, None)
                for place, uuid in enumerate(summary.exemplars)
            ]
            yield row, links
