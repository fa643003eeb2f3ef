-- One row for each thing that failed, with the file and line that tell of it. Tries, managers, workers,
-- blocks, executors, spans of other programs and of other logs; with the layer to blame, and where the try was.
CREATE VIEW failure AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
failed(trace_high, uuid, run, name) AS (
  SELECT trace_high, uuid, substr(uuid, 1, 12), substr(uuid, 15) FROM span
  WHERE type = 'parsl.monitoring.try' AND status_code = 2
  UNION ALL
  SELECT trace_high, uuid, substr(uuid, 1, 12), substr(uuid, 15) FROM span
  WHERE type = 'parsl.rundir.try' AND status_code = 2
    AND NOT EXISTS (
      SELECT 1 FROM span AS stored
      WHERE stored.uuid = substr(span.uuid, 1, 12) || '13' || substr(span.uuid, 15)
        AND stored.status_code = 2
    )
),
attempt AS (
  SELECT
    failed.trace_high, failed.uuid, failed.run, failed.name,
    (
      SELECT json_extract(attributes, '$."exception.type"') FROM event
      WHERE span_uuid IN (failed.run || '23' || failed.name, failed.run || '13' || failed.name)
        AND type = 'exception' AND instr(attributes, '"exception.type"') > 0
      ORDER BY span_uuid LIMIT 1
    ) AS exception,
    (
      SELECT json_extract(attributes, '$."exception.message"') FROM event
      WHERE span_uuid IN (failed.run || '23' || failed.name, failed.run || '13' || failed.name)
        AND type = 'exception' AND instr(attributes, '"exception.message"') > 0
      ORDER BY span_uuid LIMIT 1
    ) AS message,
    EXISTS (
      SELECT 1 FROM event
      WHERE span_uuid IN (failed.run || '23' || failed.name, failed.run || '13' || failed.name)
        AND type = 'dep_fail'
    ) AS dependency,
    coalesce(
      (
        SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
        WHERE uuid = failed.run || '13' || failed.name
      ),
      (
        SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
        WHERE uuid = failed.run || '23' || failed.name
      )
    ) AS executor,
    -- The manager that had it, as the interchange says.
    (
      SELECT held.superspan_uuid
      FROM subspan AS tie
      JOIN subspan AS held ON held.subspan_uuid = failed.run || '38' || substr(tie.subspan_uuid, 15)
      WHERE tie.superspan_uuid = failed.run || '23' || failed.name
        AND tie.subspan_uuid > failed.run || '28' AND tie.subspan_uuid < failed.run || '28g'
        AND held.superspan_uuid > failed.run || '36' AND held.superspan_uuid < failed.run || '36g'
      LIMIT 1
    ) AS manager_uuid,
    -- The log has a traceback, so its line comes first.
    (
      SELECT span_uuid || '.' || time_unix_nano || '.' || line FROM event
      WHERE span_uuid IN (failed.run || '23' || failed.name, failed.run || '13' || failed.name)
        AND type IN ('exception', 'failed', 'dep_fail', 'fail_retryable')
      ORDER BY span_uuid DESC, type <> 'exception', time_unix_nano LIMIT 1
    ) AS told
  FROM failed
)
SELECT
  substr(attempt.trace_high, 1, 8) || '-' || substr(attempt.trace_high, 9, 4) || '-' || substr(attempt.trace_high, 13, 4)
    || '-' || substr(attempt.trace_high, 17, 4) || '-' || substr(attempt.uuid, 1, 12) AS run_id,  -- Parsl's run id; NULL for other programs' spans
  CASE
    WHEN attempt.dependency THEN 'dependency'
    WHEN attempt.exception = 'WorkerLost' THEN 'worker'
    WHEN attempt.exception = 'ManagerLost' THEN 'manager'
    WHEN attempt.exception IN (
      'BadStateException', 'TooManyJobFailuresError', 'ExecutorError', 'ScalingFailed',
      'InterchangeExit', 'CommandClientBadError', 'WorkQueueFailure', 'WorkQueueTaskFailure'
    ) THEN 'executor'
    ELSE 'app'
  END AS layer,  -- app, dependency, worker, manager, block, executor, interchange; trace: other programs; log: other logs
  'try' AS what,  -- what failed: try, manager, worker, block, executor, interchange, span
  attempt.exception AS exception,  -- the exception's type, as far as is told
  attempt.message AS message,  -- what it said, cut
  coalesce(
    (SELECT name FROM span AS task WHERE task.uuid = attempt.run || '12' || substr(attempt.name, 1, 10) || '0000'),
    (SELECT name FROM span AS task WHERE task.uuid = attempt.run || '22' || substr(attempt.name, 1, 10) || '0000')
  ) AS app,  -- the app's name, or the span's
  CAST(substr(attempt.name, 1, 10) AS INTEGER) AS task_id,  -- Parsl's task id
  CAST(substr(attempt.name, 11, 4) AS INTEGER) AS try_id,  -- from 0 in a task
  attempt.executor AS executor,  -- the executor's label
  coalesce(
    (SELECT json_extract(attributes, '$."host.name"') FROM span WHERE uuid = attempt.run || '13' || attempt.name),
    (SELECT json_extract(attributes, '$."host.name"') FROM span WHERE uuid = attempt.manager_uuid)
  ) AS host,  -- where it ran
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.block.id"') FROM span WHERE uuid = attempt.run || '13' || attempt.name),
    (SELECT json_extract(attributes, '$."parsl.block.id"') FROM span WHERE uuid = attempt.manager_uuid)
  ) AS block_id,  -- as its executor numbers blocks
  event.time AS time,  -- unix seconds
  source.path AS path,  -- the file that tells
  event.line AS line,  -- its line, or its row in a database
  substr(attempt.uuid, 1, 12) || '03' || substr(attempt.uuid, 15) AS uuid  -- the try's own id, else span.uuid
