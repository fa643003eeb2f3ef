-- One row for each worker that left a log, or that Work Queue or TaskVine tell of, with how long it
-- was busy.
CREATE VIEW parsl_worker AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
work(worker_uuid, tasks, busy_s, task_s) AS (
  SELECT worker_uuid, count(*), sum(freed - busy_from), sum(freed - received) FROM parsl_worker_task
  WHERE worker_uuid IS NOT NULL GROUP BY worker_uuid
)
SELECT
  substr(worker.trace_high, 1, 8) || '-' || substr(worker.trace_high, 9, 4) || '-' || substr(worker.trace_high, 13, 4)
    || '-' || substr(worker.trace_high, 17, 4) || '-' || substr(worker.uuid, 1, 12) AS run_id,  -- Parsl's run id
  coalesce(
    json_extract(worker.attributes, '$."parsl.executor.label"'),
    (
      SELECT json_extract(attributes, '$."parsl.executor.label"') FROM span
      WHERE uuid = worker.parent_uuid
    )
  ) AS executor,  -- the executor's label
  json_extract(worker.attributes, '$."parsl.block.id"') AS block_id,  -- as its executor numbers blocks; NULL for Work Queue and TaskVine
  json_extract(worker.attributes, '$."parsl.manager.id"') AS manager_id,  -- the uid of the manager; NULL as well
  coalesce(
    json_extract(worker.attributes, '$."parsl.worker.id"'),
    json_extract(worker.attributes, '$."workqueue.worker.id"'),
    json_extract(worker.attributes, '$."taskvine.worker.id"'),
    json_extract(worker.attributes, '$."workqueue.worker.address"'),
    json_extract(worker.attributes, '$."taskvine.worker.address"')
  ) AS worker_id,  -- its number in its manager; the name of a worker of Work Queue's or TaskVine's
  coalesce(
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = worker.run || '36' || substr(worker.parent_uuid, 15) AND worker.teller = '5'
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = worker.run || '16' || substr(worker.parent_uuid, 15) AND worker.teller = '5'
    ),
    (
      SELECT json_extract(attributes, '$."host.name"') FROM span
      WHERE uuid = worker.run || '37' || substr(worker.uuid, 15) AND worker.teller = '6'
    ),
    rtrim(rtrim(coalesce(
      json_extract(worker.attributes, '$."workqueue.worker.address"'),
      json_extract(worker.attributes, '$."taskvine.worker.address"')
    ), '0123456789'), ':')
  ) AS host,  -- where it ran; of Work Queue and TaskVine, if nothing else tells, an address
  json_extract(worker.attributes, '$."process.pid"') AS pid,  -- of its first process
  (
    SELECT count(*) FROM event
    WHERE span_uuid = worker.uuid AND type IN ('worker_started', 'CONNECTION')
  ) AS processes,  -- how many served under its number: a dead one is followed by another; connections of Work Queue's and TaskVine's
  worker.start_unix_nano / 1e9 AS started,  -- its first record, unix seconds
  worker.end_unix_nano / 1e9 AS ended,  -- its last record, unix seconds; NULL if no log of Work Queue's or TaskVine's says that it went
  coalesce(work.tasks, 0) AS tasks,  -- how many it took
  coalesce(work.busy_s, 0.0) AS busy_s,  -- seconds that a task held it; several at once count once
  worker.uuid AS uuid,  -- span.uuid
  coalesce(work.task_s, 0.0) AS task_s,  -- seconds of all its tasks added up: above busy_s where it held several at once
  coalesce(
    json_extract(worker.attributes, '$."workqueue.worker.cores"'),
    json_extract(worker.attributes, '$."taskvine.worker.cores"')
  ) AS cores  -- that Work Queue or TaskVine may give to its tasks
FROM (
  SELECT run.run, account.teller, span.*
  FROM run
  CROSS JOIN (SELECT '5' AS teller UNION ALL SELECT '6') AS account
  CROSS JOIN span
    ON span.uuid > run.run || account.teller || '7' AND span.uuid < run.run || account.teller || '7g'
  WHERE span.type IN ('parsl.executor.htex.worker', 'workqueue.worker', 'taskvine.worker')
) AS worker
LEFT JOIN work ON work.worker_uuid = worker.uuid;
