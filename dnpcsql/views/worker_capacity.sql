-- From when to when workers were there: a row for each manager of HTEX, with as many workers as it
-- told last, from its registration to its end; a row for each connection of a worker of Work Queue
-- or TaskVine. All that dnpcsql says of busy workers counts them so.
CREATE VIEW worker_capacity AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
manager AS (
  SELECT run_id, executor, block_id, manager_id, workers, registered, connected_s, uuid
  FROM parsl_manager
)
SELECT
  capacity.run_id AS run_id,  -- Parsl's run id
  capacity.executor AS executor,  -- the executor's label
  capacity.block_id AS block_id,  -- as its executor numbers blocks; NULL for Work Queue and TaskVine
  capacity.manager_id AS manager_id,  -- the uid of HTEX's manager
  capacity.worker_id AS worker_id,  -- of which worker alone it is so, as in parsl_worker; NULL: of all of a manager's
  capacity.workers AS workers,  -- how many
  capacity.connected AS connected,  -- unix seconds, from when on they were there
  max(capacity.connected, capacity.gone) AS gone,  -- unix seconds; until they were last heard of, if no file tells of the end
  capacity.uuid AS uuid  -- of the manager, or span.uuid of the worker
FROM (
  SELECT
    manager.run_id, manager.executor, manager.block_id, manager.manager_id, NULL AS worker_id,
    coalesce(manager.workers, (
      SELECT nullif(count(*), 0) FROM span AS worker
      WHERE worker.uuid > substr(manager.uuid, 1, 12) || '57'
        AND worker.uuid < substr(manager.uuid, 1, 12) || '57g'
        AND worker.parent_uuid = substr(manager.uuid, 1, 12) || '46' || substr(manager.uuid, 15)
    )) AS workers,
    manager.registered AS connected, manager.registered + manager.connected_s AS gone, manager.uuid
  FROM manager
  UNION ALL
  -- Of a manager that no file tells of, its workers' own logs.
  SELECT
    substr(worker.trace_high, 1, 8) || '-' || substr(worker.trace_high, 9, 4) || '-' || substr(worker.trace_high, 13, 4)
      || '-' || substr(worker.trace_high, 17, 4) || '-' || run.run,
    json_extract(worker.attributes, '$."parsl.executor.label"'),
    json_extract(worker.attributes, '$."parsl.block.id"'),
    json_extract(worker.attributes, '$."parsl.manager.id"'),
    json_extract(worker.attributes, '$."parsl.worker.id"'),
    1, worker.start_unix_nano / 1e9, worker.end_unix_nano / 1e9, worker.uuid
  FROM run
  CROSS JOIN span AS worker ON worker.uuid > run.run || '57' AND worker.uuid < run.run || '57g'
  WHERE worker.type = 'parsl.executor.htex.worker'
    AND NOT EXISTS (
      SELECT 1 FROM manager
      WHERE manager.uuid = run.run || '06' || substr(worker.parent_uuid, 15)
    )
  UNION ALL
  SELECT
    substr(worker.trace_high, 1, 8) || '-' || substr(worker.trace_high, 9, 4) || '-' || substr(worker.trace_high, 13, 4)
      || '-' || substr(worker.trace_high, 17, 4) || '-' || run.run,
    json_extract(queue.attributes, '$."parsl.executor.label"'),
    NULL, NULL,
    coalesce(
      json_extract(worker.attributes, '$."workqueue.worker.id"'),
      json_extract(worker.attributes, '$."taskvine.worker.id"'),
      json_extract(worker.attributes, '$."workqueue.worker.address"'),
      json_extract(worker.attributes, '$."taskvine.worker.address"')
    ),
    1, came.time_unix_nano / 1e9,
    -- Until it went or came anew; else to its manager's end, or the last that is known of either.
    coalesce(
      (
        SELECT min(time_unix_nano) FROM event AS next
        WHERE next.span_uuid = worker.uuid AND next.type IN ('CONNECTION', 'DISCONNECTION')
          AND (next.time_unix_nano, next.line) > (came.time_unix_nano, came.line)
      ),
      queue.end_unix_nano,
      (
        SELECT max(told.time_unix_nano)
        FROM subspan AS taken JOIN event AS told ON told.span_uuid = taken.subspan_uuid
        WHERE taken.superspan_uuid = worker.uuid
      ),
      (SELECT max(time_unix_nano) FROM event WHERE span_uuid = worker.uuid)
    ) / 1e9,
    worker.uuid
  FROM run
  CROSS JOIN span AS worker ON worker.uuid > run.run || '67' AND worker.uuid < run.run || '67g'
  CROSS JOIN event AS came ON came.span_uuid = worker.uuid
  LEFT JOIN span AS queue ON queue.uuid = worker.parent_uuid
  WHERE worker.type IN ('workqueue.worker', 'taskvine.worker')
    AND (
      came.type = 'CONNECTION'
      -- The log's beginning is lost: it was there by the first that is told of it.
      OR NOT EXISTS (
        SELECT 1 FROM event AS earlier
        WHERE earlier.span_uuid = worker.uuid
          AND (earlier.time_unix_nano, earlier.line) < (came.time_unix_nano, came.line)
      ) AND came.type <> 'DISCONNECTION'
    )
) AS capacity
WHERE capacity.workers > 0 AND capacity.connected IS NOT NULL;
