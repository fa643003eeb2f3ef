-- One row for each task, told by monitoring.db, by logs or by both.
CREATE VIEW parsl_task AS
SELECT
  substr(task.trace_high, 1, 8) || '-' || substr(task.trace_high, 9, 4) || '-' || substr(task.trace_high, 13, 4)
    || '-' || substr(task.trace_high, 17, 4) || '-' || substr(task.uuid, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(task.uuid, 15, 10) AS INTEGER) AS task_id,  -- Parsl's task id, from 0 in a run
  coalesce(
    task.name,
    (SELECT logged.name FROM span AS logged WHERE logged.uuid = substr(task.uuid, 1, 12) || '22' || substr(task.uuid, 15))
  ) AS app,  -- the app's name
  (
    SELECT type
    FROM (
      SELECT span_uuid, type FROM event
      WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10) || 'g'
      UNION ALL
      SELECT span_uuid, type FROM event
      WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10) || 'g'
    )
    WHERE type IN (
      'exec_done', 'memo_done', 'failed', 'dep_fail', 'fail_retryable', 'joining',
      'running_ended', 'running', 'launched', 'pending'
    )
    ORDER BY
      type IN ('exec_done', 'memo_done', 'failed', 'dep_fail') DESC,
      substr(span_uuid, 25) DESC,
        CASE type
          WHEN 'exec_done' THEN 9 WHEN 'memo_done' THEN 9 WHEN 'failed' THEN 9
          WHEN 'dep_fail' THEN 9 WHEN 'fail_retryable' THEN 6 WHEN 'joining' THEN 5
          WHEN 'running_ended' THEN 4 WHEN 'running' THEN 3 WHEN 'launched' THEN 2
          WHEN 'pending' THEN 1
        END DESC
    LIMIT 1
  ) AS state,  -- a final state if any account tells of one, else the furthest
  (
    SELECT count(DISTINCT substr(span_uuid, 25))
    FROM (
      SELECT span_uuid, type FROM event
      WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10) || 'g'
      UNION ALL
      SELECT span_uuid, type FROM event
      WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10) || 'g'
    )
    WHERE type = 'launched'
  ) AS tries,  -- times launched; 0 for a memo hit
  coalesce(
    (
      SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
      WHERE uuid BETWEEN substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10) || 'g'
      ORDER BY uuid DESC LIMIT 1
    ),
    (
      SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
      WHERE uuid BETWEEN substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10) || 'g'
        AND attributes IS NOT NULL
      ORDER BY uuid DESC LIMIT 1
    )
  ) AS executor,  -- the label of the last try's executor
  coalesce(
    CASE
      WHEN task.type = 'parsl.monitoring.task' AND task.end_unix_nano IS NOT NULL
      THEN coalesce(json_extract(task.attributes, '$."parsl.task.fail_count"'), 0)
    END,
    (
      SELECT count(DISTINCT substr(span_uuid, 25))
      FROM (
        SELECT span_uuid, type FROM event
        WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10)
          AND substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10) || 'g'
        UNION ALL
        SELECT span_uuid, type FROM event
        WHERE span_uuid BETWEEN substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10)
          AND substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10) || 'g'
      )
      WHERE type IN ('fail_retryable', 'failed', 'dep_fail')
    )
  ) AS fail_count,  -- tries that failed
  coalesce(
    task.start_unix_nano,
    (SELECT logged.start_unix_nano FROM span AS logged WHERE logged.uuid = substr(task.uuid, 1, 12) || '22' || substr(task.uuid, 15))
  ) / 1e9 AS invoked,  -- unix seconds
  coalesce(
    task.end_unix_nano,
    (SELECT logged.end_unix_nano FROM span AS logged WHERE logged.uuid = substr(task.uuid, 1, 12) || '22' || substr(task.uuid, 15))
  ) / 1e9 AS returned,  -- unix seconds; NULL: never, as far as is known
  coalesce(
    (
      SELECT status_message FROM span
      WHERE uuid BETWEEN substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '13' || substr(task.uuid, 15, 10) || 'g'
        AND status_message IS NOT NULL
      ORDER BY uuid DESC LIMIT 1
    ),
    (
      SELECT status_message FROM span
      WHERE uuid BETWEEN substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10)
        AND substr(task.uuid, 1, 12) || '23' || substr(task.uuid, 15, 10) || 'g'
        AND status_message IS NOT NULL
      ORDER BY uuid DESC LIMIT 1
    )
  ) AS error,  -- what its last failed try failed of, as far as is told, even if a later one did not
  substr(task.uuid, 1, 12) || '02' || substr(task.uuid, 15) AS uuid  -- the task's own id, whoever tells of it
FROM (
  SELECT uuid, trace_high, type, name, start_unix_nano, end_unix_nano, attributes
  FROM span WHERE type = 'parsl.monitoring.task'
  UNION ALL
  SELECT uuid, trace_high, type, name, start_unix_nano, end_unix_nano, attributes
  FROM span
  WHERE type = 'parsl.rundir.task'
    AND NOT EXISTS (
      SELECT 1 FROM span AS stored
      WHERE stored.uuid = substr(span.uuid, 1, 12) || '12' || substr(span.uuid, 15)
    )
) AS task;
