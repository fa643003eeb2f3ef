-- One row for each try of each task, with the hops of its way to the worker and back, in unix
-- seconds. A hop that no imported file tells of is NULL. Worker and manager times are by the
-- clock of their own host. The hops of Work Queue and TaskVine begin with queue_.
CREATE VIEW parsl_try AS
SELECT
  substr(attempt.trace_high, 1, 8) || '-' || substr(attempt.trace_high, 9, 4)
    || '-' || substr(attempt.trace_high, 13, 4)
    || '-' || substr(attempt.trace_high, 17, 4) || '-' || substr(attempt.uuid, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(attempt.uuid, 15, 10) AS INTEGER) AS task_id,  -- Parsl's task id
  CAST(substr(attempt.uuid, 25, 4) AS INTEGER) AS try_id,  -- from 0 in a task
  coalesce(
    (SELECT name FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '12' || substr(attempt.uuid, 15, 10) || '0000'),
    (SELECT name FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '22' || substr(attempt.uuid, 15, 10) || '0000')
  ) AS app,  -- the app's name
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)),
    (SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15))
  ) AS executor,  -- the executor's label
  CAST(substr(attempt.executor_task, 7) AS INTEGER) AS executor_task_id,  -- the executor's own number of this try
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.block.id"') FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)),
    (SELECT json_extract(attributes, '$."parsl.block.id"') FROM span WHERE uuid = attempt.worker_uuid),
    (SELECT json_extract(attributes, '$."parsl.block.id"') FROM span WHERE uuid = attempt.manager_uuid),
    (
      SELECT json_extract(attributes, '$."parsl.block.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '48' || attempt.executor_task
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '46'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '46g'
    )
  ) AS block_id,  -- as its executor numbers blocks
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.manager.id"') FROM span WHERE uuid = attempt.worker_uuid),
    (SELECT json_extract(attributes, '$."parsl.manager.id"') FROM span WHERE uuid = attempt.manager_uuid),
    (
      SELECT json_extract(attributes, '$."parsl.manager.id"')
      FROM subspan JOIN span ON uuid = superspan_uuid
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '48' || attempt.executor_task
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '46'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '46g'
    )
  ) AS manager_id,  -- the uid of the manager
  coalesce(
    (SELECT json_extract(attributes, '$."parsl.worker.id"') FROM span WHERE uuid = attempt.worker_uuid),
    (
      SELECT coalesce(
        json_extract(attributes, '$."workqueue.worker.id"'),
        json_extract(attributes, '$."taskvine.worker.id"')
      )
      FROM event WHERE span_uuid = attempt.queue_task AND type = 'RUNNING'
      ORDER BY time_unix_nano DESC LIMIT 1
    )
  ) AS worker_id,  -- its number in its manager; the name of a worker of Work Queue's or TaskVine's
  coalesce(
    (SELECT json_extract(attributes, '$."host.name"') FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)),
    (SELECT json_extract(attributes, '$."host.name"') FROM span WHERE uuid = attempt.manager_uuid),
    (
      SELECT json_extract(host.attributes, '$."host.name"')
      FROM subspan AS at_worker
      JOIN span AS host
        ON host.uuid = substr(attempt.uuid, 1, 12) || '37' || substr(at_worker.superspan_uuid, 15)
      WHERE at_worker.subspan_uuid = attempt.queue_task
        AND at_worker.superspan_uuid > substr(attempt.uuid, 1, 12) || '67'
        AND at_worker.superspan_uuid < substr(attempt.uuid, 1, 12) || '67g'
        AND json_extract(host.attributes, '$."workqueue.worker.id"') = (
          SELECT json_extract(attributes, '$."workqueue.worker.id"')
          FROM event WHERE span_uuid = attempt.queue_task AND type = 'RUNNING'
          ORDER BY time_unix_nano DESC LIMIT 1
        )
    ),
    (
      SELECT rtrim(rtrim(address, '0123456789'), ':')
      FROM (
        SELECT time_unix_nano, coalesce(
          json_extract(attributes, '$."workqueue.worker.address"'),
          json_extract(attributes, '$."taskvine.worker.address"')
        ) AS address
        FROM event WHERE span_uuid = attempt.queue_task AND type = 'RUNNING'
      )
      ORDER BY time_unix_nano DESC LIMIT 1
    )
  ) AS hostname,  -- where it ran; of Work Queue and TaskVine, if nothing else tells, an address
  (
    SELECT type FROM event
    WHERE span_uuid IN (
        substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15),
        substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15)
      )
      AND type IN (
        'exec_done', 'memo_done', 'failed', 'dep_fail', 'fail_retryable', 'joining',
        'running_ended', 'running', 'launched', 'pending'
      )
    ORDER BY CASE type
          WHEN 'exec_done' THEN 9 WHEN 'memo_done' THEN 9 WHEN 'failed' THEN 9
          WHEN 'dep_fail' THEN 9 WHEN 'fail_retryable' THEN 6 WHEN 'joining' THEN 5
          WHEN 'running_ended' THEN 4 WHEN 'running' THEN 3 WHEN 'launched' THEN 2
          WHEN 'pending' THEN 1
        END DESC
    LIMIT 1
  ) AS state,  -- a final state if any account tells of one, else the furthest
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15) AND type = 'pending'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15) AND type = 'pending')
  ) AS pending,  -- its task waits for dependencies, or for this try
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15) AND type = 'launched'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15) AND type = 'launched')
  ) AS launched,  -- handed to the executor
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '38' || attempt.executor_task AND type = 'interchange_received_task') AS interchange_received,  -- queued in the interchange
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '38' || attempt.executor_task AND type = 'interchange_to_manager') AS interchange_sent,  -- sent to a manager (logged after sending)
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '48' || attempt.executor_task AND type = 'manager_got_task') AS manager_got,  -- by the worker host's clock
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '58' || attempt.executor_task AND type = 'worker_received_task') AS worker_received,  -- by the worker host's clock
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15) AND type = 'running'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15) AND type = 'running')
  ) AS running,  -- Parsl's monitoring wrapper begins the app's body, by the worker host's clock
  coalesce(
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15) AND type = 'running_ended'),
    (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15) AND type = 'running_ended')
  ) AS running_ended,  -- the wrapper is done: some 0.1 s after the app's body
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '58' || attempt.executor_task AND type = 'worker_completed_task') AS worker_completed,  -- by the worker host's clock
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '58' || attempt.executor_task AND type = 'worker_all_finished_task') AS worker_finished,  -- the worker is free again
  (SELECT min(time) FROM event WHERE span_uuid = substr(attempt.uuid, 1, 12) || '38' || attempt.executor_task AND type = 'interchange_removing_task') AS interchange_result,  -- the result passes the interchange
  CAST(substr(attempt.queue_task, 21) AS INTEGER) AS queue_task_id,  -- Work Queue's or TaskVine's own number of this try
  (SELECT min(time) FROM event WHERE span_uuid = attempt.queue_task AND type IN ('WAITING', 'READY', 'INITIAL')) AS queue_waiting,  -- in Work Queue's own queue
  (SELECT max(time) FROM event WHERE span_uuid = attempt.queue_task AND type = 'RUNNING') AS queue_running,  -- sent to its worker; to the last one, if others were lost
  (SELECT max(time) FROM event WHERE span_uuid = attempt.queue_task AND type = 'WAITING_RETRIEVAL') AS queue_waiting_retrieval,  -- the worker says that it is done
  (SELECT max(time) FROM event WHERE span_uuid = attempt.queue_task AND type = 'RETRIEVED') AS queue_retrieved,  -- its result was fetched
  (SELECT max(time) FROM event WHERE span_uuid = attempt.queue_task AND type = 'DONE') AS queue_done,  -- Parsl's executor has it
  coalesce(
    (SELECT end_unix_nano FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)),
    (SELECT end_unix_nano FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15))
  ) / 1e9 AS returned,  -- the submitting process has its end; NULL: never, as far as is known
  coalesce(
    (SELECT status_message FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)),
    (SELECT status_message FROM span WHERE uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15))
  ) AS error,  -- what it failed of, as far as is told
  substr(attempt.uuid, 1, 12) || '03' || substr(attempt.uuid, 15) AS uuid  -- the try's own id, whoever tells of it
