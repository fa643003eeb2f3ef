-- How long spans lasted, by run, type and app. In seconds, of those that ended. Quantiles lie
-- between the two nearest durations, as numpy's do.
CREATE VIEW duration_summary AS
SELECT
  CASE
    WHEN ranked.trace_id <> '' THEN substr(ranked.trace_id, 1, 8) || '-' || substr(ranked.trace_id, 9, 4)
      || '-' || substr(ranked.trace_id, 13, 4)
      || '-' || substr(ranked.trace_id, 17, 4) || '-' || substr(ranked.trace_id, 21)
  END AS run_id,  -- the run; NULL for other programs' traces
  ranked.type AS type,  -- of the spans
  ranked.app AS app,  -- the app's name, or what the spans are called
  count(ranked.duration) AS spans,  -- how many ended
  count(*) - count(ranked.duration) AS unfinished,  -- how many never ended, as far as is known
  sum(ranked.duration / 1e9) AS total_s,  -- of all together
  avg(ranked.duration / 1e9) AS mean_s,  -- their mean
  min(ranked.duration) / 1e9 AS min_s,  -- the shortest; below 0 where clocks or threads race
  -- Of the two durations around a quantile, each by its nearness.
  sum(
    CASE
      WHEN abs(ranked.place - 0.5 * ranked.last) < 1
      THEN ranked.duration * (1 - abs(ranked.place - 0.5 * ranked.last))
    END
  ) / 1e9 AS p50_s,  -- the median
  sum(
    CASE
      WHEN abs(ranked.place - 0.95 * ranked.last) < 1
      THEN ranked.duration * (1 - abs(ranked.place - 0.95 * ranked.last))
    END
  ) / 1e9 AS p95_s,  -- 19 of 20 were no longer
  max(ranked.duration) / 1e9 AS max_s  -- the longest
FROM (
  SELECT
    type, trace_id, app, duration,
    -- NULL, of those that never ended, comes first.
    row_number() OVER (PARTITION BY type, trace_id, app ORDER BY duration)
      - 1 - count(*) OVER (PARTITION BY type, trace_id, app)
      + count(duration) OVER (PARTITION BY type, trace_id, app) AS place,
    count(duration) OVER (PARTITION BY type, trace_id, app) - 1 AS last
  FROM (
    SELECT
      span.type,
      CASE WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE span.trace_id END AS trace_id,
      CASE
        WHEN span.type IN ('parsl.monitoring.try', 'parsl.rundir.try') THEN coalesce(
          (SELECT name FROM span AS task WHERE task.uuid = substr(span.uuid, 1, 12) || '12' || substr(span.uuid, 15, 10) || '0000'),
          (SELECT name FROM span AS task WHERE task.uuid = substr(span.uuid, 1, 12) || '22' || substr(span.uuid, 15, 10) || '0000')
        )
        ELSE span.name
      END AS app,
      span.end_unix_nano - span.start_unix_nano AS duration
    FROM span
    WHERE span.start_unix_nano IS NOT NULL
  )
) AS ranked
GROUP BY ranked.type, ranked.trace_id, ranked.app;
