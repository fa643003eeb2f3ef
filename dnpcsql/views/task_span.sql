-- What ran inside tasks: spans of instrumented apps, and of what they called, that lie in a task by
-- the ids that they bear, or as found by their worker and the time. `dnpcsql.tracing` makes such spans.
CREATE VIEW task_span AS
SELECT
  substr(high, 1, 8) || '-' || substr(high, 9, 4) || '-' || substr(high, 13, 4) || '-'
    || substr(high, 17, 4) || '-' || substr(lies_in, 1, 12) AS run_id,  -- Parsl's run id
  CAST(substr(lies_in, 15, 10) AS INTEGER) AS task_id,  -- Parsl's task id
  CASE WHEN substr(lies_in, 14, 1) = '3' THEN CAST(substr(lies_in, 25) AS INTEGER) END AS try_id,  -- NULL where only the task is known
  span.name AS name,  -- the span's
  span.start_unix_nano / 1e9 AS started,  -- unix seconds, by the worker host's clock
  (span.end_unix_nano - span.start_unix_nano) / 1e9 AS duration_s,  -- seconds
  span.status_code AS status_code,  -- OTLP's: 0 unset, 1 ok, 2 error
  span.uuid AS uuid,  -- the span's; what it contains is in subspan
  told AS how  -- by the ids that it bears, or inferred
FROM (
  SELECT
    substr(superspan_uuid, 1, 12) || '0' || substr(superspan_uuid, 14) AS lies_in,
    account.trace_high AS high, subspan_uuid AS inside, tie.note AS told
  FROM subspan AS tie JOIN span AS account ON account.uuid = superspan_uuid
  WHERE key = 'parsl' AND substr(superspan_uuid, 13, 2) IN ('12', '13', '22', '23')
  UNION
  SELECT
    substr(attempt.uuid, 1, 12) || '0' || substr(attempt.uuid, 14),
    attempt.trace_high, tie.subspan_uuid, tie.note
  FROM subspan AS tie
  JOIN subspan AS had
    ON had.subspan_uuid = substr(tie.superspan_uuid, 1, 12) || '28' || substr(tie.superspan_uuid, 15)
  JOIN span AS attempt ON attempt.uuid = had.superspan_uuid
  WHERE tie.key = 'parsl' AND substr(tie.superspan_uuid, 13, 2) = '58'
    AND attempt.type IN ('parsl.rundir.try', 'parsl.monitoring.try')
)
JOIN span ON span.uuid = inside;
