"""The lines of the logs that tell of a moment of a try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnpcsql.answers.path_rows import TYPES
from dnpcsql.identity import trace_id_of
from dnpcsql.lives import told_by

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# The try and its task as both accounts tell of them, and all that is below its executor's number.
_TOLD = """
WITH known(uuid) AS (
  SELECT column1 FROM (VALUES (:part || '13' || :attempt), (:part || '23' || :attempt),
    (:part || '12' || :task), (:part || '22' || :task))
  UNION
  SELECT :part || account || substr(tie.subspan_uuid, 15)
  FROM subspan AS tie
  CROSS JOIN (SELECT '28' AS account UNION SELECT '38' UNION SELECT '48' UNION SELECT '58')
  WHERE tie.superspan_uuid = :part || '23' || :attempt
    AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
  UNION
  SELECT queued.subspan_uuid
  FROM subspan AS tie
  CROSS JOIN subspan AS queued ON queued.superspan_uuid = tie.subspan_uuid
  WHERE tie.superspan_uuid = :part || '23' || :attempt
    AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
    AND queued.subspan_uuid > :part || '6a' AND queued.subspan_uuid < :part || '6ag'
)
SELECT substr(known.uuid, 13, 2), event.type, event.time_unix_nano, source.path, source.importer,
  span.type, event.line
FROM known
JOIN event ON event.span_uuid = known.uuid
JOIN span ON span.uuid = known.uuid
JOIN source ON source.id = event.source_id
ORDER BY event.time_unix_nano, source.path, event.line
"""

# The last to be done of the tasks that one waits for.
_LAST = """
SELECT CAST(substr(link.linked_uuid, 15, 10) AS INTEGER)
FROM link
LEFT JOIN span AS db ON db.uuid = :part || '12' || substr(link.linked_uuid, 15)
LEFT JOIN span AS log ON log.uuid = :part || '22' || substr(link.linked_uuid, 15)
WHERE link.span_uuid IN (:part || '12' || :task, :part || '22' || :task)
  AND link.type = 'depends_on'
ORDER BY coalesce(db.end_unix_nano, log.end_unix_nano) DESC, link.linked_uuid LIMIT 1
"""

_TASKS = {"invoked": ("invoked",), "done": ("returned",)}
_ENDS = ("exec_done", "failed", "fail_retryable", "memo_done", "dep_fail")


class Lines:
    """Looks up where moments stand; remembers nothing."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._part = trace_id_of(run.id)[-12:]

    def of(self, task: int, attempt: int, moment: str) -> tuple[str, ...]:
        """`parsl.log:399`, the earliest first; nothing where no file tells of it.

        A task is ready when the last one that it waits for is done: that one's end.
        """
        if moment == "ready":
            last = self._store.query(_LAST, part=self._part, task=f"{task:010d}0000").value()
            return () if last is None else self.of(last, 0, "done")
        rows = self._store.query(
            _TOLD, part=self._part, task=f"{task:010d}0000", attempt=f"{task:010d}{attempt:04d}"
        )
        return tuple(
            dict.fromkeys(
                told_by(path, importer, span_type, type_, line)
                for account, type_, _, path, importer, span_type, line in rows
                if self._is(moment, account, type_)
            )
        )

    @staticmethod
    def _is(moment: str, account: str, type_: str) -> bool:
        if moment in _TASKS:
            return account in ("12", "22") and type_ in _TASKS[moment]
        if moment == "submitted":
            return account == "28"
        if account in ("12", "22", "28"):
            return False
        return TYPES.get(type_) == moment or (moment == "returned" and type_ in _ENDS)
