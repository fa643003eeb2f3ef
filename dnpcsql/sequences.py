"""Ask the store for what happens inside spans of a type, and count the orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnpcsql.analyses.sequences import Variant, variants
from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.store import Store

_INSIDE = """
WITH RECURSIVE inside(root, uuid) AS (
  SELECT uuid, uuid FROM span WHERE type = :type
  UNION
  SELECT inside.root, subspan_uuid FROM subspan JOIN inside ON superspan_uuid = inside.uuid
  UNION
  SELECT inside.root, right_uuid FROM facet JOIN inside ON left_uuid = inside.uuid
  UNION
  SELECT inside.root, left_uuid FROM facet JOIN inside ON right_uuid = inside.uuid
)
SELECT inside.root, event.time_unix_nano, event.span_uuid, span.type, event.type
FROM inside
JOIN span ON span.uuid = inside.uuid
JOIN event ON event.span_uuid = inside.uuid
ORDER BY inside.root, event.time_unix_nano, event.span_uuid, event.line, event.type
"""


# What is looked at unasked: tasks, or what an executor alone tells of them.
_USUAL = (
    "parsl.monitoring.task",
    "parsl.rundir.task",
    "parsl.executor.htex.interchange.task",
    "parsl.executor.htex.worker.task",
    "workqueue.task",
    "taskvine.task",
    "otel.span",
)


def sequences(store: Store, span_type: str | None = None) -> list[Variant]:
    """All orders of the events inside spans of a type, the commonest first.

    Without a type: tasks as monitoring.db tells of them, or as parsl.log does. Raises
    NotFoundError if there is no such type.
    """
    types = {row[0] for row in store.query("SELECT DISTINCT type FROM span")}
    wanted = span_type or next((name for name in _USUAL if name in types), "")
    if wanted not in types:
        listed = ", ".join(sorted(types)) or "none"
        raise NotFoundError(f"no spans of type {wanted or 'task'}; there are: {listed}")
    return variants(store.query(_INSIDE, type=wanted))
