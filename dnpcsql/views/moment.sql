-- All moments of all spans: their events, and their starts and ends. What two-moment analyses read,
-- for spans of other programs often have no events.
CREATE VIEW moment AS
SELECT
  span_uuid AS span_uuid,  -- whose
  time_unix_nano AS time_unix_nano,  -- exact
  time_unix_nano / 1e9 AS time,  -- unix seconds
  type AS type,  -- the event's type, or start, or end
  source_id AS source_id,  -- the file that tells
  line AS line  -- where in it
FROM event
UNION ALL
SELECT uuid, start_unix_nano, start_unix_nano / 1e9, 'start', source_id, line
FROM span WHERE start_unix_nano IS NOT NULL
UNION ALL
SELECT uuid, end_unix_nano, end_unix_nano / 1e9, 'end', source_id, line
FROM span WHERE end_unix_nano IS NOT NULL;
