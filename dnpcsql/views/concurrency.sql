-- How many spans of each type are open over time. A row for each moment at which one begins or ends,
-- valid until the next row of the same run and type. A span that never ended, as far as is known,
-- stays open; one that ended before it began takes no time.
CREATE VIEW concurrency AS
SELECT
  CASE
    WHEN step.trace_id <> '' THEN substr(step.trace_id, 1, 8) || '-' || substr(step.trace_id, 9, 4)
      || '-' || substr(step.trace_id, 13, 4)
      || '-' || substr(step.trace_id, 17, 4) || '-' || substr(step.trace_id, 21)
  END AS run_id,  -- the run; NULL for other programs' traces
  step.type AS type,  -- of the spans
  step.time_unix_nano AS time_unix_nano,  -- exact, from when on it is so
  step.time_unix_nano / 1e9 AS time,  -- the same in unix seconds
  step.live AS live  -- how many are open from then on
FROM (
  SELECT
    type, trace_id, time_unix_nano,
    -- All that begin and end at one moment count at once.
    sum(change) OVER (PARTITION BY type, trace_id ORDER BY time_unix_nano) AS live,
    lead(time_unix_nano) OVER (PARTITION BY type, trace_id ORDER BY time_unix_nano) AS next
  FROM (
    SELECT
      type,
      CASE WHEN type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE trace_id END AS trace_id,
      start_unix_nano AS time_unix_nano, 1 AS change
    FROM span WHERE start_unix_nano IS NOT NULL
    UNION ALL
    SELECT
      type,
      CASE WHEN type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE trace_id END,
      max(start_unix_nano, end_unix_nano), -1
    FROM span WHERE start_unix_nano IS NOT NULL AND end_unix_nano IS NOT NULL
  )
) AS step
WHERE step.next IS NULL OR step.next > step.time_unix_nano;
