-- One row for each manager, told of by monitoring.db, by interchange.log or by its own log. A manager
-- is a pilot job's process on a node, with its workers. monitoring.db writes a row at each change:
-- what it holds last counts, never their sum.
CREATE VIEW parsl_manager AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
told(trace_high, run, name) AS (
  SELECT DISTINCT span.trace_high, run.run, substr(span.uuid, 15)
  FROM run
  CROSS JOIN (SELECT '16' AS account UNION ALL SELECT '36' UNION ALL SELECT '46')
  CROSS JOIN span ON span.uuid > run.run || account AND span.uuid < run.run || account || 'g'
  WHERE span.type IN (
    'parsl.monitoring.manager', 'parsl.executor.htex.interchange.manager',
    'parsl.executor.htex.manager'
  )
),
account AS (
  SELECT
    told.trace_high, told.run, told.name,
    told.run || '06' || told.name AS uuid,
    stored.uuid AS stored_uuid, queue.uuid AS queue_uuid, own.uuid AS own_uuid,
    coalesce(
      json_extract(queue.attributes, '$."parsl.executor.label"'),
      json_extract(own.attributes, '$."parsl.executor.label"'),
      (
        SELECT CASE count(*) WHEN 1 THEN min(json_extract(block.attributes, '$."parsl.executor.label"')) END
        FROM span AS block
        WHERE block.uuid > told.run || '15' AND block.uuid < told.run || '15g'
          AND json_extract(block.attributes, '$."parsl.block.id"')
            = json_extract(stored.attributes, '$."parsl.block.id"')
      )
    ) AS executor,
    coalesce(
      json_extract(queue.attributes, '$."parsl.block.id"'),
      json_extract(own.attributes, '$."parsl.block.id"'),
      json_extract(stored.attributes, '$."parsl.block.id"')
    ) AS block_id,
    coalesce(
      json_extract(queue.attributes, '$."parsl.manager.id"'),
      json_extract(own.attributes, '$."parsl.manager.id"'),
      json_extract(stored.attributes, '$."parsl.manager.id"')
    ) AS manager_id,
    coalesce(
      json_extract(queue.attributes, '$."host.name"'),
      json_extract(stored.attributes, '$."host.name"')
    ) AS host,
    coalesce(
      (
        SELECT json_extract(attributes, '$."parsl.manager.worker_count"') FROM event
        WHERE span_uuid = stored.uuid AND instr(attributes, '"parsl.manager.worker_count"') > 0
        ORDER BY time_unix_nano DESC LIMIT 1
      ),
      json_extract(stored.attributes, '$."parsl.manager.worker_count"'),
      json_extract(queue.attributes, '$."parsl.manager.worker_count"'),
      json_extract(own.attributes, '$."parsl.manager.worker_count"')
    ) AS workers,
    coalesce(
      json_extract(queue.attributes, '$."parsl.manager.cpu_count"'),
      json_extract(stored.attributes, '$."parsl.manager.cpu_count"')
    ) AS cpus,
    coalesce(
      json_extract(queue.attributes, '$."parsl.manager.total_memory"'),
      json_extract(stored.attributes, '$."parsl.manager.total_memory"')
    ) AS memory,
    coalesce(
      json_extract(queue.attributes, '$."process.runtime.version"'),
      json_extract(stored.attributes, '$."process.runtime.version"'),
      json_extract(own.attributes, '$."process.runtime.version"')
    ) AS python_version,
    coalesce(queue.start_unix_nano, stored.start_unix_nano, own.start_unix_nano) AS registered,
    CASE
      WHEN EXISTS (SELECT 1 FROM event WHERE span_uuid = queue.uuid AND type = 'lost') THEN 'lost'
      WHEN queue.end_unix_nano IS NOT NULL THEN 'drained'
      WHEN (
        SELECT type FROM event WHERE span_uuid = stored.uuid AND type IN ('node_active', 'node_inactive')
        ORDER BY time_unix_nano DESC LIMIT 1
      ) = 'node_inactive' THEN 'ended'
      WHEN EXISTS (SELECT 1 FROM event WHERE span_uuid = own.uuid AND type IN ('exiting', 'stop_received'))
      THEN 'ended'
      WHEN EXISTS (SELECT 1 FROM event WHERE span_uuid = queue.uuid AND type = 'hold') THEN 'held'
      ELSE 'connected'
    END AS state,
    coalesce(
      queue.end_unix_nano,
      (
        SELECT CASE type WHEN 'node_inactive' THEN time_unix_nano END FROM event
        WHERE span_uuid = stored.uuid AND type IN ('node_active', 'node_inactive')
        ORDER BY time_unix_nano DESC LIMIT 1
      ),
      (
        SELECT max(time_unix_nano) FROM event
        WHERE span_uuid = own.uuid AND type IN ('exiting', 'stop_received')
      )
    ) AS ended,
    max(
      coalesce(own.end_unix_nano, 0),
      coalesce(queue.end_unix_nano, 0),
      coalesce(
        (SELECT time_unix_nano FROM event WHERE span_uuid = queue.uuid ORDER BY time_unix_nano DESC LIMIT 1), 0
      ),
      coalesce(
        (SELECT time_unix_nano FROM event WHERE span_uuid = stored.uuid ORDER BY time_unix_nano DESC LIMIT 1), 0
      )
    ) AS last_heard
  FROM told
  LEFT JOIN span AS stored ON stored.uuid = told.run || '16' || told.name
  LEFT JOIN span AS queue ON queue.uuid = told.run || '36' || told.name
  LEFT JOIN span AS own ON own.uuid = told.run || '46' || told.name
),
work(run, manager_id, tasks, busy_s) AS (
  SELECT substr(uuid, 1, 12), manager_id, count(*), sum(freed - busy_from) FROM parsl_worker_task
  WHERE manager_id IS NOT NULL GROUP BY substr(uuid, 1, 12), manager_id
)
SELECT
  substr(account.trace_high, 1, 8) || '-' || substr(account.trace_high, 9, 4) || '-' || substr(account.trace_high, 13, 4)
    || '-' || substr(account.trace_high, 17, 4) || '-' || substr(account.uuid, 1, 12) AS run_id,  -- Parsl's run id
  account.executor AS executor,  -- the executor's label
  account.block_id AS block_id,  -- as its executor numbers blocks
  account.manager_id AS manager_id,  -- its uid
  account.host AS host,  -- where it ran
  account.state AS state,  -- lost, drained, ended, held (gets no more tasks), or connected as far as is known
  account.workers AS workers,  -- its capacity, as was told last
  account.cpus AS cpus,  -- of its host
  account.memory AS memory,  -- of its host, bytes
  account.registered / 1e9 AS registered,  -- unix seconds
  account.ended / 1e9 AS ended,  -- unix seconds; NULL: no file tells of its end
  nullif(account.last_heard, 0) / 1e9 AS last_heard,  -- the last record of or about it, unix seconds
  max(coalesce(account.ended, account.last_heard) - account.registered, 0) / 1e9
    AS connected_s,  -- seconds from its registration to its end, else until it was last heard of
  coalesce(work.tasks, 0) AS tasks,  -- how many its workers took
  coalesce(work.busy_s, 0.0) AS busy_s,  -- seconds that tasks held its workers, of all of them together
  account.python_version AS python_version,  -- on its host
  account.uuid AS uuid  -- the manager's own id, whoever tells of it
FROM account
LEFT JOIN work ON work.run = account.run AND work.manager_id = account.manager_id;
