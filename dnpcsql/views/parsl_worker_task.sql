-- One row for each task that a worker took, as long as it held the worker. What utilisation and a
-- Gantt chart of workers are made of. From worker logs; of a run that has none, from monitoring.db,
-- which knows the block but not the worker. A worker does one thing at a time: what was never
-- finished holds it until its loss was told of, its next task, or its last record.
CREATE VIEW parsl_worker_task AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
)
SELECT
  substr(held.trace_high, 1, 8) || '-' || substr(held.trace_high, 9, 4) || '-' || substr(held.trace_high, 13, 4)
    || '-' || substr(held.trace_high, 17, 4) || '-' || substr(held.uuid, 1, 12) AS run_id,  -- Parsl's run id
  held.executor AS executor,  -- the executor's label
  held.block_id AS block_id,  -- as its executor numbers blocks
  held.manager_id AS manager_id,  -- the uid of the manager; NULL where several share block and host
  held.worker_id AS worker_id,  -- its number in its manager; NULL without worker logs
  held.executor_task_id AS executor_task_id,  -- the executor's own number, as in parsl_try
  held.task_id AS task_id,  -- Parsl's task id; NULL if no file ties the executor's number to it
  held.try_id AS try_id,  -- from 0 in a task
  held.began / 1e9 AS received,  -- unix seconds, by the clock of the worker's host
  held.ended / 1e9 AS finished,  -- unix seconds; NULL: never, as far as is known
  max(
    held.began,
    min(
      coalesce(held.ended, held.lost, held.last, held.began),
      coalesce(
        lead(held.began) OVER (
          PARTITION BY coalesce(held.worker_uuid, held.uuid) ORDER BY held.began, held.uuid
        ),
        coalesce(held.ended, held.lost, held.last, held.began)
      )
    )
  ) / 1e9 AS freed,  -- unix seconds: until when it held the worker
  held.worker_uuid AS worker_uuid,  -- span.uuid of the worker
  held.uuid AS uuid  -- span.uuid of the account that tells
FROM (
  SELECT
    task.trace_high, task.uuid, worker.uuid AS worker_uuid,
    json_extract(worker.attributes, '$."parsl.executor.label"') AS executor,
    json_extract(worker.attributes, '$."parsl.block.id"') AS block_id,
    json_extract(worker.attributes, '$."parsl.manager.id"') AS manager_id,
    json_extract(worker.attributes, '$."parsl.worker.id"') AS worker_id,
    CAST(substr(task.uuid, 21) AS INTEGER) AS executor_task_id,
    CAST(substr(tie.superspan_uuid, 15, 10) AS INTEGER) AS task_id,
    CAST(substr(tie.superspan_uuid, 25, 4) AS INTEGER) AS try_id,
    task.start_unix_nano AS began, task.end_unix_nano AS ended,
    (
      SELECT min(time_unix_nano) FROM event
      WHERE span_uuid = substr(task.uuid, 1, 12) || '48' || substr(task.uuid, 15)
        AND type = 'manager_lost_worker'
    ) AS lost,
    worker.end_unix_nano AS last
  FROM run
  CROSS JOIN span AS worker ON worker.uuid > run.run || '57' AND worker.uuid < run.run || '57g'
  CROSS JOIN subspan AS taken
    ON taken.superspan_uuid = worker.uuid
    AND taken.subspan_uuid > run.run || '58' AND taken.subspan_uuid < run.run || '58g'
  CROSS JOIN span AS task ON task.uuid = taken.subspan_uuid
  LEFT JOIN subspan AS tie
    ON tie.subspan_uuid = run.run || '28' || substr(task.uuid, 15)
    AND tie.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = run.run || '28' || substr(task.uuid, 15)
        AND superspan_uuid > run.run || '23' AND superspan_uuid < run.run || '23g'
    )
  WHERE worker.type = 'parsl.executor.htex.worker' AND task.start_unix_nano IS NOT NULL
  UNION ALL
  SELECT
    attempt.trace_high, attempt.uuid, NULL,
    json_extract(attempt.attributes, '$."parsl.executor.label"'),
    json_extract(attempt.attributes, '$."parsl.block.id"'),
    (
      SELECT CASE count(*) WHEN 1 THEN min(json_extract(manager.attributes, '$."parsl.manager.id"')) END
      FROM span AS manager
      WHERE manager.uuid > run.run || '16' AND manager.uuid < run.run || '16g'
        AND json_extract(manager.attributes, '$."parsl.block.id"')
          = json_extract(attempt.attributes, '$."parsl.block.id"')
        AND json_extract(manager.attributes, '$."host.name"')
          = json_extract(attempt.attributes, '$."host.name"')
    ),
    NULL, NULL,
    CAST(substr(attempt.uuid, 15, 10) AS INTEGER), CAST(substr(attempt.uuid, 25, 4) AS INTEGER),
    running.time_unix_nano,
    (
      SELECT min(time_unix_nano) FROM event
      WHERE span_uuid = attempt.uuid AND type = 'running_ended'
    ),
    attempt.end_unix_nano,
    running.time_unix_nano
  FROM run
  CROSS JOIN span AS attempt ON attempt.uuid > run.run || '13' AND attempt.uuid < run.run || '13g'
  CROSS JOIN event AS running ON running.span_uuid = attempt.uuid AND running.type = 'running'
  WHERE NOT EXISTS (
      SELECT 1 FROM span AS worker
      WHERE worker.uuid > run.run || '57' AND worker.uuid < run.run || '57g'
    )
    AND EXISTS (
      SELECT 1 FROM span AS manager
      WHERE manager.uuid > run.run || '16' AND manager.uuid < run.run || '16g'
    )
    AND attempt.type = 'parsl.monitoring.try'
    AND json_extract(attempt.attributes, '$."parsl.block.id"') IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM event AS earlier
      WHERE earlier.span_uuid = attempt.uuid AND earlier.type = 'running'
        AND earlier.time_unix_nano < running.time_unix_nano
    )
) AS held;
