"""What is asked of the store to follow tasks on their way: SQL, a query for each kind of row.

`:part` is the run's part of uuids (dnpcsql.identity), `:account` who tells and of what.
"""

from __future__ import annotations

from dnpcsql.analyses.path import PLACE

# A try's number in one: its task's, then four digits of its own.
TRIES = 10_000

TYPES = {
    "pending": "pending",
    "running": "running",
    "running_ended": "running_ended",
    "launched": "launched",
    "joining": "joining",
    "exec_done": "returned",
    "failed": "returned",
    "fail_retryable": "returned",
    "interchange_received_task": "interchange_received",
    "interchange_to_manager": "interchange_sent",
    "interchange_removing_task": "interchange_result",
    "manager_got_task": "manager_got",
    "worker_received_task": "worker_received",
    "worker_completed_task": "worker_completed",
    "worker_all_finished_task": "worker_finished",
    "WAITING": "queue_waiting",
    "READY": "queue_waiting",
    "INITIAL": "queue_waiting",
    "RUNNING": "queue_running",
    "WAITING_RETRIEVAL": "queue_waiting_retrieval",
    "RETRIEVED": "queue_retrieved",
    "DONE": "queue_done",
}
# A task of Work Queue's may go to several workers: to the last one in the end.
LAST_COUNTS = {"queue_running", "queue_waiting_retrieval", "queue_retrieved", "queue_done"}
ANSWERED = -1  # in the place of a moment

_CASE = "CASE event.type " + " ".join(
    f"WHEN '{type_}' THEN {PLACE[moment]}" for type_, moment in TYPES.items()
)

# What monitoring.db tells of a try, or else parsl.log: as in parsl_try.
STATES = f"""
SELECT CAST(substr(span_uuid, 15) AS INTEGER),
  {_CASE} WHEN 'memo_done' THEN {ANSWERED} WHEN 'dep_fail' THEN {ANSWERED} END AS moment,
  time_unix_nano
FROM event
WHERE span_uuid > :part || :account AND span_uuid < :part || :account || 'g' AND moment IS NOT NULL
"""

# What happens to it below the executor, which knows it by another number.
BELOW = f"""
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER),
  CASE WHEN substr(event.span_uuid, 13, 2) = '28' THEN {PLACE["submitted"]} ELSE {_CASE} END END
    AS moment,
  event.time_unix_nano
FROM subspan AS tie
CROSS JOIN event ON event.span_uuid IN (
  tie.subspan_uuid,
  :part || '38' || substr(tie.subspan_uuid, 15),
  :part || '48' || substr(tie.subspan_uuid, 15),
  :part || '58' || substr(tie.subspan_uuid, 15)
)
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
  AND moment IS NOT NULL
UNION ALL
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER), {_CASE} END AS moment, event.time_unix_nano
FROM subspan AS tie
CROSS JOIN subspan AS queued
  ON queued.superspan_uuid = tie.subspan_uuid
  AND queued.subspan_uuid > :part || '6a' AND queued.subspan_uuid < :part || '6ag'
CROSS JOIN event ON event.span_uuid = queued.subspan_uuid
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
  AND moment IS NOT NULL
"""

TASKS = """
SELECT CAST(substr(uuid, 15, 10) AS INTEGER), name, start_unix_nano, end_unix_nano
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

ATTEMPTS = """
SELECT CAST(substr(uuid, 15) AS INTEGER), end_unix_nano,
  json_extract(attributes, '$."parsl.executor.label"'),
  json_extract(attributes, '$."parsl.block.id"'), json_extract(attributes, '$."host.name"')
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

# Which worker, or at least manager, had it.
PLACES = """
SELECT CAST(substr(tie.superspan_uuid, 15) AS INTEGER), held.superspan_uuid
FROM subspan AS tie
CROSS JOIN (
  SELECT '58' AS task, '57' AS thing UNION ALL SELECT '48', '46' UNION ALL SELECT '38', '36'
)
CROSS JOIN subspan AS held
  ON held.subspan_uuid = :part || task || substr(tie.subspan_uuid, 15)
  AND held.superspan_uuid > :part || thing AND held.superspan_uuid < :part || thing || 'g'
WHERE tie.superspan_uuid > :part || '23' AND tie.superspan_uuid < :part || '23g'
  AND tie.subspan_uuid > :part || '28' AND tie.subspan_uuid < :part || '28g'
"""
THINGS = """
SELECT uuid, json_extract(attributes, '$."parsl.block.id"'),
  json_extract(attributes, '$."host.name"'),
  'worker ' || json_extract(attributes, '$."parsl.worker.id"') || ' of manager '
    || json_extract(attributes, '$."parsl.manager.id"')
FROM span WHERE uuid > :part || :account AND uuid < :part || :account || 'g'
"""

WAITING = """
SELECT CAST(substr(span_uuid, 15, 10) AS INTEGER), CAST(substr(linked_uuid, 15, 10) AS INTEGER)
FROM link
WHERE type = 'depends_on' AND (
  span_uuid > :part || '12' AND span_uuid < :part || '12g'
  OR span_uuid > :part || '22' AND span_uuid < :part || '22g'
)
"""

# The run's end; else the last record of its log, else the last event that the process told of.
LAST_HEARD = """
SELECT coalesce(
  (SELECT end_unix_nano FROM span WHERE uuid = :part || '1100000000000000'),
  (SELECT end_unix_nano FROM span WHERE uuid = :part || '2100000000000000'),
  (
    SELECT json_extract(attributes, '$."parsl.log.last_unix_nano"') FROM span
    WHERE uuid = :part || '2100000000000000'
  ),
  (
    SELECT max(time_unix_nano) FROM event
    WHERE (span_uuid > :part || '21' AND span_uuid < :part || '29')
      OR (
        span_uuid > :part || '11' AND span_uuid < :part || '14'
        AND type NOT IN ('running', 'running_ended')
      )
  )
)
"""
