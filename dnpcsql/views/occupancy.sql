-- How many spans of each type are in each state over time. A row for each moment at which one
-- enters or leaves the state, valid until the next row of the same run, type and state. A span is in
-- the state of its latest event, from its start until its end (before any event: in state `start`),
-- so that at any moment the states' numbers add up to what concurrency says is open. The states of
-- Parsl's tries only go forward: `launched`, logged after `running` by a thread that was late, is
-- passed over.
CREATE VIEW occupancy AS
SELECT
  CASE
    WHEN step.trace_id <> '' THEN substr(step.trace_id, 1, 8) || '-' || substr(step.trace_id, 9, 4)
      || '-' || substr(step.trace_id, 13, 4)
      || '-' || substr(step.trace_id, 17, 4) || '-' || substr(step.trace_id, 21)
  END AS run_id,  -- the run; NULL for other programs' traces
  step.type AS type,  -- of the spans
  step.state AS state,  -- pending, launched, running, …: the type of the latest event
  step.time_unix_nano AS time_unix_nano,  -- exact, from when on it is so
  step.time_unix_nano / 1e9 AS time,  -- the same in unix seconds
  step.spans AS spans  -- how many are in it from then on
FROM (
  SELECT
    state, type, trace_id, time_unix_nano,
    -- All that enter and leave at one moment count at once: of their rows the last stays.
    sum(change) OVER (
      PARTITION BY state, type, trace_id ORDER BY time_unix_nano ROWS UNBOUNDED PRECEDING
    ) AS spans,
    lead(time_unix_nano) OVER (
      PARTITION BY state, type, trace_id ORDER BY time_unix_nano ROWS UNBOUNDED PRECEDING
    ) AS next
  FROM (
    SELECT
      stay.state, stay.type, stay.trace_id, sign.sign AS change,
      CASE sign.sign WHEN 1 THEN stay.entered ELSE stay.gone END AS time_unix_nano
    FROM (
      -- From each event that counts to the next one, or to the end.
      SELECT
        state, type, trace_id, entered,
        coalesce(
          lead(entered) OVER (PARTITION BY type, uuid ORDER BY entered, rank, line), ended
        ) AS gone
      FROM (
        SELECT
          state, type, trace_id, uuid, entered, rank, line, ended,
          max(rank) OVER (
            PARTITION BY type, uuid ORDER BY entered, rank, line ROWS UNBOUNDED PRECEDING
          ) AS furthest
        FROM (
          SELECT
            event.type AS state, span.type AS type, span.uuid AS uuid, event.line AS line,
            CASE WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE span.trace_id END AS trace_id,
            max(event.time_unix_nano, span.start_unix_nano) AS entered,
            span.end_unix_nano AS ended,
            CASE
              WHEN span.type IN ('parsl.monitoring.try', 'parsl.rundir.try') THEN CASE event.type
                WHEN 'pending' THEN 1 WHEN 'launched' THEN 2 WHEN 'running' THEN 3
                WHEN 'running_ended' THEN 4 WHEN 'joining' THEN 5 WHEN 'fail_retryable' THEN 6
                WHEN 'exec_done' THEN 9 WHEN 'memo_done' THEN 9 WHEN 'failed' THEN 9
                WHEN 'dep_fail' THEN 9 ELSE 0
              END
              ELSE 0
            END AS rank
          FROM span
          CROSS JOIN event ON event.span_uuid = span.uuid
          WHERE span.start_unix_nano IS NOT NULL
            AND event.type NOT IN ('exception', 'error')
            AND (span.end_unix_nano IS NULL OR event.time_unix_nano < span.end_unix_nano)
        )
      )
      WHERE rank = furthest
    ) AS stay
    CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS sign
    WHERE (sign.sign = 1 OR stay.gone IS NOT NULL)
      AND (stay.gone IS NULL OR stay.gone > stay.entered)
    UNION ALL
    SELECT
      'start', wait.type, wait.trace_id, sign.sign,
      CASE sign.sign WHEN 1 THEN wait.entered ELSE wait.gone END
    FROM (
      -- From the start to the first event, or to the end.
      SELECT
        type, trace_id, entered,
        CASE
          WHEN ended IS NULL THEN first
          ELSE max(entered, min(ended, coalesce(first, ended)))
        END AS gone
      FROM (
        SELECT
          span.type AS type,
          CASE WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE span.trace_id END AS trace_id,
          span.start_unix_nano AS entered, span.end_unix_nano AS ended,
          (
            SELECT event.time_unix_nano FROM event
            WHERE event.span_uuid = span.uuid AND event.type NOT IN ('exception', 'error')
            ORDER BY event.time_unix_nano LIMIT 1
          ) AS first
        FROM span
        WHERE span.start_unix_nano IS NOT NULL
          AND NOT EXISTS (
            SELECT 1 FROM event
            WHERE event.span_uuid = span.uuid AND event.time_unix_nano <= span.start_unix_nano
              AND event.type NOT IN ('exception', 'error')
          )
      )
    ) AS wait
    CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS sign
    WHERE (sign.sign = 1 OR wait.gone IS NOT NULL)
      AND (wait.gone IS NULL OR wait.gone > wait.entered)
  )
) AS step
WHERE step.next IS NULL OR step.next > step.time_unix_nano;
