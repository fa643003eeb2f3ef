-- One row for each Parsl run (each DataFlowKernel), whatever was imported of it. An executor whose
-- run no file names (HTEX used alone, logs torn from their tree) has a row of its own.
CREATE VIEW parsl_run AS
SELECT
  substr(run.trace_id, 1, 8) || '-' || substr(run.trace_id, 9, 4) || '-'
    || substr(run.trace_id, 13, 4)
    || '-' || substr(run.trace_id, 17, 4) || '-' || substr(run.trace_id, 21) AS run_id,  -- Parsl's run id
  coalesce(stored.name, logged.name) AS name,  -- the workflow's name
  coalesce(
    json_extract(stored.attributes, '$."parsl.rundir"'),
    json_extract(logged.attributes, '$."parsl.rundir"')
  ) AS rundir,  -- its directory, where it ran
  coalesce(
    stored.start_unix_nano,
    logged.start_unix_nano,
    (
      SELECT min(start_unix_nano) FROM span
      WHERE uuid BETWEEN substr(run.trace_id, 21) || '34' AND substr(run.trace_id, 21) || '34g'
    )
  ) / 1e9 AS started,  -- unix seconds
  coalesce(stored.end_unix_nano, logged.end_unix_nano) / 1e9 AS ended,  -- unix seconds; NULL: it never ended, as far as is known
  coalesce(
    stored.end_unix_nano,
    logged.end_unix_nano,
    -- Interchange, managers and workers may outlive the process that submitted: its own log counts.
    json_extract(logged.attributes, '$."parsl.log.last_unix_nano"'),
    (
      SELECT max(time_unix_nano) FROM event
      WHERE span_uuid > substr(run.trace_id, 21) || '21' AND span_uuid < substr(run.trace_id, 21) || '29'
    ),
    (
      SELECT max(time_unix_nano) FROM event
      WHERE span_uuid > substr(run.trace_id, 21) || '11' AND span_uuid < substr(run.trace_id, 21) || '14'
        AND type NOT IN ('running', 'running_ended')
    ),
    (
      SELECT max(end_unix_nano) FROM span
      WHERE uuid BETWEEN substr(run.trace_id, 21) || '34' AND substr(run.trace_id, 21) || '34g'
    )
  ) / 1e9 AS last_heard,  -- its end, else the last that is known of the submitting process, unix seconds
  (
    SELECT count(*)
    FROM (
      SELECT substr(uuid, 15) FROM span
      WHERE uuid BETWEEN substr(run.trace_id, 21) || '12' AND substr(run.trace_id, 21) || '12g'
        AND type = 'parsl.monitoring.task'
      UNION
      SELECT substr(uuid, 15) FROM span
      WHERE uuid BETWEEN substr(run.trace_id, 21) || '22' AND substr(run.trace_id, 21) || '22g'
        AND type = 'parsl.rundir.task'
    )
  ) AS tasks,  -- how many, Parsl's own staging tasks among them
  coalesce(
    json_extract(stored.attributes, '$."host.name"'),
    json_extract(logged.attributes, '$."host.name"')
  ) AS host,  -- where the submitting process ran
  coalesce(
    json_extract(stored.attributes, '$."user.name"'),
    json_extract(logged.attributes, '$."user.name"')
  ) AS user,  -- who ran it
  json_extract(logged.attributes, '$."parsl.version"') AS parsl_version  -- as its log says
FROM (
  SELECT trace_id FROM span WHERE type = 'parsl.monitoring.workflow'
  UNION
  SELECT trace_id FROM span WHERE type = 'parsl.rundir.workflow'
  UNION
  SELECT trace_id FROM span WHERE type = 'parsl.executor.htex.interchange'
) AS run
LEFT JOIN span AS stored ON stored.uuid = substr(run.trace_id, 21) || '1100000000000000'
LEFT JOIN span AS logged ON logged.uuid = substr(run.trace_id, 21) || '2100000000000000';
