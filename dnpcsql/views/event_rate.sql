-- How many events of each type there were in each second. A second without any
-- has no row.
CREATE VIEW event_rate AS
SELECT
  CASE
    WHEN counted.trace_id <> '' THEN substr(counted.trace_id, 1, 8) || '-' || substr(counted.trace_id, 9, 4)
      || '-' || substr(counted.trace_id, 13, 4)
      || '-' || substr(counted.trace_id, 17, 4) || '-' || substr(counted.trace_id, 21)
  END AS run_id,  -- the run; NULL for other programs' traces
  counted.span_type AS span_type,  -- of the spans whose events they are
  counted.type AS type,  -- of the events
  counted.second AS second,  -- unix time at which the second begins
  counted.events AS events  -- how many in that second
FROM (
  SELECT
    event.time_unix_nano / 1000000000 - (event.time_unix_nano % 1000000000 < 0) AS second,
    event.type AS type, span.type AS span_type,
    CASE WHEN span.type IN ('otel.span', 'jaeger.span', 'zipkin.span') THEN '' ELSE span.trace_id END AS trace_id,
    count(*) AS events
  FROM span
  CROSS JOIN event ON event.span_uuid = span.uuid
  GROUP BY 1, 2, 3, 4
) AS counted;
