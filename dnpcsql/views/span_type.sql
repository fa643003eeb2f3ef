-- The types of spans that there are.
CREATE VIEW span_type AS
SELECT
  span.type AS type,  -- whose account of what
  count(*) AS spans,  -- how many
  count(span.end_unix_nano) AS ended,  -- how many of them ended
  min(span.start_unix_nano) / 1e9 AS first,  -- the earliest start, unix seconds
  max(coalesce(span.end_unix_nano, span.start_unix_nano)) / 1e9 AS last  -- the latest end or start, unix seconds
FROM span
GROUP BY span.type;