FROM (
  SELECT
    attempt.uuid, attempt.trace_high,
    substr(tie.subspan_uuid, 15) AS executor_task,
    on_worker.superspan_uuid AS worker_uuid,
    on_manager.superspan_uuid AS manager_uuid,
    queued.subspan_uuid AS queue_task
  FROM span AS attempt
  LEFT JOIN subspan AS tie
    ON tie.superspan_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15)
    AND tie.subspan_uuid = (
      SELECT min(subspan_uuid) FROM subspan
      WHERE superspan_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15)
        AND subspan_uuid > substr(attempt.uuid, 1, 12) || '28'
        AND subspan_uuid < substr(attempt.uuid, 1, 12) || '28g'
    )
  LEFT JOIN subspan AS on_worker
    ON on_worker.subspan_uuid = substr(attempt.uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
    AND on_worker.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '57'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '57g'
    )
  LEFT JOIN subspan AS on_manager
    ON on_manager.subspan_uuid
      = substr(attempt.uuid, 1, 12) || '38' || substr(tie.subspan_uuid, 15)
    AND on_manager.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '38' || substr(tie.subspan_uuid, 15)
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '36'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '36g'
    )
  LEFT JOIN subspan AS queued
    ON queued.superspan_uuid = tie.subspan_uuid
    AND (queued.subspan_uuid, queued.key) = (
      SELECT subspan_uuid, key FROM subspan
      WHERE superspan_uuid = tie.subspan_uuid
        AND subspan_uuid > substr(attempt.uuid, 1, 12) || '6a'
        AND subspan_uuid < substr(attempt.uuid, 1, 12) || '6ag'
      ORDER BY key LIMIT 1
    )
  WHERE attempt.type = 'parsl.monitoring.try'
  UNION ALL
  SELECT
    attempt.uuid, attempt.trace_high,
    substr(tie.subspan_uuid, 15) AS executor_task,
    on_worker.superspan_uuid AS worker_uuid,
    on_manager.superspan_uuid AS manager_uuid,
    queued.subspan_uuid AS queue_task
  FROM span AS attempt
  LEFT JOIN subspan AS tie
    ON tie.superspan_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15)
    AND tie.subspan_uuid = (
      SELECT min(subspan_uuid) FROM subspan
      WHERE superspan_uuid = substr(attempt.uuid, 1, 12) || '23' || substr(attempt.uuid, 15)
        AND subspan_uuid > substr(attempt.uuid, 1, 12) || '28'
        AND subspan_uuid < substr(attempt.uuid, 1, 12) || '28g'
    )
  LEFT JOIN subspan AS on_worker
    ON on_worker.subspan_uuid = substr(attempt.uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
    AND on_worker.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '58' || substr(tie.subspan_uuid, 15)
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '57'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '57g'
    )
  LEFT JOIN subspan AS on_manager
    ON on_manager.subspan_uuid
      = substr(attempt.uuid, 1, 12) || '38' || substr(tie.subspan_uuid, 15)
    AND on_manager.superspan_uuid = (
      SELECT min(superspan_uuid) FROM subspan
      WHERE subspan_uuid = substr(attempt.uuid, 1, 12) || '38' || substr(tie.subspan_uuid, 15)
        AND superspan_uuid > substr(attempt.uuid, 1, 12) || '36'
        AND superspan_uuid < substr(attempt.uuid, 1, 12) || '36g'
    )
  LEFT JOIN subspan AS queued
    ON queued.superspan_uuid = tie.subspan_uuid
    AND (queued.subspan_uuid, queued.key) = (
      SELECT subspan_uuid, key FROM subspan
      WHERE superspan_uuid = tie.subspan_uuid
        AND subspan_uuid > substr(attempt.uuid, 1, 12) || '6a'
        AND subspan_uuid < substr(attempt.uuid, 1, 12) || '6ag'
      ORDER BY key LIMIT 1
    )
  WHERE attempt.type = 'parsl.rundir.try'
    AND NOT EXISTS (
      SELECT 1 FROM span AS stored
      WHERE stored.uuid = substr(attempt.uuid, 1, 12) || '13' || substr(attempt.uuid, 15)
    )
) AS attempt;
