-- The order of each span's events.
CREATE VIEW event_sequence AS
SELECT
  ordered.span_uuid AS span_uuid,  -- the span
  span.type AS type,  -- its type
  group_concat(ordered.type, ' > ') AS sequence,  -- its events' types in time order
  count(*) AS events,  -- how many
  min(ordered.time_unix_nano) / 1e9 AS first,  -- unix seconds
  (max(ordered.time_unix_nano) - min(ordered.time_unix_nano)) / 1e9 AS duration_s  -- first to last, seconds
FROM (
  SELECT span_uuid, time_unix_nano, type FROM event ORDER BY span_uuid, time_unix_nano, type
) AS ordered
JOIN span ON span.uuid = ordered.span_uuid
GROUP BY ordered.span_uuid;