FROM attempt
LEFT JOIN event
  ON event.span_uuid = substr(attempt.told, 1, 28)
  AND event.time_unix_nano = CAST(substr(attempt.told, 30) AS INTEGER)
  AND event.line = CAST(
    substr(attempt.told, 30 + instr(substr(attempt.told, 30), '.')) AS INTEGER
  )
  AND event.type IN ('exception', 'failed', 'dep_fail', 'fail_retryable')
LEFT JOIN source ON source.id = event.source_id
WHERE NOT EXISTS (
  SELECT 1 FROM event AS other
  WHERE other.span_uuid = event.span_uuid AND other.time_unix_nano = event.time_unix_nano
    AND other.line = event.line AND other.type < event.type
    AND other.type IN ('exception', 'failed', 'dep_fail', 'fail_retryable')
)
UNION ALL
SELECT
  substr(broken.trace_high, 1, 8) || '-' || substr(broken.trace_high, 9, 4) || '-' || substr(broken.trace_high, 13, 4)
    || '-' || substr(broken.trace_high, 17, 4) || '-' || substr(broken.uuid, 1, 12),
  CASE substr(broken.uuid, 14, 1) WHEN '7' THEN 'worker' WHEN '6' THEN 'manager' WHEN '5' THEN 'block' WHEN '4' THEN 'interchange' ELSE 'executor' END,
  CASE substr(broken.uuid, 14, 1) WHEN '7' THEN 'worker' WHEN '6' THEN 'manager' WHEN '5' THEN 'block' WHEN '4' THEN 'interchange' ELSE 'executor' END,
  broken.exception, broken.message, NULL, NULL, NULL,
  json_extract(broken.attributes, '$."parsl.executor.label"'),
  json_extract(broken.attributes, '$."host.name"'),
  json_extract(broken.attributes, '$."parsl.block.id"'),
  broken.time_unix_nano / 1e9, source.path, broken.line, broken.uuid
FROM (
  SELECT
    span.trace_high, span.uuid, span.attributes, event.time_unix_nano, event.source_id, event.line,
    event.type AS exception,
    coalesce(
      json_extract(event.attributes, '$."exception.message"'),
      'worker ' || json_extract(event.attributes, '$."parsl.worker.id"'),
      span.status_message
    ) AS message
  FROM run
  CROSS JOIN (
    SELECT '15' AS account UNION ALL SELECT '25' UNION ALL SELECT '34' UNION ALL SELECT '36'
    UNION ALL SELECT '46' UNION ALL SELECT '57' UNION ALL SELECT '21'
  )
  CROSS JOIN span ON span.uuid > run.run || account AND span.uuid < run.run || account || 'g'
  CROSS JOIN event
    ON event.span_uuid = span.uuid
    AND event.type IN (
      'lost', 'error', 'worker_died', 'manager_died', 'interchange_lost', 'executor_bad_state',
      'FAILED', 'TIMEOUT', 'MISSING'
    )
  WHERE span.type LIKE 'parsl.%'
    -- Told of by the log as well, or again at each poll.
    AND NOT EXISTS (
      SELECT 1 FROM event AS known
      WHERE known.span_uuid = run.run || '15' || substr(span.uuid, 15) AND account = '25'
        AND known.type = event.type
    )
    AND (
      account <> '15'
      OR NOT EXISTS (
        SELECT 1 FROM event AS earlier
        WHERE earlier.span_uuid = span.uuid AND earlier.type = event.type
          AND earlier.time_unix_nano < event.time_unix_nano
      )
    )
  UNION ALL
  SELECT
    span.trace_high, span.uuid, coalesce(block.attributes, span.attributes), span.start_unix_nano,
    span.source_id, span.line,
    'exit status ' || json_extract(span.attributes, '$."process.exit.code"'),
    json_extract(span.attributes, '$."parsl.block.job_name"')
  FROM run
  CROSS JOIN span ON span.uuid > run.run || '75' AND span.uuid < run.run || '75g'
  LEFT JOIN span AS block ON block.uuid = run.run || '25' || substr(span.uuid, 15)
  WHERE span.type = 'parsl.rundir.submit_script' AND span.status_code = 2
) AS broken
LEFT JOIN source ON source.id = broken.source_id
UNION ALL
SELECT
  NULL,
  CASE WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN 'trace' ELSE 'log' END,
  'span',
  (
    SELECT json_extract(attributes, '$."exception.type"') FROM event
    WHERE span_uuid = span.uuid AND type = 'exception' ORDER BY time_unix_nano DESC LIMIT 1
  ),
  coalesce(
    nullif(span.status_message, ''),
    (
      SELECT json_extract(attributes, '$."exception.message"') FROM event
      WHERE span_uuid = span.uuid AND type = 'exception' ORDER BY time_unix_nano DESC LIMIT 1
    )
  ),
  span.name, NULL, NULL, NULL,
  coalesce(
    json_extract(resource.attributes, '$."host.name"'),
    json_extract(span.attributes, '$."host.name"'),
    json_extract(span.attributes, '$.host')
  ),
  NULL,
  coalesce(span.end_unix_nano, span.start_unix_nano) / 1e9, source.path, span.line, span.uuid
FROM span
LEFT JOIN resource ON resource.id = span.resource_id
LEFT JOIN source ON source.id = span.source_id
WHERE span.status_code = 2
  AND span.type NOT LIKE 'parsl.%' AND span.type NOT LIKE 'workqueue.%'
  AND span.type NOT LIKE 'taskvine.%';
