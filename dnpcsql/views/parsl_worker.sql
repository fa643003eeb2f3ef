-- One row for each worker that left a log, with how long it was busy.
CREATE VIEW parsl_worker AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
work(worker_uuid, tasks, busy_s) AS (
  SELECT worker_uuid, count(*), sum(freed - received) FROM parsl_worker_task
  WHERE worker_uuid IS NOT NULL GROUP BY worker_uuid
)
SELECT
  substr(worker.trace_high, 1, 8) || '-' || substr(worker.trace_high, 9, 4) || '-' || substr(worker.trace_high, 13, 4)
    || '-' || substr(worker.trace_high, 17, 4) || '-' || substr(worker.uuid, 1, 12) AS run_id,  -- Parsl's run id
  json_extract(worker.attributes, '$."parsl.executor.label"') AS executor,  -- the executor's label
  json_extract(worker.attributes, '$."parsl.block.id"') AS block_id,  -- as its executor numbers blocks
  json_extract(worker.attributes, '$."parsl.manager.id"') AS manager_id,  -- the uid of the manager
  json_extract(worker.attributes, '$."parsl.worker.id"') AS worker_id,  -- its number in its manager
  coalesce(
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = run.run || '36' || substr(worker.parent_uuid, 15)
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = run.run || '16' || substr(worker.parent_uuid, 15)
    )
  ) AS host,  -- where it ran
  json_extract(worker.attributes, '$."process.pid"') AS pid,  -- of its first process
  (
    SELECT count(*) FROM event WHERE span_uuid = worker.uuid AND type = 'worker_started'
  ) AS processes,  -- how many served under its number: a dead one is followed by another
  worker.start_unix_nano / 1e9 AS started,  -- its first record, unix seconds
  worker.end_unix_nano / 1e9 AS ended,  -- its last record, unix seconds
  coalesce(work.tasks, 0) AS tasks,  -- how many it took
  coalesce(work.busy_s, 0.0) AS busy_s,  -- seconds that tasks held it
  worker.uuid AS uuid  -- span.uuid
FROM run
CROSS JOIN span AS worker ON worker.uuid > run.run || '57' AND worker.uuid < run.run || '57g'
LEFT JOIN work ON work.worker_uuid = worker.uuid
WHERE worker.type = 'parsl.executor.htex.worker';
