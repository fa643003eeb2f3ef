-- One row for each task that a worker took, as long as it held the worker. What utilisation and a
-- Gantt chart of workers are made of. From worker logs; of a run that has none, from monitoring.db,
-- which knows the block but not the worker. A worker of HTEX does one thing at a time: what was
-- never finished holds it until its loss was told of, its next task, or its last record. Of Work
-- Queue and TaskVine, whose workers may have several tasks at once, from their transaction log: a
-- row for each time that a task was sent to a worker, until the worker said that it was done, or
-- was lost.
CREATE VIEW parsl_worker_task AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
held AS (
  SELECT
    task.trace_high, task.uuid, worker.uuid AS worker_uuid, worker.uuid AS lane,
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
    attempt.trace_high, attempt.uuid, NULL, attempt.uuid,
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
    -- What Work Queue or TaskVine tell of is below.
    AND NOT EXISTS (
      SELECT 1 FROM span AS queue
      WHERE queue.uuid > run.run || '66' AND queue.uuid < run.run || '66g'
        AND json_extract(queue.attributes, '$."parsl.executor.label"')
          = json_extract(attempt.attributes, '$."parsl.executor.label"')
    )
    AND NOT EXISTS (
      SELECT 1 FROM event AS earlier
      WHERE earlier.span_uuid = attempt.uuid AND earlier.type = 'running'
        AND earlier.time_unix_nano < running.time_unix_nano
    )
  UNION ALL
  SELECT
    worker.trace_high, sent.span_uuid, worker.uuid, sent.span_uuid || ' ' || sent.time_unix_nano,
    (
      SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
      WHERE uuid = worker.parent_uuid
    ),
    NULL, NULL, sent.worker,
    CAST(substr(tie.superspan_uuid, 21) AS INTEGER),
    CAST(substr(launch.superspan_uuid, 15, 10) AS INTEGER),
    CAST(substr(launch.superspan_uuid, 25, 4) AS INTEGER),
    sent.time_unix_nano,
    CASE WHEN sent.next IN ('WAITING_RETRIEVAL', 'RETRIEVED', 'DONE') THEN sent.next_time END,
    sent.next_time,
    coalesce(
      (
        SELECT min(time_unix_nano) FROM event
        WHERE span_uuid = worker.uuid AND type = 'DISCONNECTION' AND time_unix_nano >= sent.time_unix_nano
      ),
      (SELECT end_unix_nano FROM span WHERE uuid = worker.parent_uuid),
      (SELECT max(time_unix_nano) FROM event WHERE span_uuid = sent.span_uuid)
    )
  FROM (
    SELECT
      run.run, event.span_uuid, event.time_unix_nano, event.type,
      coalesce(
        json_extract(event.attributes, '$."workqueue.worker.id"'),
        json_extract(event.attributes, '$."taskvine.worker.id"'),
        json_extract(event.attributes, '$."workqueue.worker.address"'),
        json_extract(event.attributes, '$."taskvine.worker.address"')
      ) AS worker,
      lead(event.type) OVER by_time AS next,
      lead(event.time_unix_nano) OVER by_time AS next_time
    FROM run
    CROSS JOIN event ON event.span_uuid > run.run || '6a' AND event.span_uuid < run.run || '6ag'
    WHERE event.type IN (
      'INITIAL', 'READY', 'WAITING', 'RUNNING', 'WAITING_RETRIEVAL', 'RETRIEVED', 'DONE', 'CANCELED'
    )
    WINDOW by_time AS (PARTITION BY event.span_uuid ORDER BY event.time_unix_nano, event.line)
  ) AS sent
  CROSS JOIN subspan AS taken
    ON taken.subspan_uuid = sent.span_uuid
    AND taken.superspan_uuid > sent.run || '67' AND taken.superspan_uuid < sent.run || '67g'
  CROSS JOIN span AS worker
    ON worker.uuid = taken.superspan_uuid
    AND sent.worker = coalesce(
      json_extract(worker.attributes, '$."workqueue.worker.id"'),
      json_extract(worker.attributes, '$."taskvine.worker.id"'),
      json_extract(worker.attributes, '$."workqueue.worker.address"'),
      json_extract(worker.attributes, '$."taskvine.worker.address"')
    )
  LEFT JOIN subspan AS tie
    ON tie.subspan_uuid = sent.span_uuid
    AND tie.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = sent.span_uuid
        AND superspan_uuid > sent.run || '28' AND superspan_uuid < sent.run || '28g'
    )
  LEFT JOIN subspan AS launch
    ON launch.subspan_uuid = tie.superspan_uuid
    AND launch.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = tie.superspan_uuid
        AND superspan_uuid > sent.run || '23' AND superspan_uuid < sent.run || '23g'
    )
  WHERE sent.type = 'RUNNING'
),
freed AS (
  SELECT
    *,
    max(
      began,
      min(
        coalesce(ended, lost, last, began),
        coalesce(
          lead(began) OVER (PARTITION BY lane ORDER BY began, uuid),
          coalesce(ended, lost, last, began)
        )
      )
    ) AS freed
  FROM held
)
SELECT
  substr(freed.trace_high, 1, 8) || '-' || substr(freed.trace_high, 9, 4) || '-' || substr(freed.trace_high, 13, 4)
    || '-' || substr(freed.trace_high, 17, 4) || '-' || substr(freed.uuid, 1, 12) AS run_id,  -- Parsl's run id
  freed.executor AS executor,  -- the executor's label
  freed.block_id AS block_id,  -- as its executor numbers blocks; NULL for Work Queue and TaskVine
  freed.manager_id AS manager_id,  -- the uid of the manager; NULL where several share block and host
  freed.worker_id AS worker_id,  -- its number in its manager, NULL without worker logs; the name of a worker of Work Queue's or TaskVine's
  freed.executor_task_id AS executor_task_id,  -- the executor's own number, as in parsl_try
  freed.task_id AS task_id,  -- Parsl's task id; NULL if no file ties the executor's number to it
  freed.try_id AS try_id,  -- from 0 in a task
  freed.began / 1e9 AS received,  -- unix seconds, by the clock of the worker's host; of Work Queue and TaskVine when it was sent, by their manager's
  freed.ended / 1e9 AS finished,  -- unix seconds; NULL: never, as far as is known
  freed.freed / 1e9 AS freed,  -- unix seconds: until when it held the worker
  min(freed.freed, max(freed.began, coalesce(
    max(freed.freed) OVER (
      PARTITION BY coalesce(freed.worker_uuid, freed.lane) ORDER BY freed.began, freed.uuid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    freed.began
  ))) / 1e9 AS busy_from,  -- unix seconds: received, or when the tasks before it freed the worker; so freed - busy_from adds up to how long it was busy
  freed.worker_uuid AS worker_uuid,  -- span.uuid of the worker
  freed.uuid AS uuid  -- span.uuid of the account that tells
FROM freed;
