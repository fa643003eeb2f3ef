-- One row for each block (a pilot job), told of by monitoring.db, by parsl.log, by its submit
-- script's exit status, or only by the managers that came with it.
CREATE VIEW parsl_block AS
WITH
run(run) AS (
  SELECT DISTINCT value FROM source, json_each(source.runs)
),
told(trace_high, run, name) AS (
  SELECT span.trace_high, run.run, substr(span.uuid, 15)
  FROM run
  CROSS JOIN (SELECT '15' AS account UNION ALL SELECT '25' UNION ALL SELECT '75')
  CROSS JOIN span ON span.uuid > run.run || account AND span.uuid < run.run || account || 'g'
  WHERE span.type IN ('parsl.monitoring.block', 'parsl.rundir.block', 'parsl.rundir.submit_script')
  UNION
  SELECT span.trace_high, run.run, substr(span.parent_uuid, 15)
  FROM run
  CROSS JOIN (SELECT '36' AS account UNION ALL SELECT '46')
  CROSS JOIN span ON span.uuid > run.run || account AND span.uuid < run.run || account || 'g'
  WHERE substr(span.parent_uuid, 13, 2) = '25'
),
account AS (
  SELECT
    told.trace_high, told.run, told.name,
    told.run || '05' || told.name AS uuid,
    coalesce(
      json_extract(logged.attributes, '$."parsl.executor.label"'),
      json_extract(stored.attributes, '$."parsl.executor.label"'),
      (
        SELECT json_extract(manager.attributes, '$."parsl.executor.label"') FROM span AS manager
        WHERE manager.uuid > told.run || '36' AND manager.uuid < told.run || '46g'
          AND manager.parent_uuid = told.run || '25' || told.name
          AND substr(manager.uuid, 13, 2) IN ('36', '46')
        LIMIT 1
      ),
      (
        SELECT json_extract(executor.attributes, '$."parsl.executor.label"') FROM span AS executor
        WHERE executor.uuid > told.run || '24' || substr(told.name, 1, 6)
          AND executor.uuid < told.run || '24' || substr(told.name, 1, 6) || 'g'
        LIMIT 1
      )
    ) AS executor,
    coalesce(
      json_extract(logged.attributes, '$."parsl.block.id"'),
      json_extract(stored.attributes, '$."parsl.block.id"'),
      CASE
        WHEN substr(told.name, 7) NOT GLOB '*[^0-9]*' THEN CAST(CAST(substr(told.name, 7) AS INTEGER) AS TEXT)
      END
    ) AS block_id,
    coalesce(
      json_extract(logged.attributes, '$."parsl.block.job_id"'),
      json_extract(stored.attributes, '$."parsl.block.job_id"')
    ) AS job_id,
    coalesce(
      (
        SELECT type FROM event WHERE span_uuid = stored.uuid ORDER BY time_unix_nano DESC LIMIT 1
      ),
      (
        SELECT type FROM event WHERE span_uuid = logged.uuid ORDER BY time_unix_nano DESC LIMIT 1
      )
    ) AS state,
    coalesce(
      (SELECT min(time_unix_nano) FROM event WHERE span_uuid = logged.uuid AND type = 'launched'),
      script.start_unix_nano,
      stored.start_unix_nano
    ) AS launched,
    (
      SELECT min(time_unix_nano) FROM event WHERE span_uuid = stored.uuid AND type = 'RUNNING'
    ) AS running,
    coalesce(stored.end_unix_nano, logged.end_unix_nano) AS ended,
    json_extract(script.attributes, '$."process.exit.code"') AS exit_code
  FROM told
  LEFT JOIN span AS stored ON stored.uuid = told.run || '15' || told.name
  LEFT JOIN span AS logged ON logged.uuid = told.run || '25' || told.name
  LEFT JOIN span AS script ON script.uuid = told.run || '75' || told.name
),
manned AS (
  SELECT
    substr(uuid, 1, 12) AS run, executor, block_id, count(*) AS managers, sum(workers) AS workers,
    min(registered) AS registered, sum(busy_s) AS busy_s, group_concat(DISTINCT host) AS hosts
  FROM parsl_manager
  GROUP BY substr(uuid, 1, 12), executor, block_id
)
SELECT
  substr(account.trace_high, 1, 8) || '-' || substr(account.trace_high, 9, 4) || '-' || substr(account.trace_high, 13, 4)
    || '-' || substr(account.trace_high, 17, 4) || '-' || substr(account.uuid, 1, 12) AS run_id,  -- Parsl's run id
  account.executor AS executor,  -- the executor's label
  account.block_id AS block_id,  -- as its executor numbers blocks
  account.job_id AS job_id,  -- the provider's own number
  coalesce(account.state, CASE WHEN manned.managers IS NOT NULL THEN 'RUNNING' END) AS state,  -- as was told last: PENDING, RUNNING, SCALED_IN, FAILED, …
  manned.hosts AS hosts,  -- of its managers, with commas between
  account.launched / 1e9 AS launched,  -- handed to the provider, unix seconds
  account.running / 1e9 AS running,  -- first seen to run when the provider was polled, unix seconds
  manned.registered AS registered,  -- its first manager was there, unix seconds
  account.ended / 1e9 AS ended,  -- unix seconds; NULL: no file tells of its end
  account.exit_code AS exit_code,  -- of its submit script; NULL while it runs, or when it was killed with Parsl
  coalesce(manned.managers, 0) AS managers,  -- how many came with it
  coalesce(manned.workers, 0) AS workers,  -- theirs in all
  coalesce(manned.busy_s, 0.0) AS busy_s,  -- seconds that tasks held them, of all of them together
  account.uuid AS uuid  -- the block's own id, whoever tells of it
FROM account
LEFT JOIN manned
  ON manned.run = account.run AND manned.block_id = account.block_id
  AND coalesce(manned.executor, account.executor) = account.executor;
