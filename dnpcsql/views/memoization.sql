-- One row for each task that asked for memoization: whether it was spared, and by which task. The
-- hash, and so the task that did the work, only monitoring.db tells; a log tells of the hit.
CREATE VIEW memoization AS
WITH
told AS (
  SELECT
    task.trace_high, task.uuid, task.name AS app,
    json_extract(task.attributes, '$."parsl.task.hashsum"') AS hashsum,
    EXISTS (
      SELECT 1 FROM event
      WHERE span_uuid IN (
          substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15),
          substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15)
        )
        AND type = 'memo_done'
    ) AS hit
  FROM (
    SELECT trace_high, uuid, name, attributes FROM span WHERE type = 'parsl.monitoring.task'
    UNION ALL
    SELECT trace_high, uuid, name, attributes FROM span
    WHERE type = 'parsl.rundir.task'
      AND NOT EXISTS (
        SELECT 1 FROM span AS stored
        WHERE stored.uuid = substr(span.uuid, 1, 12) || '12' || substr(span.uuid, 15)
      )
  ) AS task
),
-- Who did the work: the first task of a hash that was no hit itself, in each run.
work(run, hashsum, uuid) AS (
  SELECT substr(uuid, 1, 12), hashsum, min(uuid) FROM told
  WHERE hashsum IS NOT NULL AND NOT hit GROUP BY substr(uuid, 1, 12), hashsum
)
SELECT
  substr(told.trace_high, 1, 8) || '-' || substr(told.trace_high, 9, 4) || '-' || substr(told.trace_high, 13, 4)
    || '-' || substr(told.trace_high, 17, 4) || '-' || substr(told.uuid, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(told.uuid, 15, 10) AS INTEGER) AS task_id,  -- Parsl's task id
  told.app AS app,  -- the app's name
  told.hashsum AS hashsum,  -- of function and arguments: equal means the same result
  told.hit AS hit,  -- 1: its result was there already
  CASE WHEN told.hit THEN CAST(substr(work.uuid, 15, 10) AS INTEGER) END AS worked_task_id,  -- the task of this run that did the work; NULL: none, as of a checkpoint
  CASE WHEN told.hit THEN (
    SELECT (end_unix_nano - start_unix_nano) / 1e9 FROM span WHERE span.uuid = work.uuid
  ) END AS saved_s,  -- seconds that that one took, from invoked to returned
  substr(told.uuid, 1, 12) || '02' || substr(told.uuid, 15) AS uuid  -- the task's own id, as in parsl_task
FROM told
LEFT JOIN work ON work.run = substr(told.uuid, 1, 12) AND work.hashsum = told.hashsum
WHERE told.hit OR told.hashsum IS NOT NULL;
